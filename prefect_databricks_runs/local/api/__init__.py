"""The endpoints of the API, and their answers.

`job_endpoints`, `run_endpoints`, `file_endpoints`, `permission_endpoints` and `platform_endpoints` have the endpoints.
`answers` and `job_answers` turn runs and jobs into JSON; `run_list` has the pages of `runs/list`, and `export` the page
of `runs/export`.
"""
