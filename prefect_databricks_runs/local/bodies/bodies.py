"""What each endpoint takes, field by field, as far as it is checked."""

from __future__ import annotations

import re
from typing import Any

from .schema import BOOLEAN, INT32, INTEGER, STRING, Choice, ListOf, Object, read
from .settings_bodies import COMMON_FIELDS, JOB_FIELDS, QUEUE, RUN_FIELDS, RUN_PARAMETERS
from .task_bodies import SINGLE_TASK_FIELDS, TASK_PARAMETERS, TASK_TYPES

__all__ = ["TASK_PARAMETERS", "TASK_TYPES"]  # the kinds of bodies are used as `bodies.SUBMIT`

DEFAULT_TASK_KEY = "main"
MAX_TASK_KEY = 100

_PAGE = {"limit": INT32, "offset": INT32, "page_token": STRING}

SUBMIT = Object(RUN_FIELDS)
CREATE = Object(JOB_FIELDS)
# `new_settings` is read by itself, as its errors have no such prefix in their fields.
RESET = Object({"job_id": INTEGER, "new_settings": Object()}, required=("job_id",))
UPDATE = Object({"job_id": INTEGER, "new_settings": Object(), "fields_to_remove": ListOf(STRING)}, required=("job_id",))
DELETE_JOB = Object({"job_id": INTEGER}, required=("job_id",))
GET_JOB = Object({"job_id": INTEGER, "include_trigger_state": BOOLEAN, "page_token": STRING}, required=("job_id",))
LIST_JOBS = Object({**_PAGE, "name": STRING, "expand_tasks": BOOLEAN})

RUN_NOW = Object(
    {
        **TASK_PARAMETERS,
        **RUN_PARAMETERS,
        "job_id": INTEGER,
        "idempotency_token": STRING,
        "only": ListOf(STRING),
        "queue": QUEUE,
    }
)
REPAIR = Object(
    {
        **TASK_PARAMETERS,
        **RUN_PARAMETERS,
        "run_id": INTEGER,
        "latest_repair_id": INTEGER,
        "rerun_tasks": ListOf(STRING),
        "rerun_all_failed_tasks": BOOLEAN,
        "rerun_dependent_tasks": BOOLEAN,
    },
    required=("run_id",),
)
RUN_ID = Object({"run_id": INTEGER}, required=("run_id",))
GET_RUN = Object(
    {
        "run_id": INTEGER,
        "include_history": BOOLEAN,
        "include_resolved_values": BOOLEAN,
        "page_token": STRING,
    },
    required=("run_id",),
)
LIST_RUNS = Object(
    {
        **_PAGE,
        "active_only": BOOLEAN,
        "completed_only": BOOLEAN,
        "job_id": INTEGER,
        "run_type": Choice(("JOB_RUN", "WORKFLOW_RUN", "SUBMIT_RUN")),
        "expand_tasks": BOOLEAN,
        "start_time_from": INTEGER,
        "start_time_to": INTEGER,
    }
)
CANCEL_ALL = Object({"job_id": INTEGER, "all_queued_runs": BOOLEAN})
EXPORT = Object({"run_id": INTEGER, "views_to_export": Choice(("CODE", "DASHBOARDS", "ALL"))}, required=("run_id",))


def with_tasks(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body that has `tasks`: one of the old form gets its only task.

    The key of the task is the `run_name`, as far as a key can be; `main` where there is none.

    Raises:
        ApiError: a field of that task is wrong. Databricks names it by its place in the old form.
    """
    moved = {name: body[name] for name in SINGLE_TASK_FIELDS if body.get(name) is not None}
    if body.get("tasks") is not None or not any(name in moved for name in TASK_TYPES):
        return body
    task = {name: read(value, COMMON_FIELDS[name], f"settings.task.{name}") for name, value in moved.items()}
    rest = {name: value for name, value in body.items() if name not in SINGLE_TASK_FIELDS}
    return {**rest, "tasks": [{"task_key": _task_key(body.get("run_name")), **task}]}


def _task_key(run_name: object) -> str:
    # Airflow's notebook operator sends the key that it wants as the name of the run, and looks for the task by it.
    if not isinstance(run_name, str) or not run_name:
        return DEFAULT_TASK_KEY
    # That a longer name is cut is known; what becomes of other characters is not.
    return re.sub(r"[^\w-]", "_", run_name[:MAX_TASK_KEY], flags=re.ASCII)
