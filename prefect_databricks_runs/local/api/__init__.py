"""The endpoints of the API, and their answers.

`job_endpoints`, `run_endpoints`, `permission_endpoints` and `file_endpoints` are named by what they serve;
`platform_endpoints` has the signed-in user and the lists of compute. `answers` and `job_answers` turn runs and jobs
into JSON; `run_list` has the pages of `runs/list`, and `export` the page of `runs/export`.
"""
