"""`prefect-databricks-runs check`: show who signs in to a workspace, and what that user may do there.

`command` is the command. `found` finds the credentials, `steps` does the checks, `results` holds their results, and
`printing` prints them.
"""
