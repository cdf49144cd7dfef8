"""What runs on Databricks: a task that goes on until it is cancelled, and one that waits for it."""

JOB = {
    "tasks": [
        {"task_key": "long", "notebook_task": {"notebook_path": "/long"}},
        {"task_key": "after", "depends_on": [{"task_key": "long"}], "notebook_task": {"notebook_path": "/after"}},
    ]
}
QUICK = 0.2
CANCELED = {"long": ("CANCELLED", "Canceled"), "after": ("CANCELLED", "Canceled")}
UNWATCHED = {"long": ("CANCELLED", "Unwatched"), "after": ("CANCELLED", "Unwatched")}
