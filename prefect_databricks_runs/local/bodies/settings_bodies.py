"""The fields of a job's settings and of a submitted run, beside its tasks."""

from __future__ import annotations

from .schema import BOOLEAN, INT32, STRING, Choice, Kind, ListOf, MapOf, Object
from .task_bodies import (
    EMAIL_NOTIFICATIONS,
    HEALTH,
    NEW_CLUSTER,
    NOTIFICATION_SETTINGS,
    SINGLE_TASK_FIELDS,
    TASK,
    WEBHOOK_NOTIFICATIONS,
)

QUEUE = Object({"enabled": BOOLEAN})
PERFORMANCE_TARGET = Choice(("PERFORMANCE_OPTIMIZED", "STANDARD", "COST_OPTIMIZED"))
DURATION_TARGET = Choice(("NO_FLEXIBILITY", "4h", "12h", "24h", "72h"))

_STRINGS = ListOf(STRING)
_PAUSE_STATUS = Choice(("PAUSED", "UNPAUSED"))
_RETRY_MODE = Choice(("NEVER", "ON_FAILURE"))
_ACCESS_CONTROL = ListOf(
    Object(
        {
            "user_name": STRING,
            "group_name": STRING,
            "service_principal_name": STRING,
            "permission_level": Choice(("CAN_MANAGE", "IS_OWNER", "CAN_MANAGE_RUN", "CAN_VIEW")),
        }
    )
)
_GIT_SOURCE = Object(
    {
        "git_url": STRING,
        "git_provider": STRING,
        "git_branch": STRING,
        "git_tag": STRING,
        "git_commit": STRING,
        "sparse_checkout": Object({"patterns": _STRINGS}),
        "job_source": Object(
            {"job_config_path": STRING, "import_from_git_branch": STRING},
            required=("job_config_path", "import_from_git_branch"),
        ),
    },
    required=("git_url",),
)
_ENVIRONMENT = Object(
    {
        "environment_key": STRING,
        "spec": Object(
            {
                "client": STRING,
                "environment_version": STRING,
                "base_environment": STRING,
                "dependencies": _STRINGS,
                "java_dependencies": _STRINGS,
            }
        ),
    },
    required=("environment_key",),
)
_ENVIRONMENT_VARIABLES = Object(
    {
        "environment_variables_key": STRING,
        "spec": Object({"variables": MapOf(STRING), "files": _STRINGS}),
    },
    required=("environment_variables_key",),
)
_CRON = {"quartz_cron_expression": STRING, "timezone_id": STRING}
_WAITS = {"min_time_between_triggers_seconds": INT32, "wait_after_last_change_seconds": INT32}
_TRIGGERS: dict[str, Kind] = {
    "pause_status": _PAUSE_STATUS,
    "file_arrival": Object({"url": STRING, **_WAITS}, required=("url",)),
    "periodic": Object(
        {"interval": INT32, "unit": Choice(("MINUTES", "HOURS", "DAYS", "WEEKS"))}, required=("interval", "unit")
    ),
    "table_update": Object(
        {"table_names": _STRINGS, "condition": Choice(("ANY_UPDATED", "ALL_UPDATED")), **_WAITS},
        required=("table_names",),
    ),
    "model": Object({"aliases": _STRINGS, "securable_name": STRING, **_WAITS}),
}

# What a job and a submitted run have in common.
COMMON_FIELDS: dict[str, Kind] = {
    **{name: kind for name, kind in TASK.fields.items() if name in SINGLE_TASK_FIELDS},
    "tasks": ListOf(TASK),
    "job_clusters": ListOf(
        Object({"job_cluster_key": STRING, "new_cluster": NEW_CLUSTER}, required=("job_cluster_key",))
    ),
    "timeout_seconds": INT32,
    "environments": ListOf(_ENVIRONMENT),
    "environment_variables": ListOf(_ENVIRONMENT_VARIABLES),
    "git_source": _GIT_SOURCE,
    "queue": QUEUE,
    "run_as": Object({"user_name": STRING, "service_principal_name": STRING, "group_name": STRING}),
    "access_control_list": _ACCESS_CONTROL,
    "health": HEALTH,
    "email_notifications": EMAIL_NOTIFICATIONS,
    "webhook_notifications": WEBHOOK_NOTIFICATIONS,
    "notification_settings": NOTIFICATION_SETTINGS,
    "budget_policy_id": STRING,
    "usage_policy_id": STRING,
    "performance_target": PERFORMANCE_TARGET,
    "duration_target": DURATION_TARGET,
}

JOB_FIELDS: dict[str, Kind] = {
    **COMMON_FIELDS,
    "name": STRING,
    "description": STRING,
    "tags": MapOf(STRING),
    "max_concurrent_runs": INT32,
    "parameters": ListOf(Object({"name": STRING, "default": STRING}, required=("name", "default"))),
    "schedule": Object({**_CRON, "pause_status": _PAUSE_STATUS}, required=tuple(_CRON)),
    "trigger": Object(_TRIGGERS),
    "continuous": Object({"pause_status": _PAUSE_STATUS, "task_retry_mode": _RETRY_MODE}),
    "triggers": ListOf(
        Object(
            {
                **_TRIGGERS,
                "schedule": Object(_CRON, required=tuple(_CRON)),
                "continuous": Object({"task_retry_mode": _RETRY_MODE}),
            }
        )
    ),
    "deployment": Object({"kind": STRING, "metadata_file_path": STRING}, required=("kind",)),
    "edit_mode": Choice(("UI_LOCKED", "EDITABLE")),
    "format": Choice(("SINGLE_TASK", "MULTI_TASK")),
    "parent_path": STRING,
}

RUN_FIELDS: dict[str, Kind] = {**COMMON_FIELDS, "run_name": STRING, "idempotency_token": STRING}
RUN_PARAMETERS: dict[str, Kind] = {
    "job_parameters": MapOf(STRING),
    "performance_target": PERFORMANCE_TARGET,
    "duration_target": DURATION_TARGET,
}
