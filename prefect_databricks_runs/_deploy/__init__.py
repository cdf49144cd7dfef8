"""The command `deploy`: a deployment whose form has the parameters of one saved job.

`options` is the command line; `command` does it; `form` makes the schema of the form; `schedules` reads and makes
Prefect's schedules; `deployment` compares the deployment with the saved one and saves it; `printing` prints it.
"""
