"""The demo: a real job on a local workspace, started and watched by a real Prefect flow.

`cli.demo` starts a local workspace, a Prefect server (`servers`) if none is configured, and `flow` or `saved_job` in
its own process. `flow` submits the job of `job`. `saved_job` (`demo --job`) writes another job in Python, saves it,
deploys it with a form and a schedule, and lets a worker run it. Both use the notebooks in the folder `notebooks`.
"""
