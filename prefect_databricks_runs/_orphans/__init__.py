"""`prefect-databricks-runs orphans`: list active runs that no flow run waits for.

`options` is the command line, and `command` does it. `owned_runs` finds the active runs and
their flow runs. `listing` prints them.
"""
