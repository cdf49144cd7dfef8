"""Request bodies: their shapes and their rules.

`bodies` has the fields of each endpoint's body. `schema` reads a body by its shape; the `shapes` are those of
`api_shapes`, corrected, and `old_form` is the shape of version 2.0. The rules are `checks` of a whole job or run,
`task_checks`, `task_type_checks` and `cluster_checks` of its parts, `run_now_checks` of parameters and repairs, and
`access_control` of permissions, with `limits` that many fields share. `job_settings` applies `update` and `reset`.
"""
