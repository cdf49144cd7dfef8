"""`retry_on_platform_failure`: retry only failures that the platform caused, and not the user's own code."""

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
# Temporary limits. Databricks reports some of them with the type CLIENT_ERROR.
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


async def retry_on_platform_failure(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - Prefect passes all
    """Decide whether to retry a task whose Databricks run failed, for `@task(retries=…, retry_condition_fn=…)`.

    Failures of the platform are retried: a run whose `termination_details` have the type `CLOUD_FAILURE` or
    `INTERNAL_ERROR` or name a limit that was exceeded, a run that was skipped because too many were active, and a
    Databricks that could not be reached. Failures that would only repeat are not: the user's own code, a wrong
    request, a missing permission. A cancelled run and a timeout are not retried either, because someone wanted them.

    Args:
        task: The task.
        task_run: The task run.
        state: The failed state.

    Returns:
        Whether to retry.

    Example:
        ```python
        from prefect import flow, task
        from prefect_databricks_runs import DatabricksCredentials, retry_on_platform_failure, submit_run_and_wait

        @task(retries=2, retry_delay_seconds=60, retry_condition_fn=retry_on_platform_failure)
        def nightly():
            databricks = DatabricksCredentials.from_environment()
            return submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"}).run_id

        @flow
        def pipeline():
            return nightly()

        pipeline()
        ```
    """
    error = await state_exception(state)
    return error is not None and is_platform_failure(error)


def is_platform_failure(error: BaseException) -> bool:
    """Return whether the platform caused an error of this package.

    Args:
        error: Any exception; for an exception of another package the answer is no.
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
