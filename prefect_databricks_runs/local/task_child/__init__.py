"""What runs in the child process of a task: the user's notebook or Python file, and `dbutils`.

The child imports this package alone, by its folder, so that it starts fast and brings nothing of Prefect or of the
server with it. It imports only the standard library.
"""
