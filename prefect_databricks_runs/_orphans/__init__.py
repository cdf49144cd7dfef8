"""`prefect-databricks-runs orphans`: runs that no flow run waits for.

`command` is the command; `owned_runs` finds the active runs and whose they are; `listing` prints them.
"""
