"""The code in the child process of a task: it runs the user's notebook or Python file, with `dbutils`.

The child imports only this package, from its folder, so that it starts fast and without Prefect and the server. This
package imports only the standard library.
"""
