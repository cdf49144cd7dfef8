"""Every text that the local workspace answers, in one place.

`KNOWN` holds texts recorded from real workspaces or documented by Databricks. `INVENTED` holds those whose real wording
is not known: a client must not depend on them, and a better source may replace any of them.
"""

from __future__ import annotations

from typing import Final

KNOWN: Final = {
    # Errors of the API.
    "no_credential": "Credential was not sent or was of an unsupported type for this API. [ReqId: {request_id}]",
    "bad_token": "Invalid access token. [ReqId: {request_id}]",
    "bad_token_reason": "Invalid access token.",
    "unknown_path": "No API found for '{method} {path}'",
    "not_json": "Invalid JSON given in the body of the request - failed to parse given JSON",
    "wrong_type": "Could not parse request object: Expected {expected} for field {field}, found {found}",
    "missing_field": "Missing required field: {field}",
    "unknown_job": "Job {job_id} does not exist.",
    "unknown_run": "Run {run_id} does not exist.",
    "output_of_job_run": (
        "Retrieving the output of runs with multiple tasks is not supported. "
        "Please retrieve the output of each individual task run instead."
    ),
    "no_settings": "Run settings must be specified.",
    "no_compute": "One of job_cluster_key, new_cluster, or existing_cluster_id must be specified",
    "not_a_map_entry": (
        "Could not parse request object: Expected 'key' and 'value' to be set for JSON map field {field}, "
        "got '{found}' instead."
    ),
    "bad_python_file": (
        "Invalid Python file URI: {path}. Please visit Databricks user guide for supported URI schemes."
    ),
    "bad_git_provider": "git_source.git_provider must be one of: {providers}",
    "too_many_tasks_for_version": (
        "Resources with more than {limit} tasks can only be handled by API 2.2 and above. "
        "Your resource has {count} tasks"
    ),
    "offset_too_large": (
        "The supplied offset {offset} has exceeded the value of {limit} allowed for this parameter."
        "Please use the page_token parameter to paginate"
    ),
    # State messages of runs and tasks.
    "waiting_for_cluster": "Waiting for cluster",
    "in_run": "In run",
    "workload_failed": "Workload failed, see run output for details",
    "task_failed": "Task {task_key} failed with message: {message}.",
    "downstream_skipped": " This caused all downstream tasks to get skipped.",
    "upstream_failed": "An upstream task failed.",
    "queued": "Queued due to reaching maximum concurrent runs of {limit}.",
}

INVENTED: Final = {
    # Errors of the API.
    "bad_password": "Invalid username or password. [ReqId: {request_id}]",
    "not_an_object": "Invalid JSON given in the body of the request - expected a map",
    "not_served_path": "{method} {path} is not served by the local workspace: Databricks has it.",
    "not_served_field": "{field} = {value} is not served by the local workspace: Databricks has it.",
    "token_too_long": "The idempotency_token must not be longer than {limit} characters, it has {length}.",
    "token_of_deleted_run": "The run that was submitted with this idempotency_token has been deleted.",
    "no_tasks": "At least one task must be specified.",
    "job_without_tasks": "Job {job_id} has no tasks.",
    "no_task_type": "Task {task_key} must have exactly one task type, it has {found}.",
    "bad_task_key": "The task_key {task_key} is not valid: use 1 to 100 letters, digits, dashes and underscores.",
    "duplicate_task_key": "The task_key {task_key} is used more than once.",
    "unknown_dependency": "Task {task_key} depends on {dependency}, which is not a task of this job.",
    "dependency_cycle": "The dependencies of these tasks form a cycle: {task_keys}.",
    "unknown_environment": "Task {task_key} refers to environment_key {environment_key}, which is not defined.",
    "relative_path": "Only absolute paths are currently supported. Paths must begin with '/': {path}",
    "path_leaves_workspace": "The path {path} is not valid: it must not leave the workspace with '..'.",
    "negative": "The field {field} must not be negative.",
    "parameters_conflict": "The parameters {first} and {second} cannot be given together.",
    "parameters_too_long": "The JSON of {field} must not be longer than {limit} bytes.",
    "not_ascii": "The parameter {field} must contain only ASCII characters.",
    "bad_limit": "The limit must be between 1 and {limit}.",
    "bad_page_token": "The page_token is not valid.",
    "too_deep": "Could not parse request object: it is nested more than {limit} levels deep.",
    "bad_choice": "The field {field} must be one of {choices}, it is {found}.",
    "out_of_range": "The field {field} must be {limits}, it is {found}.",
    "too_long": "The field {field} must not be longer than {limit} {unit}.",
    "too_many": "The field {field} must not have more than {limit} entries, it has {count}.",
    "duplicate": "The field {field} has {value} more than once.",
    "not_one_of": "Of {names}, only one can be in {field}, which has {found}.",
    "bad_parameter_name": "The parameter name {parameter} is not valid: use letters, digits, '_', '-' and '.'.",
    "bad_job_cluster_key": (
        "The job_cluster_key {job_cluster_key} is not valid: use 1 to 100 letters, digits, dashes and underscores."
    ),
    "unknown_job_cluster": "Task {task_key} refers to job_cluster_key {job_cluster_key}, which is not defined.",
    "nested_for_each": "The for_each_task of task {task_key} cannot have another for_each_task inside.",
    "nested_depends_on": "Task {task_key} is inside a for_each_task and cannot depend on other tasks.",
    "outcome_of_no_condition": (
        "Task {task_key} depends on an outcome of {dependency}, which is not a condition task and has none."
    ),
    "not_dbt": "The field {field} must be a command that starts with dbt, it is {command}.",
    "not_one_deployment": "The field {field} must have exactly one entry, it has {count}.",
    "not_with_spark_submit": "Task {task_key} has a spark_submit_task, which cannot be used with {field}.",
    "unknown_only": "The task {task_key} in only is not a task of this job.",
    "nested_removal": "The field {field} cannot be removed: only top-level fields, tasks and job_clusters can.",
    "delete_active_run": "Run {run_id} is still active and cannot be deleted. Cancel it first.",
    "internal_error": "The local workspace failed: {error}",
    # State messages of runs and tasks.
    "canceled": "Run cancelled.",
    "timed_out": "Run timed out after {seconds} seconds.",
    "task_canceled": "Task {task_key} was cancelled.",
    "upstream_canceled": "An upstream task was cancelled.",
    "skipped_concurrent": "Skipped because the maximum of {limit} concurrent runs was reached.",
    "no_notebook": (
        'Unable to access the notebook "{path}". Either it does not exist, or the identity used to run this job '
        "lacks the required permissions"
    ),
    "no_python_file": 'Unable to access the file "{path}". Either it does not exist, or it cannot be read',
    "not_run_here": "Tasks of type {task_type} are not run by the local workspace: nothing was done",
    "unresolved_reference": "The reference {reference} cannot be resolved by the local workspace",
    "process_died": "The Python process ended without an outcome ({how})",
}


def text(name: str, **values: object) -> str:
    """Returns the text called `name` with `values` filled in."""
    template = KNOWN[name] if name in KNOWN else INVENTED[name]
    return template.format(**values)
