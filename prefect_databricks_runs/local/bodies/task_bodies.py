"""The fields of a task, of each type of task, and of notifications."""

from __future__ import annotations

from .schema import BOOLEAN, INT32, INTEGER, STRING, Choice, Kind, ListOf, MapOf, Object

# Who is notified of a run: the same for jobs, submitted runs and tasks.
EVENTS = (
    "on_start",
    "on_success",
    "on_failure",
    "on_duration_warning_threshold_exceeded",
    "on_streaming_backlog_exceeded",
    "on_maintenance_start",
    "on_maintenance_complete",
)

EMAIL_NOTIFICATIONS = Object(
    {"no_alert_for_skipped_runs": BOOLEAN, **dict.fromkeys(EVENTS, ListOf(STRING))},
)
WEBHOOK_NOTIFICATIONS = Object(dict.fromkeys(EVENTS, ListOf(Object({"id": STRING}, required=("id",)))))
NOTIFICATION_SETTINGS = Object({"no_alert_for_skipped_runs": BOOLEAN, "no_alert_for_canceled_runs": BOOLEAN})
TASK_NOTIFICATION_SETTINGS = Object({**NOTIFICATION_SETTINGS.fields, "alert_on_last_attempt": BOOLEAN})

_METRIC = Choice(
    (
        "RUN_DURATION_SECONDS",
        "STREAMING_BACKLOG_BYTES",
        "STREAMING_BACKLOG_RECORDS",
        "STREAMING_BACKLOG_SECONDS",
        "STREAMING_BACKLOG_FILES",
    )
)
HEALTH = Object(
    {
        "rules": ListOf(
            Object(
                {"metric": _METRIC, "op": Choice(("GREATER_THAN",)), "value": INTEGER},
                required=("metric", "op", "value"),
            )
        )
    }
)

RUN_IF = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
CONDITIONS = (
    "EQUAL_TO",
    "NOT_EQUAL",
    "GREATER_THAN",
    "GREATER_THAN_OR_EQUAL",
    "LESS_THAN",
    "LESS_THAN_OR_EQUAL",
)

_STRINGS = ListOf(STRING)
_SOURCE = Choice(("WORKSPACE", "GIT"))
_SUBSCRIBERS = ListOf(Object({"user_name": STRING, "destination_id": STRING}))
_SUBSCRIPTION: dict[str, Kind] = {"subscriptions": _SUBSCRIBERS, "pause_subscriptions": BOOLEAN}
_STORAGE_MODE = Choice(("DIRECT_QUERY", "IMPORT", "DUAL"))

PIPELINE_PARAMETERS = Object(
    {
        "full_refresh": BOOLEAN,
        "full_refresh_selection": _STRINGS,
        "refresh_selection": _STRINGS,
        "refresh_flow_selection": _STRINGS,
        "reset_checkpoint_selection": _STRINGS,
    }
)

# The parameters of `run-now` that came before job parameters.
TASK_PARAMETERS: dict[str, Kind] = {
    "notebook_params": MapOf(STRING),
    "python_params": _STRINGS,
    "jar_params": _STRINGS,
    "spark_submit_params": _STRINGS,
    "python_named_params": MapOf(STRING),
    "sql_params": MapOf(STRING),
    "dbt_commands": _STRINGS,
    "pipeline_params": PIPELINE_PARAMETERS,
}

_SQL_TASK = Object(
    {
        "warehouse_id": STRING,
        "parameters": MapOf(STRING),
        "query": Object({"query_id": STRING}, required=("query_id",)),
        "file": Object({"path": STRING, "source": _SOURCE}, required=("path",)),
        "dashboard": Object(
            {"dashboard_id": STRING, "custom_subject": STRING, **_SUBSCRIPTION}, required=("dashboard_id",)
        ),
        "alert": Object({"alert_id": STRING, **_SUBSCRIPTION}, required=("alert_id",)),
    },
    required=("warehouse_id",),
)
_POWER_BI_TASK = Object(
    {
        "connection_resource_name": STRING,
        "power_bi_model": Object(
            {
                "authentication_method": Choice(("OAUTH", "PAT")),
                "model_name": STRING,
                "overwrite_existing": BOOLEAN,
                "storage_mode": _STORAGE_MODE,
                "workspace_name": STRING,
            }
        ),
        "tables": ListOf(Object({"catalog": STRING, "name": STRING, "schema": STRING, "storage_mode": _STORAGE_MODE})),
        "warehouse_id": STRING,
        "refresh_after_update": BOOLEAN,
    }
)
_GEN_AI_COMPUTE_TASK = Object(
    {
        "dl_runtime_image": STRING,
        "command": STRING,
        "compute": Object({"num_gpus": INT32, "gpu_node_pool_id": STRING, "gpu_type": STRING}, required=("num_gpus",)),
        "mlflow_experiment_name": STRING,
        "source": _SOURCE,
        "training_script_path": STRING,
        "yaml_parameters": STRING,
        "yaml_parameters_file_path": STRING,
    },
    required=("dl_runtime_image",),
)
_AI_RUNTIME_TASK = Object(
    {
        "experiment": STRING,
        "deployments": ListOf(
            Object(
                {
                    "compute": Object(
                        {"accelerator_type": STRING, "accelerator_count": INT32},
                        required=("accelerator_type", "accelerator_count"),
                    ),
                    "command_path": STRING,
                    "name": STRING,
                },
                required=("compute",),
            )
        ),
        "code_source_path": STRING,
    },
    required=("experiment", "deployments"),
)
_TASK_TYPE_FIELDS: dict[str, Kind] = {
    "notebook_task": Object(
        {"notebook_path": STRING, "base_parameters": MapOf(STRING), "source": _SOURCE, "warehouse_id": STRING},
        required=("notebook_path",),
    ),
    "spark_python_task": Object(
        {"python_file": STRING, "parameters": _STRINGS, "source": _SOURCE}, required=("python_file",)
    ),
    "spark_jar_task": Object(
        {"main_class_name": STRING, "parameters": _STRINGS, "jar_uri": STRING, "run_as_repl": BOOLEAN}
    ),
    "spark_submit_task": Object({"parameters": _STRINGS}),
    "python_wheel_task": Object(
        {
            "package_name": STRING,
            "entry_point": STRING,
            "parameters": _STRINGS,
            "named_parameters": MapOf(STRING),
        },
        required=("package_name", "entry_point"),
    ),
    "pipeline_task": Object(
        {"pipeline_id": STRING, "parameters": MapOf(STRING), **PIPELINE_PARAMETERS.fields}, required=("pipeline_id",)
    ),
    "sql_task": _SQL_TASK,
    "dbt_task": Object(
        {
            "commands": _STRINGS,
            "project_directory": STRING,
            "profiles_directory": STRING,
            "warehouse_id": STRING,
            "catalog": STRING,
            "schema": STRING,
            "source": _SOURCE,
        },
        required=("commands",),
    ),
    "run_job_task": Object(
        {"job_id": INTEGER, "job_parameters": MapOf(STRING), **TASK_PARAMETERS}, required=("job_id",)
    ),
    "condition_task": Object(
        {"op": Choice(CONDITIONS), "left": STRING, "right": STRING}, required=("op", "left", "right")
    ),
    # What is inside `task` is filled in below: it is a task too.
    "for_each_task": Object(),
    "clean_rooms_notebook_task": Object(
        {
            "clean_room_name": STRING,
            "notebook_name": STRING,
            "etag": STRING,
            "notebook_base_parameters": MapOf(STRING),
        },
        required=("clean_room_name", "notebook_name"),
    ),
    "dashboard_task": Object(
        {
            "dashboard_id": STRING,
            "warehouse_id": STRING,
            "filters": MapOf(STRING),
            "subscription": Object({"custom_subject": STRING, "paused": BOOLEAN, "subscribers": _SUBSCRIBERS}),
        }
    ),
    "power_bi_task": _POWER_BI_TASK,
    "gen_ai_compute_task": _GEN_AI_COMPUTE_TASK,
    "ai_runtime_task": _AI_RUNTIME_TASK,
    "ai_function_task": Object({}, required=("output",)),
    "alert_task": Object(
        {
            "alert_id": STRING,
            "workspace_path": STRING,
            "warehouse_id": STRING,
            "subscribers": _SUBSCRIBERS,
            "parameters": MapOf(STRING),
        }
    ),
    "dbt_platform_task": Object({"connection_resource_name": STRING, "dbt_platform_job_id": STRING}),
    "dbt_cloud_task": Object({"connection_resource_name": STRING, "dbt_cloud_job_id": INTEGER}),
    "python_operator_task": Object({"main": STRING, "parameters": ListOf(Object({"name": STRING, "value": STRING}))}),
}
# The name of a task type's field: exactly one of them is in a task.
TASK_TYPES = tuple(_TASK_TYPE_FIELDS)

NEW_CLUSTER = Object(
    {
        "num_workers": INT32,
        "autoscale": Object({"min_workers": INT32, "max_workers": INT32}),
        "spark_version": STRING,
        "node_type_id": STRING,
        "driver_node_type_id": STRING,
        "policy_id": STRING,
        "spark_conf": MapOf(STRING),
        "spark_env_vars": MapOf(STRING),
        "custom_tags": MapOf(STRING),
        "apply_policy_default_values": BOOLEAN,
    }
)
_PACKAGE = Object({"package": STRING, "repo": STRING}, required=("package",))
LIBRARY = Object(
    {
        "jar": STRING,
        "egg": STRING,
        "whl": STRING,
        "requirements": STRING,
        "pypi": _PACKAGE,
        "cran": _PACKAGE,
        "maven": Object({"coordinates": STRING, "repo": STRING, "exclusions": _STRINGS}, required=("coordinates",)),
    }
)

_TASK_FIELDS: dict[str, Kind] = {
    **_TASK_TYPE_FIELDS,
    "task_key": STRING,
    "description": STRING,
    "depends_on": ListOf(Object({"task_key": STRING, "outcome": Choice(("true", "false"))}, required=("task_key",))),
    "run_if": Choice(RUN_IF),
    "existing_cluster_id": STRING,
    "new_cluster": NEW_CLUSTER,
    "job_cluster_key": STRING,
    "environment_key": STRING,
    "environment_variables_key": STRING,
    "compute": Object({"hardware_accelerator": STRING}),
    "libraries": ListOf(LIBRARY),
    "timeout_seconds": INT32,
    "max_retries": INT32,
    "min_retry_interval_millis": INT32,
    "retry_on_timeout": BOOLEAN,
    "disable_auto_optimization": BOOLEAN,
    "disabled": BOOLEAN,
    "email_notifications": EMAIL_NOTIFICATIONS,
    "webhook_notifications": WEBHOOK_NOTIFICATIONS,
    "notification_settings": TASK_NOTIFICATION_SETTINGS,
    "health": HEALTH,
}
_FOR_EACH_TASK = Object(
    {
        "inputs": STRING,
        # Its own `for_each_task` is of no kind, so that this ends: the rules refuse it.
        "task": Object(_TASK_FIELDS, required=("task_key",)),
        "concurrency": INT32,
    },
    required=("inputs", "task"),
)
TASK = Object({**_TASK_FIELDS, "for_each_task": _FOR_EACH_TASK}, required=("task_key",))

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
