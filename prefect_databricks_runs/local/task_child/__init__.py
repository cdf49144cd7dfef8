"""The code in the child process of a task: it runs the user's notebook or Python file, with `dbutils`.

`main` is the entry. It calls `supervisor`, which forks: the child runs the task, and the parent waits, then ends the
processes that the task has started (`processes` finds them, on Linux only). `main` runs a Python file itself;
`notebook` runs the `cells` of a notebook, and `other_notebook` runs another notebook in its own process. Notebooks have
`dbutils`, and a `spark` that only raises errors. `paths` finds files, and `regular_files` reads and writes them; the
server uses both too. `failure` turns an exception into the error strings of the API.

The child imports only this package, from its folder, so that it starts fast and without Prefect and the server. This
package imports only the standard library.
"""
