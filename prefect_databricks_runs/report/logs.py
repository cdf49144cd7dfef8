"""One log line a change of a run or a task, in the log of the Prefect run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger

from prefect_databricks_runs.errors import shorten
from prefect_databricks_runs.run_states import Outcome, RunState
from prefect_databricks_runs.runs import Run

# A text, because `LoggerAdapter` takes no parameter before Python 3.11.
Logger: TypeAlias = "logging.Logger | logging.LoggerAdapter[logging.Logger]"

if TYPE_CHECKING:
    _Adapter: TypeAlias = logging.LoggerAdapter[Any]
else:
    _Adapter = logging.LoggerAdapter

_TRACE_CHARACTERS = 8_000
_EXPECTED = (None, Outcome.SUCCESS, Outcome.EXCLUDED, Outcome.DISABLED)


class SteadyLogger(_Adapter):
    """Logs without ending the caller when nobody reads the console any more, as after the death of a Prefect worker.

    Prefect's console is one of rich, which then raises `SystemExit`, and is quiet from there on. Prefect's API has got
    the line by that time.

    Args:
        logger: What it logs to.
    """

    def __init__(self, logger: Logger) -> None:
        super().__init__(logger, getattr(logger, "extra", None))  # of Prefect's: which run it is of

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line; so do `info` and the others, through this."""
        try:
            super().log(level, msg, *args, **kwargs)
        except SystemExit as error:
            if not isinstance(error.__context__, BrokenPipeError):
                raise

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Leave `extra` as it is, which adapters otherwise replace."""
        return msg, kwargs


def run_logger() -> Logger:
    """The logger of the Prefect run that this is called in; outside of one, this package's."""
    return SteadyLogger(_run_logger())


def _run_logger() -> Logger:
    task = TaskRunContext.get()
    if task and task.task_run.flow_run_id is None and not FlowRunContext.get():
        return get_logger("prefect_databricks_runs")  # Prefect 3 warns of each line of a task without a flow
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("prefect_databricks_runs")


class ChangeLog:
    """Logs each change of one run and of its tasks.

    Args:
        logger: Where.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._states: dict[int, RunState] = {}

    def changes(self, run: Run) -> None:
        """Log what differs from the run as logged before. The run begins before its tasks and ends after them."""
        tell = [self._task_changes, self.run_changes]
        for each in tell if run.state.is_terminal else reversed(tell):
            each(run)

    def errors(self, run: Run, task_run_ids: Mapping[str, UUID | None]) -> None:
        """Log the error and traceback of each failed task, as far as they are known.

        Args:
            run: The run, with its outputs.
            task_run_ids: The task runs in whose own log they are to be found too, by `task_key`; that of a run-job task
                has those of the run that it started.
        """
        for name, task in run.failures.items():
            output = task.output
            if output and (output.error or output.error_trace):
                text = output.error_trace or output.error or ""
                if len(text) > _TRACE_CHARACTERS:
                    text = f"… (the whole of it: {task.url})\n{text[-_TRACE_CHARACTERS:]}"
                task_run_id = task_run_ids.get(name.partition("/")[0])
                extra = {"task_run_id": task_run_id} if task_run_id else None
                message = "Task %s of Databricks run %d failed:\n%s"
                self._logger.error(message, name, run.run_id, text, extra=extra)

    def run_changes(self, run: Run) -> None:
        """Log what differs from the run as logged before, and nothing of its tasks."""
        if self._is_new(run.run_id, run.state):
            name = f" {run.run_name!r}" if run.run_name else ""
            self._log(run.state, run.state.name, f"Databricks run {run.run_id}{name}", run.url)

    def _task_changes(self, run: Run) -> None:
        for task in run.attempts:
            if self._is_new(task.run_id, task.state):
                again = f" (attempt {task.attempt_number + 1})" if task.attempt_number else ""
                what = f"Task {task.task_key}{again} of Databricks run {run.run_id}"
                self._log(task.state, task.state_in_words, what, "")

    def _is_new(self, run_id: int, state: RunState) -> bool:
        known, self._states[run_id] = self._states.get(run_id), state
        return known != state

    def _log(self, state: RunState, name: str, what: str, url: str) -> None:
        level = logging.INFO if state.outcome in _EXPECTED else logging.WARNING
        because = f": {shorten(state.explanation)}" if state.explanation else ""
        self._logger.log(level, "%s is %s%s%s", what, name, because, f" {url}" if url else "")
