"""Checks of a request body that starts a run, before it is sent: faults that Databricks is known to refuse or misread.

Each fault is one sentence: its place, the problem, the solution. What Databricks may accept is never a fault: new
fields, values and kinds of tasks pass, and `hints` warns of them. `job_checks` does the same for a job's settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .looks import get, given, listed
from .shared_checks import NO_TASKS, run_faults, settings_faults, tasks_faults
from .task_checks import LIMITED, NO_SHARED_CLUSTERS, run_parameters

_TOKEN_CHARACTERS = 64
_JOB_PARAMETER = re.compile(r"\{\{\s*job\.parameters\.[^{}]*\}\}")

_PERFORMANCE_TARGETS = ("PERFORMANCE_OPTIMIZED", "STANDARD", "COST_OPTIMIZED")
_RUN_IF = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")
# The fields that Databricks is known to refuse beside `job_parameters`; for `sql_params` that is not documented.
_LEGACY = (*LIMITED, "python_named_params", "dbt_commands")


def check_submit_run(payload: Mapping[str, Any]) -> list[str]:
    """Find the faults of a body of `POST /api/2.2/jobs/runs/submit`.

    Args:
        payload: The body, in plain JSON values. It is not changed.

    Returns:
        One sentence a fault; empty when there is none.
    """
    run = (*_token(payload), *settings_faults(payload, "run_name"), *_of_jobs(payload))
    missing = () if given(payload, "tasks") else (NO_TASKS,)
    return [*run, *missing, *tasks_faults(payload, is_saved=False)]


def check_run_now(payload: Mapping[str, Any]) -> list[str]:
    """Find the faults of a body of `POST /api/2.2/jobs/run-now`.

    Args:
        payload: The body, in plain JSON values. It is not changed.

    Returns:
        One sentence a fault; empty when there is none.
    """
    missing = (
        [] if given(payload, "job_id") else ["job_id: is missing; set the number of the job to run, or its `job_name`."]
    )
    return [*missing, *_token(payload), *run_faults(payload), *_job_parameters(payload), *run_parameters(payload, "")]


def _token(payload: Mapping[str, Any]) -> Iterator[str]:
    token = get(payload, "idempotency_token", str)
    if token is not None and not 1 <= len(token) <= _TOKEN_CHARACTERS:
        yield f"idempotency_token: has {len(token)} characters; use 1 to {_TOKEN_CHARACTERS}, or leave it out."


def _of_jobs(payload: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of a job's settings that change what the tasks of a submitted run do."""
    if given(payload, "job_clusters"):
        yield f"job_clusters: {NO_SHARED_CLUSTERS}"
    if given(payload, "parameters"):
        reference = next(_job_parameters_used(payload.get("tasks")), None)
        if reference:
            yield (
                f"parameters: a submitted run has no job parameters, so {reference} has no value; put the value "
                "into the task, or save a job and start it with run_now."
            )


def _job_parameters_used(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (found[0] for found in _JOB_PARAMETER.finditer(value))
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _job_parameters_used(item)


def _job_parameters(payload: Mapping[str, Any]) -> Iterator[str]:
    legacy = [key for key in _LEGACY if given(payload, key)]
    if legacy and given(payload, "job_parameters"):
        yield f"job_parameters: cannot be combined with {listed(legacy, 'and')}; use job_parameters alone."


def has_known_choices(payload: Mapping[str, Any]) -> bool:
    """Return whether a body has only the choices that were accepted before others became a warning.

    Idempotency tokens depend on it: a placeholder in such a field was filled before the token was made.
    """
    tasks = [task for task in payload.get("tasks", ()) if isinstance(task, dict)]
    tasks += [nested for task in tasks if (nested := get(get(task, "for_each_task", dict), "task", dict))]
    return get(payload, "performance_target", str) in (None, *_PERFORMANCE_TARGETS) and all(
        get(task, "run_if", str) in (None, *_RUN_IF) for task in tasks
    )
