"""A request, from the user's input to the body that is sent.

`build` puts it together; `plain` turns the user's input into JSON, in the `forms` that the API needs; `template` is a
body whose Prefect `placeholders` have no values yet. `checks` (of a run) and `job_checks` (of a job), with
`shared_checks` and `task_checks`, find faults that Databricks would refuse or misread, `hints` finds what is not known
to be in the API, and `rules` what breaks its documented limits; they read a body with `looks`. `api` reads the shape of
the API, which is in `api_shapes`.
"""
