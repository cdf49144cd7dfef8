"""`prefect-databricks-runs check-job`: finds what is wrong with job definitions in files, before they are deployed.

`options` is the command line, and `command` does it. `files` finds the files; `reading` reads one, with `yaml_tree` or
`json_tree`, into a `tree` that knows the line of each value. `documents` says what a document is. A bundle is put
together by `bundles`, one target at a time (`targets`, `merging`), its `references` are filled in and its `local_paths`
looked up. `one_job` runs the checks of `_payload` on one definition, `findings` is what comes of it, and `printing`
shows it.
"""
