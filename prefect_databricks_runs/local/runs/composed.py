"""Tasks that are made of other tasks or of none: condition, for-each, run-job."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from ..clock import Clock
from ..texts import text
from . import states
from .attempts import CANCELED, Attempts, Going, Progress, internal_error
from .records import Ending, Output, RunRecord, TaskRecord

MAX_ITERATIONS = 5000


class CannotRunError(Exception):
    """The task ends before its work begins.

    Args:
        state: The last state of the task.
        message: The reason.
    """

    def __init__(self, state: states.State, message: str) -> None:
        super().__init__(message)
        self.ending = Ending(state, message, Output(error=message))


class Decided:
    """Work that ends as soon as it has begun.

    Args:
        clock: The workspace's time.
        progress: Receives the progress.
        ending: The ending.
    """

    def __init__(self, clock: Clock, progress: Progress, ending: Ending) -> None:
        self._ending = ending
        self._progress = progress
        clock.call_later(0, self._end)

    def stop(self, *, at_once: bool) -> None:
        """Do nothing: the work has finished."""

    def _end(self) -> None:
        self._progress.ended(self._ending)


def compare(condition: dict[str, str]) -> bool:
    """Return the outcome of a condition with resolved references.

    Raises:
        CannotRunError: The operator compares numbers, and an operand is not a number.
    """
    op, left, right = condition["op"], condition["left"], condition["right"]
    if op in {"EQUAL_TO", "NOT_EQUAL"}:
        return (left == right) is (op == "EQUAL_TO")
    try:
        first, second = float(left), float(right)
    except ValueError:
        message = text("not_numbers", op=op, left=left, right=right)
        raise CannotRunError(states.INVALID_CONFIGURATION, message) from None
    answers = {
        "GREATER_THAN": first > second,
        "GREATER_THAN_OR_EQUAL": first >= second,
        "LESS_THAN": first < second,
        "LESS_THAN_OR_EQUAL": first <= second,
    }
    return answers[op]


def read_inputs(inputs: str) -> list[Any]:
    """Return the inputs of a for-each task, from its `inputs` with references resolved.

    Raises:
        CannotRunError: The inputs are not a JSON array, or too many.
    """
    try:
        values = json.loads(inputs)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list):
        raise CannotRunError(states.INVALID_CONFIGURATION, text("inputs_not_a_list", inputs=inputs[:200]))
    if len(values) > MAX_ITERATIONS:
        message = text("too_many_iterations", limit=MAX_ITERATIONS, count=len(values))
        raise CannotRunError(states.INVALID_CONFIGURATION, message)
    return values


class ForEachWork:
    """The iterations of a for-each task: its nested task runs once for each input, even if some iterations fail.

    Args:
        going: The run.
        task: The attempt at the for-each task.
        concurrency: The number of iterations that run at once.
        progress: Receives the progress.
    """

    def __init__(self, going: Going, task: TaskRecord, concurrency: int, progress: Progress) -> None:
        self._going = going
        self._task = task
        self._concurrency = concurrency
        self._progress = progress
        self._active: list[Attempts] = []
        self._next = 0
        self._stopped = False
        self._over = False
        going.clock.call_later(0, self._open)

    def stop(self, *, at_once: bool) -> None:
        """Cancel the active iterations. The others do not begin."""
        self._stopped = True
        for attempts in list(self._active):
            attempts.stop(CANCELED, at_once=at_once)
        self._going.clock.call_later(0, self._fill)

    def _open(self) -> None:
        self._progress.started()
        self._fill()

    def _fill(self) -> None:
        inputs = self._task.inputs or []
        while not self._stopped and self._next < len(inputs) and len(self._active) < self._concurrency:
            value = inputs[self._next]
            self._next += 1
            record = self._going.attempter.iteration(self._going.run, self._task, value)
            attempts = Attempts(self._going, record, self._iteration_over)
            self._active.append(attempts)
            attempts.begin()
        if not self._active and not self._over:
            self._over = True
            self._progress.ended(self._ending())

    def _iteration_over(self, attempts: Attempts) -> None:
        self._active.remove(attempts)
        self._fill()

    def _ending(self) -> Ending:
        last = latest_iterations(self._task)
        failed = sum(iteration.state.failed for iteration in last)
        if failed:
            message = text("iterations_failed", failed=failed, total=len(self._task.inputs or []))
            return Ending(states.FAILED, message, Output(error=message))
        if any(iteration.state.canceled for iteration in last):
            return Ending(states.CANCELED, text("canceled"))
        return Ending(states.SUCCESS)


def latest_iterations(task: TaskRecord) -> list[TaskRecord]:
    """Return the latest attempt at each iteration of a for-each task."""
    return list({record.original_attempt_run_id: record for record in task.iterations or []}.values())


class JobStarter(Protocol):
    """A starter of the runs of other jobs."""

    def start_child(self, parent: RunRecord, settings: dict[str, Any], over: Callable[[RunRecord], None]) -> RunRecord:
        """Start a run of the job that a run-job task names.

        Raises:
            CannotRunError: The job does not exist, has no tasks, or is already running in this chain of runs.
        """

    def cancel(self, run: RunRecord, *, at_once: bool) -> None:
        """Cancel a run."""


class RunJobWork:
    """The work of a run-job task: it starts a run of another job and waits for it.

    Args:
        going: The run.
        task: The attempt at the run-job task.
        settings: Its `run_job_task`, with references resolved.
        progress: Receives the progress.
        starter: Starts the other run.
    """

    def __init__(
        self, going: Going, task: TaskRecord, settings: dict[str, Any], progress: Progress, starter: JobStarter
    ) -> None:
        self._going = going
        self._task = task
        self._settings = settings
        self._progress = progress
        self._starter = starter
        self._child: RunRecord | None = None
        self._stopped = False
        going.clock.call_later(0, self._open)

    def stop(self, *, at_once: bool) -> None:
        """Cancel the other run."""
        self._stopped = True
        if self._child:
            self._starter.cancel(self._child, at_once=at_once)

    def _open(self) -> None:
        if self._stopped:
            self._progress.ended(CANCELED)
            return
        try:
            self._child = self._starter.start_child(self._going.run, self._settings, self._child_over)
        except CannotRunError as error:
            self._progress.ended(error.ending)
            return
        except Exception as error:
            self._progress.ended(internal_error(self._going.run, self._task, error))
            return
        self._task.child_run_id = self._child.run_id
        self._progress.started()

    def _child_over(self, child: RunRecord) -> None:
        if child.state.succeeded:
            ending = Ending(states.SUCCESS)
        elif child.state.canceled:
            ending = Ending(states.CANCELED, text("child_run_canceled", run_id=child.run_id))
        else:
            message = text("child_run_failed", run_id=child.run_id, message=child.message)
            ending = Ending(states.FAILED, message, Output(error=message))
        self._progress.ended(ending)
