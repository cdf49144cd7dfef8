"""What each endpoint takes, field by field, as far as it is checked."""

from __future__ import annotations

from typing import Any

from .schema import BOOLEAN, INTEGER, STRING, Kind, ListOf, MapOf, Object

# The name of a task type's field: exactly one of them is in a task.
TASK_TYPES = (
    "notebook_task",
    "spark_python_task",
    "spark_jar_task",
    "spark_submit_task",
    "python_wheel_task",
    "pipeline_task",
    "sql_task",
    "dbt_task",
    "run_job_task",
    "condition_task",
    "for_each_task",
    "clean_rooms_notebook_task",
    "dashboard_task",
    "power_bi_task",
    "gen_ai_compute_task",
    "ai_runtime_task",
    "ai_function_task",
    "alert_task",
    "dbt_platform_task",
    "dbt_cloud_task",
    "python_operator_task",
)

NOTEBOOK_TASK = Object(
    {"notebook_path": STRING, "base_parameters": MapOf(STRING), "source": STRING, "warehouse_id": STRING},
    required=("notebook_path",),
)
SPARK_PYTHON_TASK = Object(
    {"python_file": STRING, "parameters": ListOf(STRING), "source": STRING}, required=("python_file",)
)

_TASK_TYPE_FIELDS: dict[str, Kind] = {
    **{name: Object() for name in TASK_TYPES},
    "notebook_task": NOTEBOOK_TASK,
    "spark_python_task": SPARK_PYTHON_TASK,
}
_TASK_FIELDS: dict[str, Kind] = {
    **_TASK_TYPE_FIELDS,
    "task_key": STRING,
    "description": STRING,
    "depends_on": ListOf(Object({"task_key": STRING, "outcome": STRING}, required=("task_key",))),
    "run_if": STRING,
    "existing_cluster_id": STRING,
    "new_cluster": Object(),
    "job_cluster_key": STRING,
    "environment_key": STRING,
    "libraries": ListOf(Object()),
    "timeout_seconds": INTEGER,
    "max_retries": INTEGER,
    "min_retry_interval_millis": INTEGER,
    "retry_on_timeout": BOOLEAN,
    "disabled": BOOLEAN,
}
TASK = Object(_TASK_FIELDS, required=("task_key",))

# The fields that a body of the old API, with its one task at the top level, has for that task.
SINGLE_TASK_FIELDS = (
    *TASK_TYPES,
    "existing_cluster_id",
    "new_cluster",
    "libraries",
    "max_retries",
    "min_retry_interval_millis",
    "retry_on_timeout",
)

_SETTINGS_FIELDS: dict[str, Kind] = {
    **{name: kind for name, kind in _TASK_FIELDS.items() if name in SINGLE_TASK_FIELDS},
    "tasks": ListOf(TASK),
    "timeout_seconds": INTEGER,
    "environments": ListOf(Object({"environment_key": STRING}, required=("environment_key",))),
    "git_source": Object(),
    "queue": Object({"enabled": BOOLEAN}),
}

SUBMIT = Object({**_SETTINGS_FIELDS, "run_name": STRING, "idempotency_token": STRING})

_PAUSABLE = Object({"pause_status": STRING})
CREATE = Object(
    {
        **_SETTINGS_FIELDS,
        "name": STRING,
        "job_clusters": ListOf(Object()),
        "max_concurrent_runs": INTEGER,
        "parameters": ListOf(Object({"name": STRING, "default": STRING}, required=("name", "default"))),
        "schedule": _PAUSABLE,
        "trigger": _PAUSABLE,
        "continuous": _PAUSABLE,
    }
)

# The parameters of `run-now` that came before job parameters.
TASK_PARAMETERS: dict[str, Kind] = {
    "notebook_params": MapOf(STRING),
    "python_params": ListOf(STRING),
    "jar_params": ListOf(STRING),
    "spark_submit_params": ListOf(STRING),
    "python_named_params": MapOf(STRING),
    "sql_params": MapOf(STRING),
    "dbt_commands": ListOf(STRING),
    "pipeline_params": Object(),
}

RUN_NOW = Object(
    {
        **TASK_PARAMETERS,
        "job_id": INTEGER,
        "idempotency_token": STRING,
        "job_parameters": MapOf(STRING),
        "only": ListOf(STRING),
        "queue": Object({"enabled": BOOLEAN}),
    }
)

RUN_ID = Object({"run_id": INTEGER}, required=("run_id",))
JOB_ID = Object({"job_id": INTEGER}, required=("job_id",))
LIST_JOBS = Object({"limit": INTEGER, "offset": INTEGER, "name": STRING, "expand_tasks": BOOLEAN, "page_token": STRING})

REPAIR = Object(
    {
        **TASK_PARAMETERS,
        "run_id": INTEGER,
        "latest_repair_id": INTEGER,
        "rerun_tasks": ListOf(STRING),
        "rerun_all_failed_tasks": BOOLEAN,
        "rerun_dependent_tasks": BOOLEAN,
        "job_parameters": MapOf(STRING),
    },
    required=("run_id",),
)
LIST_RUNS = Object(
    {
        "active_only": BOOLEAN,
        "completed_only": BOOLEAN,
        "job_id": INTEGER,
        "limit": INTEGER,
        "offset": INTEGER,
        "page_token": STRING,
        "run_type": STRING,
        "expand_tasks": BOOLEAN,
        "start_time_from": INTEGER,
        "start_time_to": INTEGER,
    }
)
GET_RUN = Object(
    {"run_id": INTEGER, "include_history": BOOLEAN, "include_resolved_values": BOOLEAN, "page_token": STRING},
    required=("run_id",),
)
CANCEL_ALL = Object({"job_id": INTEGER, "all_queued_runs": BOOLEAN})
EXPORT = Object({"run_id": INTEGER, "views_to_export": STRING}, required=("run_id",))


def with_tasks(body: dict[str, Any]) -> dict[str, Any]:
    """Returns a body that has `tasks`: one of the old form gets its only task as `main`."""
    moved = {name: body[name] for name in SINGLE_TASK_FIELDS if name in body}
    if "tasks" in body or not any(name in moved for name in TASK_TYPES):
        return body
    rest = {name: value for name, value in body.items() if name not in moved}
    return {**rest, "tasks": [{"task_key": "main", **moved}]}
