"""`prefect-databricks-runs apply`: a job from a file or a module, applied from the command line.

`options` is the command line; `command` does it; `loading` finds the job that is meant; `printing` prints the
difference.
"""
