"""`prefect-databricks-runs check-job`: finds what is wrong with job definitions in files, before they are deployed.

`options` is the command line, and `command` does the work. `files` finds the files. `reading` reads one, with
`yaml_tree` or `json_tree`: each document becomes a `tree`, which for YAML knows the line of each value. `documents`
says what a document is. `bundles` puts a bundle together from its files (`merging`), lays each target over it
(`targets`) and checks the paths of its tasks (`local_paths`). `references` fills in `${...}`. `one_job` checks one
definition with `_payload`; `findings` holds what is wrong, and `printing` prints it.
"""
