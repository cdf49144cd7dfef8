"""Every message that the local workspace answers, in one place.

`KNOWN` holds messages recorded from real workspaces or documented by Databricks. `INVENTED` holds messages whose real
wording is not known: a client must not depend on them, and a better source may replace any of them.
"""

from __future__ import annotations

from typing import Final

KNOWN: Final = {
    # Errors of the API.
    "no_credential": "Credential was not sent or was of an unsupported type for this API. [ReqId: {request_id}]",
    "bad_token": "Invalid access token. [ReqId: {request_id}]",
    "bad_token_reason": "Invalid access token.",
    "expiring_token": "Token is expiring within 30 seconds. (token expired)",
    "bad_token_page": (
        '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        "<title>Error 403 {reason}</title>\n</head>\n<body><h2>HTTP ERROR 403</h2>\n"
        "<p>Problem accessing {path}. Reason:\n<pre>    {reason}</pre></p>\n</body>\n</html>\n"
    ),
    "not_authorized": "User not authorized.",
    "invalid_client": "Client authentication failed",
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
    "shared_job_cluster": "Shared job cluster feature is not supported in runs/submit API.",
    "no_cluster_size": "Cluster validation error: Missing required field: settings.cluster_spec.new_cluster.size",
    "no_workers": (
        "NumWorkers could be 0 only for SingleNode clusters. "
        "See https://docs.databricks.com/clusters/single-node.html for more details"
    ),
    # Databricks adds a link to the documentation.
    "no_environment": (
        "An environment is required for serverless task {task_key}. "
        "Please define one using `environments` and `environment_key`."
    ),
    "unknown_environment": (
        "Job environment '{environment_key}' used by task {task_key} is not defined in field 'environments'."
    ),
    "unknown_job_cluster": "Job cluster '{job_cluster_key}' is not defined in field 'job_clusters'.",
    "bad_task_key": (
        "Task key '{task_key}' contains an invalid character. Only alphanumeric, - and _ characters are permitted."
    ),
    "too_many_active_runs": "There are already {count} active runs (limit: {limit}).",
    "not_one_owner": "The job must have exactly one owner.",
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
    "latest_repair_needed": "The latest repair ID needs to be provided in order to create a new repair",
    "queued": "Queued due to reaching maximum concurrent runs of {limit}.",
}

INVENTED: Final = {
    # Errors of the API.
    "bad_password": "Invalid username or password. [ReqId: {request_id}]",
    "body_too_long": "The body of the request is too long: it must not have more than {limit} bytes.",
    "fault": "The local workspace answers with status {status}, because a fault is set.",
    "proxy_page": (
        "<!doctype html><html><head><title>{status} {phrase}</title></head>"
        "<body><h1>{status} {phrase}</h1></body></html>"
    ),
    "no_grant_type": "The form has no grant_type.",
    "unsupported_grant_type": "The local workspace serves only the grant types client_credentials and token-exchange.",
    "no_subject_token": "The form has no subject_token.",
    "bad_subject_token_type": "The subject_token_type must be urn:ietf:params:oauth:token-type:jwt.",
    "subject_token_not_signed": "The subject_token was not signed by an issuer that the local workspace knows.",
    "subject_token_ended": "The subject_token has expired or is not valid yet.",
    "no_federation_policy": "No federation policy accepts issuer, audience and subject of the subject_token.",
    "no_federated_user": "The subject of the subject_token is not a user of the workspace.",
    "invalid_scope": "The scope must be all-apis.",
    "bad_form": "The body must be a form in which no field is repeated.",
    "not_an_object": "Invalid JSON given in the body of the request - expected a map",
    "not_served_path": "{method} {path} is not served by the local workspace: Databricks has it.",
    "not_served_field": "{field} = {value} is not served by the local workspace: Databricks has it.",
    "token_too_long": "The idempotency_token must not be longer than {limit} characters, it has {length}.",
    "token_of_deleted_run": "The run that was submitted with this idempotency_token has been deleted.",
    "no_tasks": "At least one task must be specified.",
    "job_without_tasks": "Job {job_id} has no tasks.",
    "no_task_type": "Task {task_key} must have exactly one task type, it has {found}.",
    "bad_task_key_length": "The task_key {task_key} has {length} characters: use 1 to {limit}.",
    "duplicate_task_key": "The task_key {task_key} is used more than once.",
    "unknown_dependency": "Task {task_key} depends on {dependency}, which is not a task of this job.",
    "dependency_cycle": "The dependencies of these tasks form a cycle: {task_keys}.",
    "relative_path": "Only absolute paths are currently supported. Paths must begin with '/': {path}",
    "path_leaves_workspace": "The path {path} is not valid: it must not leave the workspace with '..'.",
    "negative": "The field {field} must not be negative.",
    "parameters_conflict": "The parameters {first} and {second} cannot be used together.",
    "parameters_too_long": "The JSON of {field} must not be longer than {limit} bytes.",
    "not_ascii": "The parameter {field} must contain only ASCII characters.",
    "bad_limit": "The limit must be between 1 and {limit}.",
    "bad_page_token": "The page_token is not valid.",
    "too_deep": "Could not parse request object: it is nested more than {limit} levels deep.",
    "bad_cron": "The field {field} must have 6 or 7 parts, beginning with the seconds, it is {cron}.",
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
    "nested_for_each": "The for_each_task of task {task_key} cannot have another for_each_task inside.",
    "nested_depends_on": "Task {task_key} is inside a for_each_task and cannot depend on other tasks.",
    "outcome_of_no_condition": (
        "Task {task_key} depends on an outcome of {dependency}, which is not a condition task and has none."
    ),
    "not_dbt": "The field {field} must be a command that starts with dbt, it is {command}.",
    "not_one_deployment": "The field {field} must have exactly one entry, it has {count}.",
    "not_with_spark_submit": "Task {task_key} has a spark_submit_task, which cannot be used with {field}.",
    "group_as_owner": "The group {group} cannot be the owner of a job.",
    "unknown_only": "The task {task_key} in only is not a task of this job.",
    "nested_removal": "The field {field} cannot be removed: only top-level fields, tasks and job_clusters can.",
    "delete_active_run": "Run {run_id} is still active and cannot be deleted. Cancel it first.",
    "internal_error": "The local workspace failed: {error}",
    "repair_active_run": "Run {run_id} is still active and cannot be repaired.",
    "repair_successful_run": "Run {run_id} was successful: there is nothing to repair.",
    "delete_by_task_run": "Run {run_id} is a task run; only a job run can be deleted.",
    "repair_by_task_run": "Run {run_id} is a task run; a repair takes the job run.",
    "repair_without_tasks": "Either rerun_tasks or rerun_all_failed_tasks is required.",
    "repair_with_both": "rerun_tasks and rerun_all_failed_tasks cannot be used together.",
    "repair_unknown_task": "The task {task_key} of rerun_tasks is not a task of this run.",
    "export_needs_notebook": "Run {run_id} is not the run of a notebook task: only a notebook can be exported.",
    "export_without_notebook": "Run {run_id} has no notebook to export: it ended before it read one.",
    "both_active_and_completed": "active_only and completed_only cannot both be true.",
    "bad_course": "The local_course of task {task_key} is not valid: {error}",
    "bad_path": "The path {path} is not valid: no file can have this name.",
    "link_leaves_workspace": "The path {path} is not valid: a link leads out of the workspace.",
    "no_path": "Path ({path}) doesn't exist.",
    "no_parent": "The parent folder ({path}) does not exist.",
    "path_taken": "Path ({path}) already exists.",
    "folder_not_empty": "Folder ({path}) is not empty.",
    "file_refused": "The path {path} cannot be used: {reason}.",
    "delete_root": "The root folder cannot be deleted.",
    "import_to_root": "The root folder cannot be imported to: use the path of a notebook or a file.",
    "import_format": "The format {format} is not served by the local workspace, only SOURCE, JUPYTER, AUTO and RAW.",
    "import_language": "The language {language} is not served by the local workspace, only PYTHON.",
    "export_format": "{kind} {path} cannot be exported as {format}: the local workspace does not convert files.",
    "not_base64": "The content must be in base64.",
    "not_jupyter": "The content is not a Jupyter notebook (format 4).",
    "content_too_long": "The content must not be longer than {limit} bytes.",
    "bad_multipart": "The body must be a multipart/form-data form in which no field is repeated.",
    # State messages of runs and tasks.
    "waiting_for_retry": "Waiting for retry",
    "queued_task": "Queued due to reaching the maximum of active task runs.",
    "excluded": "The conditions of the task were not met.",
    "disabled": "The task is disabled.",
    "success_with_failures": "{count} of the tasks failed.",
    "not_numbers": "The condition {op} compares numbers, not {left!r} and {right!r}",
    "inputs_not_a_list": "The inputs of a for each task must be a JSON array, they are {inputs}",
    "too_many_iterations": "A for each task has at most {limit} iterations, the inputs have {count}",
    "iterations_failed": "{failed} of {total} iterations failed",
    "child_run_failed": "The run {run_id} of the job failed: {message}",
    "child_run_canceled": "The run {run_id} of the job was cancelled.",
    "job_runs_itself": "Job {job_id} is already running in this chain of runs, so it would never end",
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
    "file_in_git": "The file {path} is in a Git repository, which the local workspace does not read: nothing was done",
    "file_elsewhere": "The file {path} is not in the workspace, and no other files can be read here: nothing was done",
    "unresolved_reference": "The reference {reference} cannot be resolved by the local workspace",
    "bad_notebook": "The notebook {path} cannot be read: {reason}",
    "bad_outcome": "The outcome of the task, which only the local workspace may write, cannot be read: {reason}",
    "process_died": "The Python process ended without an outcome ({how})",
}


def text(name: str, **values: object) -> str:
    """Return the message called `name` with `values` filled in."""
    template = KNOWN[name] if name in KNOWN else INVENTED[name]
    return template.format(**values)
