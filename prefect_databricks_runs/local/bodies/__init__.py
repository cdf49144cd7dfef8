"""Request bodies: their shapes and their rules.

`bodies` has the fields of requests about jobs, runs and permissions, and `schema` reads a request by them. `shapes`
corrects `api_shapes`, which is generated: never edit it. `old_form` converts jobs and runs from version 2.0 and back.
The rules: `checks` for a whole job or run; `task_checks`, `task_type_checks` and `cluster_checks` for its parts;
`run_now_checks` for the parameters of `run-now` and repairs, and for `only`; `access_control` for permissions; `limits`
has checks that many fields share. `job_settings` applies `update` and `reset`.
"""
