"""Log one line for each change of a run or a task, in the log of the Prefect run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from .._prefect.logging import Logger
from .._text import first_line, indented, name, one_line, quoted, tail
from ..run_states import Outcome, RunState
from ..runs import Run, RunTask

_TRACE_CHARACTERS, _TRACE_LINES = 8_000, 200
_EXPECTED = (None, Outcome.SUCCESS, Outcome.EXCLUDED, Outcome.DISABLED)


class _Line(NamedTuple):
    task_key: str
    level: int
    text: str


class ChangeLog:
    """Log each change of one run and of its tasks.

    Args:
        logger: The log.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._states: dict[int, RunState] = {}
        self._noted: set[tuple[int, bool]] = set()
        self._unsaid: list[_Line] = []

    def changes(self, run: Run) -> None:
        """Log all changes since the last call. A run begins before its tasks and ends after them."""
        tell = [self._task_changes, self.run_changes]
        for each in tell if run.state.is_terminal else reversed(tell):
            each(run)

    def know(self, run: Run) -> None:
        """Take a run for logged as it is."""
        self._states |= {run.run_id: run.state, **{each.run_id: each.state for each in run.attempts}}

    def outputs(self, run: Run) -> None:
        """Collect outputs, each once, for `say_outputs`: the result of a task, and the failure of each attempt.

        Args:
            run: The run, with the outputs that are known.
        """
        for key, attempt in _attempts(run):
            for iteration in attempt.failed_iterations:
                if iteration.output:
                    number = iteration.attempt_number + 1
                    text = f"Iteration {iteration.run_id} of task {name(key)} of Databricks run {run.run_id} failed"
                    self._note(
                        iteration, key, logging.ERROR, f"{text} (attempt {number}): {indented(iteration.reason)}"
                    )
            what = _attempt_in_words(key, attempt, run)
            if error := _error_of(attempt):
                self._note(attempt, key, logging.ERROR, f"{what} failed:\n{error}")
            elif attempt.result:
                self._note(attempt, key, logging.INFO, f"{what} returned: {first_line(attempt.result)}")

    def _note(self, attempt: RunTask, task_key: str, level: int, text: str) -> None:
        # Once more, when the traceback of its cause is known.
        note = (attempt.run_id, bool(attempt.output and attempt.output.error_trace))
        if note not in self._noted:
            self._noted.add(note)
            self._unsaid.append(_Line(task_key.partition("/")[0], level, text))

    def say_outputs(self, task_run_ids: Mapping[str, UUID | None], *, is_last: bool = True) -> None:
        """Log the collected outputs, in the log of the task run too.

        Args:
            task_run_ids: The task runs by `task_key`; None for a task run that Prefect does not have yet. The task run
                of a run-job task gets the outputs of the run that it started.
            is_last: Whether to log the outputs of task runs that Prefect does not have. If not, they are kept.
        """
        lines, self._unsaid = self._unsaid, []
        for line in lines:
            task_run_id = task_run_ids.get(line.task_key)
            if task_run_id is None and line.task_key in task_run_ids and not is_last:
                self._unsaid.append(line)
            else:
                extra = {"task_run_id": task_run_id} if task_run_id else None
                self._logger.log(line.level, "%s", line.text, extra=extra)

    def run_changes(self, run: Run) -> None:
        """Log the changes of the run itself since the last call."""
        if self._is_new(run.run_id, run.state):
            named = f" {quoted(run.run_name)}" if run.run_name else ""
            self._log(run.state, run.state.name, f"Databricks run {run.run_id}{named}", run.explanation, run.url)

    def _task_changes(self, run: Run) -> None:
        for task in run.attempts:
            if self._is_new(task.run_id, task.state):
                what = _attempt_in_words(task.task_key, task, run)
                self._log(task.state, name(task.state_in_words), what, task.reason, "")

    def _is_new(self, run_id: int, state: RunState) -> bool:
        known, self._states[run_id] = self._states.get(run_id), state
        return known != state

    def _log(self, state: RunState, is_now: str, what: str, reason: str, url: str) -> None:
        level = logging.INFO if state.outcome in _EXPECTED else logging.WARNING
        because = f": {one_line(reason)}" if reason else ""
        self._logger.log(level, "%s is %s%s%s", what, is_now, because, f" {url}" if url else "")


def _attempts(run: Run, prefix: str = "") -> Iterator[tuple[str, RunTask]]:
    """Return the attempts of a run, and those of the runs that its run-job tasks started, under `task_key/task_key`."""
    for attempt in run.attempts:
        yield f"{prefix}{attempt.task_key}", attempt
        if attempt.run_job:
            yield from _attempts(attempt.run_job, f"{prefix}{attempt.task_key}/")


def _attempt_in_words(key: str, attempt: RunTask, run: Run) -> str:
    again = f" (attempt {attempt.attempt_number + 1})" if attempt.attempt_number else ""
    return f"Task {name(key)}{again} of Databricks run {run.run_id}"


def _error_of(attempt: RunTask) -> str:
    output = attempt.output if attempt.is_failed else None
    text = (output.error_trace or output.error or "") if output else ""
    lines = tail(text, _TRACE_CHARACTERS).split("\n")
    is_cut = len(text) > _TRACE_CHARACTERS or len(lines) > _TRACE_LINES
    cut = [f"… (full traceback: {attempt.url})"] if is_cut else []
    # All lines are indented equally, so that none looks like another line of the log.
    return "\n".join(f"    {line}" if line else line for line in [*cut, *lines[-_TRACE_LINES:]])
