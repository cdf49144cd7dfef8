"""`retry_on_platform_failure`: whether a failure is worth another try, because the user's own code did not cause it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._prefect.compat import state_exception
from .errors import (
    DatabricksConnectionError,
    DatabricksUnreachable,
    RateLimited,
    RunFailed,
    RunInternalError,
    RunSkipped,
    ServerError,
)
from .run_states import Outcome, RunState

if TYPE_CHECKING:
    from prefect import State, Task
    from prefect.client.schemas.objects import TaskRun

_PLATFORM_TYPES = frozenset({"CLOUD_FAILURE", "INTERNAL_ERROR"})
# Limits that pass; Databricks gives some of them the type CLIENT_ERROR.
_LIMITS = frozenset(
    {
        "WORKSPACE_RUN_LIMIT_EXCEEDED",
        "CLUSTER_REQUEST_LIMIT_EXCEEDED",
        "MAX_CONCURRENT_RUNS_EXCEEDED",
        "MAX_SPARK_CONTEXTS_EXCEEDED",
        "MAX_JOB_QUEUE_SIZE_EXCEEDED",
    }
)
_PASSING = (DatabricksConnectionError, DatabricksUnreachable, RateLimited, ServerError, RunInternalError, RunSkipped)


async def retry_on_platform_failure(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - Prefect gives all three
    """Whether to retry a task whose Databricks run failed, for `@task(retries=…, retry_condition_fn=…)`.

    It retries what the platform caused: a run whose `termination_details` have the type `CLOUD_FAILURE` or
    `INTERNAL_ERROR` or name a limit that was exceeded, one that was skipped because too many were going, and a
    Databricks that could not be reached. It does not retry what would only fail again: the user's own code, a wrong
    request, a missing permission; nor what somebody wanted: a cancelled run, a time-out.

    Args:
        task: The task.
        task_run: Its run.
        state: The state that it has failed with.
    """
    error = await state_exception(state)
    return error is not None and is_platform_failure(error)


def is_platform_failure(error: BaseException) -> bool:
    """Whether an error of this package was caused by the platform.

    Args:
        error: Any exception; one of somebody else is none.
    """
    if isinstance(error, _PASSING):
        return True
    if not isinstance(error, RunFailed):
        return False
    causes = [task.state for task in error.run.failed_tasks] or [error.run.state]
    return all(_is_of_platform(state) for state in causes)


def _is_of_platform(state: RunState) -> bool:
    if state.outcome in (Outcome.CANCELED, Outcome.TIMED_OUT):
        return False
    return (
        state.outcome is Outcome.INTERNAL_ERROR
        or state.termination_type in _PLATFORM_TYPES
        or state.termination_code in _LIMITS
    )
