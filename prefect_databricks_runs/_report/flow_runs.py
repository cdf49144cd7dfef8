"""The final state of a waiting flow run, and how its flow may return it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import State
from prefect.context import FlowRunContext
from prefect.states import Cancelled, Completed, Crashed, Failed

from .._failures import failure_of
from ..errors import RunCanceled, RunInternalError, RunsFailed
from ..runs import Run


def state_of_runs(runs: Sequence[Run], error: RunsFailed | None) -> State[Any]:
    """Return the final Prefect state of a flow run that waited for many runs.

    Args:
        runs: The caller's result, unless there is an error.
        error: The caller's error, if any.
    """
    if error is None:
        return Completed(name="Success", message=f"{len(runs)} Databricks runs succeeded.", data=runs)
    if all(isinstance(each, RunCanceled) for each in error.errors.values()):
        return Cancelled(name="Canceled", message=str(error), data=error)
    return Failed(name="Failed", message=str(error), data=error)


def final_state(run: Run, *, fail_on_task_failures: bool) -> State[Any]:
    """Return the final Prefect state of a waiting flow run.

    Args:
        run: A finished run, with the outputs of its failed tasks.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a failure.

    Returns:
        A state whose data is the run, or the caller's error.
    """
    error, name = failure_of(run, fail_on_task_failures=fail_on_task_failures), run.state.name
    if error is None:
        return Completed(name=name, message=f"Databricks run {run.run_id}: {run.url}", data=run)
    make = {RunCanceled: Cancelled, RunInternalError: Crashed}.get(type(error), Failed)
    return make(name=name, message=str(error), data=error)


def may_return(state: State[Any]) -> bool:
    """Return whether the current flow may return this state.

    Prefect 3 does not retry a flow that returns a failed state. If a retried flow returns any state, Prefect 3 raises
    the error of the attempt before.
    """
    context = FlowRunContext.get()
    if not is_ours(context):
        return False
    return not has_retries(context) or (state.is_completed() and not _is_retried(context))


def is_ours(context: FlowRunContext | None) -> bool:
    """Return whether the current flow belongs to this package; a user's flow may call `wait_for_run.fn`."""
    return bool(context and context.flow and context.flow.fn.__module__.startswith("prefect_databricks_runs."))


def _is_retried(context: FlowRunContext | None) -> bool:
    return bool(context and context.flow_run and context.flow_run.run_count > 1)


def has_retries(context: FlowRunContext | None) -> bool:
    """Return whether the current flow is retried when it fails."""
    policy = context.flow_run.empirical_policy if context and context.flow_run else None
    return bool(context and context.flow and context.flow.retries) or bool(policy and policy.retries)
