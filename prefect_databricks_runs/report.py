"""Everything that a waiting flow run shows of its Databricks run: state names, log lines, artifact, final state."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import anyio
from prefect import State
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from prefect_databricks_runs import _compat
from prefect_databricks_runs.errors import (
    RunCanceled,
    RunFailed,
    RunInternalError,
    RunSkipped,
    RunTimedOut,
    shorten,
)
from prefect_databricks_runs.runs import Outcome, Run, RunState, RunTask

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_CALL_SECONDS = 10.0  # reporting must not hold up the watch for longer, whatever Prefect's API does
_TRACE_CHARACTERS = 8_000

_ERRORS: dict[Outcome, type[RunFailed]] = {
    Outcome.TIMED_OUT: RunTimedOut,
    Outcome.CANCELED: RunCanceled,
    Outcome.UPSTREAM_CANCELED: RunCanceled,
    Outcome.SKIPPED: RunSkipped,
    Outcome.INTERNAL_ERROR: RunInternalError,
}


def run_logger() -> Logger:
    """The logger of the Prefect run that this is called in; outside of one, this package's."""
    task = TaskRunContext.get()
    if task and task.task_run.flow_run_id is None and not FlowRunContext.get():
        return get_logger("prefect_databricks_runs")  # Prefect 3 warns of each line of a task without a flow
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("prefect_databricks_runs")


def final_state(run: Run, *, fail_on_task_failures: bool) -> State[Any]:
    """The Prefect state that a waiting flow run ends in.

    Args:
        run: A run that is over, with the outputs of its failed tasks.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a failure.

    Returns:
        A state whose data is the run, or the error that its caller gets.
    """
    outcome, name = run.state.outcome, run.state.name
    if outcome is Outcome.SUCCESS or (outcome is Outcome.SUCCESS_WITH_FAILURES and not fail_on_task_failures):
        return Completed(name=name, message=f"Databricks run {run.run_id}: {run.url}", data=run)
    error = _ERRORS.get(outcome, RunFailed)(run) if outcome else RunFailed(run)
    make = {RunCanceled: Cancelled, RunInternalError: Crashed}.get(type(error), Failed)
    return make(name=name, message=str(error), data=error)


def may_return(state: State[Any]) -> bool:
    """Whether the flow being run may return this state: Prefect 3 does not retry a flow that returns a failed one."""
    context = FlowRunContext.get()
    return _is_ours(context) and not (state.is_failed() and _has_retries(context))


class RunReport:
    """Tells Prefect of each change of one run, as the `on_change` of a watch.

    Reporting never fails a run: what Prefect's API refuses is logged once, and left.

    Args:
        logger: Where each change is logged.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._states: dict[int, RunState] = {}
        self._shown_name: str | None = None
        self._artifact_id: UUID | None = None
        self._complained = False
        context = FlowRunContext.get()
        flow_run = context.flow_run if context else None
        self._flow_run_id = flow_run.id if flow_run else None
        # Each `Running(name=…)` counts as one more run of the flow and so eats its retries.
        self._names_states = _is_ours(context) and not _has_retries(context)

    async def __call__(self, run: Run) -> None:
        """Report whatever differs from the run as reported before."""
        self._log_changes(run)
        if self._flow_run_id:
            await self._quietly(self._show_artifact(run, self._flow_run_id))
            if self._names_states and not run.state.is_terminal and run.state.name != self._shown_name:
                await self._quietly(self._show_state(run, self._flow_run_id))

    def log_errors(self, run: Run) -> None:
        """Log the error and traceback of each failed task, as far as they are known."""
        for task in run.failed_tasks:
            output = task.output
            if output and (output.error or output.error_trace):
                text = output.error_trace or output.error or ""
                if len(text) > _TRACE_CHARACTERS:
                    text = f"… (the whole of it: {task.url})\n{text[-_TRACE_CHARACTERS:]}"
                self._logger.error("Task %s of Databricks run %d failed:\n%s", task.task_key, run.run_id, text)

    def _log_changes(self, run: Run) -> None:
        # The run begins before its tasks and ends after them.
        tell = [self._log_task_changes, self._log_run_changes]
        for each in tell if run.state.is_terminal else reversed(tell):
            each(run)

    def _log_run_changes(self, run: Run) -> None:
        if self._states.get(run.run_id) != run.state:
            self._states[run.run_id] = run.state
            name = f" {run.run_name!r}" if run.run_name else ""
            self._log(run.state, f"Databricks run {run.run_id}{name}", run.url)

    def _log_task_changes(self, run: Run) -> None:
        for task in run.attempts:
            if self._states.get(task.run_id) != task.state:
                self._states[task.run_id] = task.state
                again = f" (attempt {task.attempt_number + 1})" if task.attempt_number else ""
                self._log(task.state, f"Task {task.task_key}{again} of Databricks run {run.run_id}", "")

    def _log(self, state: RunState, what: str, url: str) -> None:
        level = logging.INFO if state.outcome in (None, Outcome.SUCCESS) else logging.WARNING
        because = f": {shorten(state.explanation)}" if state.explanation else ""
        self._logger.log(level, "%s is %s%s%s", what, state.name, because, f" {url}" if url else "")

    async def _show_state(self, run: Run, flow_run_id: UUID) -> None:
        message = f"Databricks run {run.run_id}: {run.url}"
        async with get_client() as client:
            # Without force: were the flow run being cancelled, a forced state would take the cancellation back.
            await client.set_flow_run_state(flow_run_id, Running(name=run.state.name, message=message))
        self._shown_name = run.state.name

    async def _show_artifact(self, run: Run, flow_run_id: UUID) -> None:
        text = artifact_text(run)
        async with get_client() as client:
            if self._artifact_id:
                await _compat.update_artifact(client, self._artifact_id, text)
                return
            artifact = await client.create_artifact(
                ArtifactCreate(
                    key=f"databricks-run-{run.run_id}",
                    type="markdown",
                    description=f"Databricks run {run.run_id} {run.run_name}".strip(),
                    data=text,
                    flow_run_id=flow_run_id,
                )
            )
            self._artifact_id = artifact.id

    async def _quietly(self, telling: Awaitable[None]) -> None:
        try:
            with anyio.fail_after(_CALL_SECONDS):
                await telling
        except Exception as error:
            if not self._complained:
                self._complained = True
                self._logger.warning("Prefect could not be told of the Databricks run, which goes on: %r", error)


def artifact_text(run: Run) -> str:
    """The markdown of a run's artifact: state, link, and a table of its tasks."""
    name = f" {_cell(run.run_name)}" if run.run_name else ""
    lines = [
        f"## [Databricks run {run.run_id}{name}]({run.url})",
        "",
        f"**{run.state.name}** {_cell(run.state.explanation)}",
    ]
    if run.tasks:
        lines += ["", "| task | state | attempt |", "|---|---|---|", *(_row(task) for task in run.tasks.values())]
    return "\n".join(lines)


def _row(task: RunTask) -> str:
    return f"| [{_cell(task.task_key)}]({task.url}) | {task.state.name} | {task.attempt_number + 1} |"


def _cell(text: str) -> str:
    return " ".join(shorten(text).replace("|", "\\|").split())


def _is_ours(context: FlowRunContext | None) -> bool:
    """Whether the flow being run is one of this package; `wait_for_run.fn` may be called in a user's."""
    return bool(context and context.flow and context.flow.fn.__module__.startswith("prefect_databricks_runs."))


def _has_retries(context: FlowRunContext | None) -> bool:
    policy = context.flow_run.empirical_policy if context and context.flow_run else None
    return bool(context and context.flow and context.flow.retries) or bool(policy and policy.retries)
