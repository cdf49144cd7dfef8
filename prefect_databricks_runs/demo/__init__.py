"""The demo: a real job on a local workspace, started and watched by a real Prefect flow.

`job` is the job, with the notebooks of `notebooks`, and `flow` the flow that submits it; `servers` has a Prefect server
for it. `saved_job` does the same with a saved job.
"""
