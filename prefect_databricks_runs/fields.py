"""The named parameters of the calls that start a run: one for each top-level field of the endpoint.

None means "not set". Prefect builds a form and a validator from the types, so they are plain types that work on both
Prefect 2 and 3; a field that may be an object with `as_dict()` or `model_dump()` is `Any`.
"""

from typing import Any

from typing_extensions import TypedDict


class SubmitRunFields(TypedDict, total=False):
    """The top-level fields of `POST /api/2.2/jobs/runs/submit`, and the fields of a single task as in API 2.0."""

    run_name: str | None
    """Name of the run, at most 4,096 bytes. Databricks' default is `Untitled`."""
    tasks: list[Any] | None
    """The tasks: 1 to 1,000 objects, each with its own `task_key` and one task object. Excludes the fields of a single
    task."""
    notebook_task: Any
    """One task: the notebook to run, an object with `notebook_path`."""
    spark_jar_task: Any
    """One task: the JAR to run, an object with `main_class_name`."""
    spark_python_task: Any
    """One task: the Python file to run, an object with `python_file`."""
    spark_submit_task: Any
    """One task: the arguments of spark-submit, an object with `parameters`."""
    pipeline_task: Any
    """One task: the pipeline to update, an object with `pipeline_id`."""
    python_wheel_task: Any
    """One task: the wheel to run, an object with `package_name` and `entry_point`."""
    sql_task: Any
    """One task: the query, file, dashboard or alert to run, an object with `warehouse_id`."""
    dbt_task: Any
    """One task: the dbt commands to run, an object with `commands`."""
    new_cluster: Any
    """One task: the cluster to create for it, an object. Excludes `existing_cluster_id`."""
    existing_cluster_id: str | None
    """One task: the id of an existing cluster. Excludes `new_cluster`."""
    libraries: list[Any] | None
    """One task: libraries to install on its cluster, a list of objects."""
    timeout_seconds: int | None
    """Seconds after which Databricks stops the run. Default: 0, which means never."""
    idempotency_token: str | None
    """Idempotency token, at most 64 characters. While a run with this token exists, no second run is started. Default:
    derived from the flow run and the request."""
    access_control_list: list[Any] | None
    """Permissions on the run, a list of objects with a principal and a `permission_level`."""
    git_source: Any
    """Git repository with the files of the tasks, an object with `git_url`, `git_provider` and one of `git_branch`,
    `git_tag` and `git_commit`."""
    environments: list[Any] | None
    """Serverless environments that tasks name by `environment_key`, at most 10 objects."""
    environment_variables: list[Any] | None
    """Sets of environment variables that tasks name by `environment_variables_key`, at most 10 objects."""
    queue: Any
    """Whether the run is queued when the workspace is full, an object with `enabled`."""
    run_as: Any
    """Identity under which the run executes, an object with one of `user_name`, `service_principal_name` and
    `group_name`. Default: the user who submits the run."""
    health: Any
    """Rules for the run's health, an object with `rules`."""
    email_notifications: Any
    """Email addresses to notify when the run starts or ends, an object of lists."""
    webhook_notifications: Any
    """Webhooks to call when the run starts or ends, an object of lists with at most 3 destinations each."""
    notification_settings: Any
    """Kinds of runs for which no notification is sent, an object."""
    budget_policy_id: str | None
    """Id of the budget policy that the run is charged to. Default: none."""
    usage_policy_id: str | None
    """Id of the usage policy of the run. Default: the usage policy of the workspace."""
    performance_target: Any
    """For serverless tasks, as JSON in a form: `"PERFORMANCE_OPTIMIZED"`, `"STANDARD"` or `"COST_OPTIMIZED"`."""
    duration_target: str | None
    """Time within which a `COST_OPTIMIZED` run should end: `NO_FLEXIBILITY`, `4h`, `12h`, `24h` or `72h`."""


class RunNowFields(TypedDict, total=False):
    """The top-level fields of `POST /api/2.2/jobs/run-now`."""

    job_id: int | None
    """Id of the job to run, instead of `job_name`."""
    job_parameters: dict[str, Any] | None
    """Values for the parameters of the job, sent as strings. Excludes the parameters for one kind of task below."""
    notebook_params: dict[str, Any] | None
    """Values for the widgets of notebook tasks, sent as strings, at most 10,000 bytes as JSON; merged key by key into
    the `notebook_params` of `json`. Excludes `jar_params`."""
    jar_params: list[Any] | None
    """Arguments for JAR tasks, sent as strings, at most 10,000 bytes as JSON. Excludes `notebook_params`."""
    python_params: list[Any] | None
    """Arguments for Python file tasks, sent as strings, ASCII only, at most 10,000 bytes as JSON."""
    spark_submit_params: list[Any] | None
    """Arguments for spark-submit tasks, sent as strings, ASCII only, at most 10,000 bytes as JSON."""
    python_named_params: dict[str, Any] | None
    """Named arguments for Python wheel tasks, sent as strings."""
    sql_params: dict[str, Any] | None
    """Values for the parameters of SQL tasks, sent as strings. Alerts have no parameters."""
    dbt_commands: list[Any] | None
    """Commands for dbt tasks, such as `dbt run`."""
    pipeline_params: Any
    """Parameters of pipeline tasks, an object such as `{"full_refresh": true}`."""
    only: list[Any] | None
    """Keys of the tasks to run. Default: all. `+key` adds the upstream tasks, `key+` the downstream tasks."""
    idempotency_token: str | None
    """Idempotency token, at most 64 characters. While a run with this token exists, no second run is started. Default:
    derived from the flow run and the request."""
    queue: Any
    """Whether the run is queued when the job or the workspace is full, an object with `enabled`."""
    performance_target: Any
    """For serverless tasks, instead of the job's target, as JSON in a form: `"PERFORMANCE_OPTIMIZED"`, `"STANDARD"` or
    `"COST_OPTIMIZED"`."""
    duration_target: str | None
    """Time within which a `COST_OPTIMIZED` run should end: `NO_FLEXIBILITY`, `4h`, `12h`, `24h` or `72h`."""
