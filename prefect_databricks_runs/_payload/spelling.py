"""Keys of a request that are probably misspelt: unknown, and close to one that is known at their place.

Databricks passes over what it does not know, and so a misspelt key changes how a run goes without a word. But new
fields must pass, and so it is no fault; and what users name themselves (parameters, tags, variables) is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeAlias

_CLOSE = 0.8

# The known keys of an object, or of each object in a list; None where what is below is not looked at.
Keys: TypeAlias = "dict[str, Keys | None]"


class Misspelt(NamedTuple):
    """A key that is probably misspelt.

    Attributes:
        place: Where it stands, such as `tasks[0]`; empty for the request itself.
        key: The key.
        meant: The key that was probably meant.
    """

    place: str
    key: str
    meant: str

    def as_fault(self) -> str:
        """As it is said beside the faults of a request."""
        return f"{self.place or 'json'}: unknown key `{self.key}`; did you mean `{self.meant}`?"


def misspelt_keys(payload: Mapping[str, Any], endpoint: str) -> list[Misspelt]:
    """Find the keys of a request body that are probably misspelt.

    Args:
        payload: The body, in plain JSON values.
        endpoint: `runs/submit` or `run-now`.
    """
    return list(_misspelt(payload, KNOWN_KEYS[endpoint], ""))


def _misspelt(value: Any, known: Keys, place: str) -> Iterator[Misspelt]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _misspelt(item, known, f"{place}[{index}]")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            below = known.get(key)
            if below:
                yield from _misspelt(item, below, f"{place}.{key}" if place else key)
            elif key not in known:
                yield from (Misspelt(place, key, each) for each in get_close_matches(key, known, n=1, cutoff=_CLOSE))


def _keys(names: str, **objects: Keys | None) -> Keys:
    return {**dict.fromkeys(names.split()), **objects}


_EVENTS = (
    "on_start on_success on_failure on_duration_warning_threshold_exceeded on_streaming_backlog_exceeded "
    "on_maintenance_start on_maintenance_complete"
)
_PRINCIPAL = "user_name group_name service_principal_name"
_SUBSCRIBERS = _keys("user_name destination_id")
_PIPELINE = "full_refresh full_refresh_selection refresh_selection refresh_flow_selection reset_checkpoint_selection"

_NEW_CLUSTER = _keys(
    "num_workers spark_version node_type_id driver_node_type_id policy_id spark_conf spark_env_vars custom_tags "
    "apply_policy_default_values autotermination_minutes cluster_name data_security_mode dependency_mode docker_image "
    "driver_instance_pool_id driver_node_type_flexibility enable_elastic_disk enable_local_disk_encryption "
    "instance_pool_id is_single_node kind aws_attributes azure_attributes gcp_attributes cluster_log_conf init_scripts "
    "remote_disk_throughput runtime_engine single_user_name ssh_public_keys total_initial_remote_disk_size "
    "use_ml_runtime worker_node_type_flexibility workload_type",
    autoscale=_keys("min_workers max_workers"),
)
_LIBRARY = _keys(
    "jar egg whl requirements",
    pypi=_keys("package repo"),
    cran=_keys("package repo"),
    maven=_keys("coordinates repo exclusions"),
)
# What a run and each of its tasks have.
_BOTH = _keys(
    "timeout_seconds",
    email_notifications=_keys(f"no_alert_for_skipped_runs {_EVENTS}"),
    webhook_notifications=_keys("", **dict.fromkeys(_EVENTS.split(), _keys("id"))),
    health=_keys("", rules=_keys("metric op value")),
)
_PARAMETERS = _keys(
    "notebook_params python_params jar_params spark_submit_params python_named_params sql_params dbt_commands "
    "job_parameters",
    pipeline_params=_keys(_PIPELINE),
)
_TASK_OBJECTS: Keys = {
    "notebook_task": _keys("notebook_path base_parameters source warehouse_id"),
    "spark_python_task": _keys("python_file parameters source"),
    "spark_jar_task": _keys("main_class_name parameters jar_uri run_as_repl"),
    "spark_submit_task": _keys("parameters"),
    "python_wheel_task": _keys("package_name entry_point parameters named_parameters"),
    "pipeline_task": _keys(f"pipeline_id parameters {_PIPELINE}"),
    "sql_task": _keys(
        "warehouse_id parameters",
        query=_keys("query_id"),
        file=_keys("path source"),
        dashboard=_keys("dashboard_id custom_subject pause_subscriptions", subscriptions=_SUBSCRIBERS),
        alert=_keys("alert_id pause_subscriptions", subscriptions=_SUBSCRIBERS),
    ),
    "dbt_task": _keys("commands project_directory profiles_directory warehouse_id catalog schema source"),
    "run_job_task": {**_keys("job_id"), **_PARAMETERS},
    "condition_task": _keys("op left right"),
    "clean_rooms_notebook_task": _keys("clean_room_name notebook_name etag notebook_base_parameters"),
    "dashboard_task": _keys(
        "dashboard_id warehouse_id filters",
        subscription=_keys("custom_subject paused attachment", subscribers=_SUBSCRIBERS),
    ),
    "power_bi_task": _keys(
        "connection_resource_name warehouse_id refresh_after_update",
        power_bi_model=_keys("authentication_method model_name overwrite_existing storage_mode workspace_name"),
        tables=_keys("catalog name schema storage_mode"),
    ),
    "gen_ai_compute_task": _keys(
        "dl_runtime_image command mlflow_experiment_name source training_script_path yaml_parameters "
        "yaml_parameters_file_path",
        compute=_keys("num_gpus gpu_node_pool_id gpu_type"),
    ),
    "ai_runtime_task": _keys(
        "experiment code_source_path docker_image_url mlflow_artifact_location mlflow_experiment_directory mlflow_run "
        "priority_class unity_catalog_image_path",
        deployments=_keys(
            "command_path name", compute=_keys("accelerator_type accelerator_count provisioned_capacity_id")
        ),
    ),
    "ai_function_task": _keys("output ai_classify ai_extract ai_parse_document delta_table volume"),
    "alert_task": _keys("alert_id workspace_path warehouse_id parameters", subscribers=_SUBSCRIBERS),
    "dbt_platform_task": _keys("connection_resource_name dbt_platform_job_id"),
    "dbt_cloud_task": _keys("connection_resource_name dbt_cloud_job_id"),
    "python_operator_task": _keys("main", parameters=_keys("name value")),
}
_TASK: Keys = {
    **_BOTH,
    **_TASK_OBJECTS,
    **_keys(
        "task_key description run_if existing_cluster_id job_cluster_key environment_key environment_variables_key "
        "max_retries min_retry_interval_millis retry_on_timeout disable_auto_optimization disabled",
        depends_on=_keys("task_key outcome"),
        new_cluster=_NEW_CLUSTER,
        compute=_keys("hardware_accelerator"),
        libraries=_LIBRARY,
        notification_settings=_keys("no_alert_for_skipped_runs no_alert_for_canceled_runs alert_on_last_attempt"),
    ),
}
_TASK["for_each_task"] = _keys("inputs concurrency", task=_TASK)

KNOWN_KEYS: dict[str, Keys] = {
    "runs/submit": {
        **_TASK,  # a request with one task may have that task's keys at its top level
        **_BOTH,
        **_keys(
            "run_name idempotency_token budget_policy_id usage_policy_id performance_target duration_target",
            tasks=_TASK,
            job_clusters=_keys("job_cluster_key", new_cluster=_NEW_CLUSTER),
            environments=_keys(
                "environment_key",
                spec=_keys(
                    "client environment_version base_environment dependencies java_dependencies project_environment"
                ),
            ),
            environment_variables=_keys("environment_variables_key", spec=_keys("variables files")),
            git_source=_keys(
                "git_url git_provider git_branch git_tag git_commit",
                git_snapshot=_keys("used_commit"),
                sparse_checkout=_keys("patterns"),
                job_source=_keys("job_config_path import_from_git_branch dirty_state"),
            ),
            queue=_keys("enabled"),
            run_as=_keys(_PRINCIPAL),
            access_control_list=_keys(f"permission_level {_PRINCIPAL}"),
            notification_settings=_keys("no_alert_for_skipped_runs no_alert_for_canceled_runs"),
        ),
    },
    "run-now": {
        **_PARAMETERS,
        **_keys("job_id idempotency_token only performance_target duration_target", queue=_keys("enabled")),
    },
}
"""The known keys of the bodies of the endpoints that start a run."""
