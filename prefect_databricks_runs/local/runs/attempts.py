"""The attempts at one task, or at one iteration of a for-each task."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable
from typing import Protocol

from ..clock import Clock, Timer
from ..texts import text
from . import states
from .records import Ending, Output, RunRecord, TaskRecord

logger = logging.getLogger(__name__)

CANCELED = Ending(states.CANCELED, text("canceled"))

_QUICK_RETRIES = 10
_LONGEST_PATIENCE = 3600.0


class Progress(Protocol):
    """A receiver of the progress of one attempt, called only after the call that began the work has returned."""

    def queued(self) -> None:
        """Report that the attempt is queued."""

    def pending(self) -> None:
        """Report that the attempt waits for compute."""

    def started(self) -> None:
        """Report that the attempt runs."""

    def terminating(self, ending: Ending) -> None:
        """Report that only the cleanup is left, and the ending of the attempt after it."""

    def ended(self, ending: Ending) -> None:
        """Report that the attempt has ended."""


class Work(Protocol):
    """The work on one attempt."""

    def stop(self, *, at_once: bool) -> None:
        """End the work early. Its end is reported as always.

        Args:
            at_once: Whether to skip a simulated cleanup.
        """


class Works(Protocol):
    """A performer of the work on attempts."""

    def begin(self, going: Going, task: TaskRecord, progress: Progress) -> Work:
        """Begin the work on one attempt at a task of a run."""


class Attempter(Protocol):
    """A maker of the records of attempts."""

    def retry(self, run: RunRecord, task: TaskRecord) -> TaskRecord:
        """Return the record of the attempt after `task`."""

    def iteration(self, run: RunRecord, parent: TaskRecord, value: object) -> TaskRecord:
        """Return the record of the first attempt at an iteration of the for-each task `parent`."""


class Going:
    """An active run, and everything that its tasks share.

    Args:
        run: The run.
        clock: The workspace's time.
        works: Does the work.
        attempter: Makes the records.
    """

    def __init__(self, run: RunRecord, clock: Clock, works: Works, attempter: Attempter) -> None:
        self.run = run
        self.clock = clock
        self.works = works
        self.attempter = attempter
        # By the run id of the latest attempt.
        self.attempts: dict[int, Attempts] = {}
        # When True, no task is retried.
        self.is_stopping = False

    def now_ms(self) -> int:
        """Return the time in ms since 1970."""
        return int(self.clock.now() * 1000)


class Attempts:
    """The attempts at one task, one after the other. Used only in callbacks of the clock.

    Args:
        going: The run of the task.
        task: The record of the first attempt.
        over: Called once, after the last attempt.
    """

    def __init__(self, going: Going, task: TaskRecord, over: Callable[[Attempts], None]) -> None:
        self.task = task
        self._going = going
        self._over = over
        self._work: Work | None = None
        self._timer: Timer | None = None
        self._stop: Ending | None = None
        self._winds_up = False
        going.attempts[task.run_id] = self

    def begin(self) -> None:
        """Begin the current attempt."""
        self._timer = None
        self.task.wait(self._going.now_ms())
        self._work = self._going.works.begin(self._going, self.task, self)

    def stop(self, ending: Ending, *, at_once: bool = False) -> None:
        """End the task early, unless it has finished, is stopping already, or is cleaning up.

        Args:
            ending: The ending of the task.
            at_once: Whether to skip a simulated cleanup, even if it has begun.
        """
        if self.task.state.is_terminal or ((self._stop or self._winds_up) and not at_once):
            return
        if not self._winds_up:
            self._stop = self._stop or ending
        if self._work is None:
            self._end(ending)
            return
        if self._stop:
            self._terminate(self._stop)
        self._work.stop(at_once=at_once)

    def queued(self) -> None:
        """Show that the attempt is queued."""
        self.task.queued_since = self._going.now_ms()
        self._show(states.QUEUED_TASK, text("queued_task"))

    def pending(self) -> None:
        """Show that the attempt waits for compute."""
        self._leave_queue()
        self._show(states.PENDING, text("waiting_for_cluster"))

    def started(self) -> None:
        """Show that the attempt runs, and start its timeout."""
        if self._stop:
            return
        self._leave_queue()
        self.task.state = states.PENDING
        self.task.run(self._going.now_ms())
        self._going.run.run(self._going.now_ms())
        seconds = self.task.timeout_seconds
        if seconds:
            self._timer = self._going.clock.call_later(seconds, functools.partial(self.stop, timed_out(seconds)))

    def terminating(self, ending: Ending) -> None:
        """Show that only the cleanup is left. From now on the attempt can no longer be stopped."""
        if not self._stop:
            self._winds_up = True
            self._terminate(ending)

    def ended(self, ending: Ending) -> None:
        """End the attempt. If it was stopped, the ending of the stop counts."""
        self._work = None
        self._end(dataclasses.replace(self._stop, output=ending.output) if self._stop else ending)

    def _terminate(self, ending: Ending) -> None:
        self.task.terminating_since = self.task.terminating_since or self._going.now_ms()
        self.task.state, self.task.message = states.terminating(ending.state), ending.message

    def _leave_queue(self) -> None:
        if self.task.queued_since:
            self.task.queue_duration += self._going.now_ms() - self.task.queued_since
            self.task.queued_since = 0

    def _show(self, state: states.State, message: str) -> None:
        if not self._stop:
            self.task.state, self.task.message = state, message

    def _end(self, ending: Ending) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        del self._going.attempts[self.task.run_id]
        self.task.output = ending.output
        self.task.end(ending, self._going.now_ms())
        if self._is_to_be_retried(ending):
            self._retry()
        else:
            self._over(self)

    def _is_to_be_retried(self, ending: Ending) -> bool:
        settings = self.task.settings
        if self._going.is_stopping or "condition_task" in settings or not ending.state.failed:
            return False
        if ending.state.result_state == "TIMEDOUT" and not settings.get("retry_on_timeout", False):
            return False
        limit = settings.get("max_retries", 0)
        return bool(limit < 0 or self.task.retries < limit)

    def _retry(self) -> None:
        self._stop, self._winds_up = None, False
        self.task = self._going.attempter.retry(self._going.run, self.task)
        self._going.attempts[self.task.run_id] = self
        self.task.wait(self._going.now_ms())
        seconds = max(self.task.settings.get("min_retry_interval_millis", 0) / 1000, _patience(self.task.retries))
        if seconds > 0:
            self.task.state, self.task.message = states.WAITING_FOR_RETRY, text("waiting_for_retry")
        self._timer = self._going.clock.call_later(seconds, self.begin)


def _patience(retries: int) -> float:
    """Return the least time to the next attempt, in seconds: a task that fails at once must not loop at full speed."""
    return min(2.0 ** (retries - _QUICK_RETRIES), _LONGEST_PATIENCE) if retries > _QUICK_RETRIES else 0.0


def timed_out(seconds: int) -> Ending:
    """Return the ending of a run or task that has run for longer than `seconds`."""
    return Ending(states.TIMEDOUT, text("timed_out", seconds=seconds))


def internal_error(run: RunRecord, task: TaskRecord, error: BaseException) -> Ending:
    """Return the ending of an attempt that hit a bug in this package, or in a script that is a function."""
    logger.error("Task %s of run %s failed in the local workspace", task.task_key, run.run_id, exc_info=error)
    message = text("internal_error", error=repr(error))
    return Ending(states.INTERNAL_ERROR, message, Output(error=message))
