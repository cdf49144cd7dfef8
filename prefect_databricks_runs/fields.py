"""The named parameters of the calls that start a run: one for each top-level field of the endpoint.

None means "not given". Prefect makes a form and a validator of them, so they are plain types that both its lines read;
what may be an object with `as_dict()` or `model_dump()` is `Any`.
"""

from typing import Any

from typing_extensions import TypedDict


class SubmitRunFields(TypedDict, total=False):
    """The top-level fields of `POST /api/2.2/jobs/runs/submit`, and those of one task as in API 2.0."""

    run_name: str | None
    """Name of the run, at most 4,096 bytes. Databricks' own default is `Untitled`."""
    tasks: list[Any] | None
    """The tasks, 1 to 100 objects each with a `task_key` of its own and one task object. Instead of the fields of one
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
    """Cluster to make for the one task, an object. Excludes `existing_cluster_id`."""
    existing_cluster_id: str | None
    """Cluster that is there, for the one task. Excludes `new_cluster`."""
    libraries: list[Any] | None
    """Libraries to install on the cluster of the one task, a list of objects."""
    timeout_seconds: int | None
    """Seconds after which Databricks stops the run. Default 0, which is never."""
    idempotency_token: str | None
    """At most 64 characters: while a run with this token exists, no second one is started."""
    access_control_list: list[Any] | None
    """Who may see and manage the run, a list of objects with a principal and a `permission_level`."""
    git_source: Any
    """Repository that tasks take their files from, an object with `git_url`, `git_provider` and one of `git_branch`,
    `git_tag` and `git_commit`."""
    environments: list[Any] | None
    """Serverless environments that tasks name by `environment_key`, at most 10 objects."""
    environment_variables: list[Any] | None
    """Sets of environment variables that tasks name by `environment_variables_key`, at most 10 objects."""
    queue: Any
    """Whether the run waits when the workspace is full, an object with `enabled`."""
    run_as: Any
    """Whom the run acts as, an object with one of `user_name`, `service_principal_name` and `group_name`. Default: who
    submits it."""
    health: Any
    """Rules for the run's health, an object with `rules`."""
    email_notifications: Any
    """Mail addresses told of the run's start and end, an object of lists."""
    webhook_notifications: Any
    """Webhooks told of the run's start and end, an object of lists with at most 3 destinations each."""
    notification_settings: Any
    """For which runs no notification is sent, an object."""
    budget_policy_id: str | None
    """Budget policy that the run is charged to. Default: none."""
    usage_policy_id: str | None
    """Usage policy of the run. Default: the workspace's."""
    performance_target: Any
    """For serverless tasks: `PERFORMANCE_OPTIMIZED`, `STANDARD` or `COST_OPTIMIZED`."""
    duration_target: str | None
    """Time within which a `COST_OPTIMIZED` run should end: `NO_FLEXIBILITY`, `4h`, `12h`, `24h` or `72h`."""


class RunNowFields(TypedDict, total=False):
    """The top-level fields of `POST /api/2.2/jobs/run-now`."""

    job_id: int | None
    """Number of the job to run."""
    job_parameters: dict[str, Any] | None
    """Values for the job's own parameters, sent as text. Excludes the parameter fields for single kinds of tasks."""
    notebook_params: dict[str, Any] | None
    """Values for the widgets of notebook tasks, sent as text, at most 10,000 bytes as JSON; merged key by key into
    those of `json`. Excludes `jar_params`."""
    jar_params: list[Any] | None
    """Arguments for JAR tasks, sent as text, at most 10,000 bytes as JSON. Excludes `notebook_params`."""
    python_params: list[Any] | None
    """Arguments for Python file tasks, sent as text, ASCII only, at most 10,000 bytes as JSON."""
    spark_submit_params: list[Any] | None
    """Arguments for spark-submit tasks, sent as text, ASCII only, at most 10,000 bytes as JSON."""
    python_named_params: dict[str, Any] | None
    """Named arguments for Python wheel tasks, sent as text."""
    sql_params: dict[str, Any] | None
    """Values for the parameters of SQL tasks, sent as text. Alerts take none."""
    dbt_commands: list[Any] | None
    """Commands for dbt tasks, such as `dbt run`."""
    pipeline_params: Any
    """What pipeline tasks refresh, an object such as `{"full_refresh": true}`."""
    only: list[Any] | None
    """Keys of the tasks to run, all by default. `+key` adds what comes before the task, `key+` what comes after."""
    idempotency_token: str | None
    """At most 64 characters: while a run with this token exists, no second one is started."""
    queue: Any
    """Whether the run waits when the job or the workspace is full, an object with `enabled`."""
    performance_target: Any
    """For serverless tasks, over the job's own: `PERFORMANCE_OPTIMIZED`, `STANDARD` or `COST_OPTIMIZED`."""
    duration_target: str | None
    """Time within which a `COST_OPTIMIZED` run should end: `NO_FLEXIBILITY`, `4h`, `12h`, `24h` or `72h`."""
