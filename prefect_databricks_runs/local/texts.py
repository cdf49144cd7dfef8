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
    "no_settings": "Run settings must be specified.",
    "no_compute": "One of job_cluster_key, new_cluster, or existing_cluster_id must be specified",
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
    "body_too_long": "The body of the request is too long: it must not have more than {limit} bytes.",
    "fault": "The local workspace was told to answer with status {status}.",
    "proxy_page": (
        "<!doctype html><html><head><title>{status} {phrase}</title></head>"
        "<body><h1>{status} {phrase}</h1></body></html>"
    ),
    "no_grant_type": "The form has no grant_type.",
    "unsupported_grant_type": "The local workspace serves only the grant_type client_credentials.",
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
