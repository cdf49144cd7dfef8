"""`prefect-databricks-runs check`: who signs in to a workspace, and what that user may do there.

`command` is the command; `found` finds the credentials; `steps` are what is looked at, and `results` what came of it;
`printing` prints that.
"""
