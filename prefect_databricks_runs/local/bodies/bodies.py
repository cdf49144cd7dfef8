"""The body of each endpoint: the fields that are checked."""

from __future__ import annotations

import re
from typing import Any

from .schema import INTEGER, STRING, ListOf, Object, read
from .shapes import SINGLE_TASK_FIELDS, TASK_PARAMETERS, TASK_TYPES, shape

__all__ = ["TASK_PARAMETERS", "TASK_TYPES"]  # the kinds of bodies are used as `bodies.SUBMIT`

DEFAULT_TASK_KEY = "main"
MAX_TASK_KEY = 100

_ONE_TASK = {name: shape("Task").fields[name] for name in SINGLE_TASK_FIELDS}
_JOB_ID = {"job_id": INTEGER}

SUBMIT = Object({**_ONE_TASK, **shape("SubmitRun").fields})
CREATE = Object({**_ONE_TASK, **shape("CreateJob").fields})
# `new_settings` is read separately: its errors name fields without this prefix.
RESET = Object({**_JOB_ID, "new_settings": Object()}, required=("job_id",))
UPDATE = Object({**RESET.fields, "fields_to_remove": ListOf(STRING)}, required=("job_id",))
DELETE_JOB = Object(_JOB_ID, required=("job_id",))
GET_JOB = shape("GetJob")
LIST_JOBS = shape("ListJobs")
RUN_NOW = shape("RunNow")
REPAIR = shape("RepairRun")
RUN_ID = Object({"run_id": INTEGER}, required=("run_id",))
GET_RUN = shape("GetRun")
LIST_RUNS = shape("ListRuns")
CANCEL_ALL = shape("CancelAllRuns")
EXPORT = shape("ExportRun")
PERMISSIONS = Object(
    {**_JOB_ID, "access_control_list": shape("CreateJob").fields["access_control_list"]}, required=("job_id",)
)


def with_tasks(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with `tasks`: the task of a body in the old form is moved there.

    The key of that task is the `run_name`, changed to be a valid key, or `main` without a name.

    Raises:
        ApiError: A field of that task is wrong. Databricks names it by its place in the old form.
    """
    moved = {name: body[name] for name in SINGLE_TASK_FIELDS if body.get(name) is not None}
    if body.get("tasks") is not None or not any(name in moved for name in TASK_TYPES):
        return body
    task = {name: read(value, _ONE_TASK[name], f"settings.task.{name}") for name, value in moved.items()}
    rest = {name: value for name, value in body.items() if name not in SINGLE_TASK_FIELDS}
    return {**rest, "tasks": [{"task_key": _task_key(body.get("run_name")), **task}]}


def _task_key(run_name: object) -> str:
    # Airflow's notebook operator sends the key that it wants as the run's name, and looks for a task with that key.
    if not isinstance(run_name, str) or not run_name:
        return DEFAULT_TASK_KEY
    # Databricks is known to cut a longer name. It is not known what it does with other characters.
    return re.sub(r"[^\w-]", "_", run_name[:MAX_TASK_KEY], flags=re.ASCII)
