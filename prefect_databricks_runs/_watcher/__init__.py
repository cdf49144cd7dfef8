"""`prefect-databricks-runs watch`: watches the Databricks runs of suspended flow runs, and resumes these.

`command` is the command, `watcher` its loop, and `one_pass` what `--once` does. `scan` reads flow runs, and `finder`
says which of them there is something to do for; `blocks` has the credentials. `suspended_run` watches the runs of one
flow run, and `resumer` resumes it; `cancelling` cancels the runs of a flow run that ended without a process.
`page` is the page of the watcher in Prefect, and `said` its lines and its last error.
"""
