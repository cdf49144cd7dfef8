"""The code in the child process of a task: it runs the user's notebook or Python file, with `dbutils`.

`supervisor` is the process around the task, which ends all that the task has started (`processes`); in it, `main` runs
one attempt and writes its outcome. `notebook` runs the `cells` of a notebook, and `other_notebook` another notebook in
its own process; `dbutils` and `spark` are what they find there. `paths` and `regular_files` find, read and write
files, and `failure` turns an exception into the strings of the API.

The child imports only this package, from its folder, so that it starts fast and without Prefect and the server. This
package imports only the standard library.
"""
