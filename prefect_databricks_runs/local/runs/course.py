"""The course of one run: each task starts or is skipped when the tasks before it have finished; then the run ends."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Collection, Sequence

from ..clock import Timer
from ..texts import text
from . import states
from .attempts import CANCELED, Attempts, Going, timed_out
from .records import Ending, RunRecord, TaskRecord

EXCLUDED = Ending(states.EXCLUDED, text("excluded"))
DISABLED = Ending(states.DISABLED, text("disabled"))
UPSTREAM_FAILED = Ending(states.UPSTREAM_FAILED, text("upstream_failed"))
UPSTREAM_CANCELED = Ending(states.UPSTREAM_CANCELED, text("upstream_canceled"))


class Course:
    """One run, or one repair of it, from its start to its end. Used only in callbacks of the clock.

    Args:
        going: The run, and everything that its tasks share.
        keys: The tasks to run; all other tasks have finished.
        failed_state: The state of a run with a failed task.
        ended: Called when the run has ended.
    """

    def __init__(
        self, going: Going, keys: Collection[str], failed_state: states.State, ended: Callable[[Course], None]
    ) -> None:
        self.run: RunRecord = going.run
        self._going = going
        self._failed_state = failed_state
        self._ended = ended
        self._attempts = {key: Attempts(going, self.run.current[key], self._task_over) for key in keys}
        self._left = len(self._attempts)
        self._downstream: dict[str, list[str]] = {key: [] for key in keys}
        self._open_upstream = dict.fromkeys(keys, 0)
        for key in keys:
            for upstream in set(self.run.current[key].upstream) & self._attempts.keys():
                self._downstream[upstream].append(key)
                self._open_upstream[key] += 1
        self._begun = False
        self._begun_at = 0
        self._stop: Ending | None = None
        self._timer: Timer | None = None

    def open(self) -> None:
        """Start the tasks that depend on no other task. The others follow."""
        if self._stop:
            return
        self._begun = True
        self._begun_at = now = self._going.now_ms()
        if self.run.state is states.QUEUED:
            self.run.queue_duration += now - self.run.history[-1].start_time
        self.run.wait(now)
        self.run.history[-1].wait(now)
        self.set_timeout()
        self._enter([key for key, count in self._open_upstream.items() if not count])

    def set_timeout(self) -> None:
        """Start the run's current timeout, counted from the start of the run or of its repair."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        seconds = self.run.timeout_seconds
        if seconds and self._begun:
            passed = (self._going.now_ms() - self._begun_at) / 1000
            stop = functools.partial(self.stop, timed_out(seconds))
            self._timer = self._going.clock.call_later(max(0.0, seconds - passed), stop)

    def stop(self, ending: Ending, *, at_once: bool = False) -> None:
        """Stop the whole run, unless it has finished or is stopping already.

        Args:
            ending: The ending of the run.
            at_once: Whether to skip simulated cleanups, even if they have begun.
        """
        if self.run.state.is_terminal or (self._stop and not at_once):
            return
        self._stop = ending = self._stop or ending
        self._going.is_stopping = True
        self.run.state, self.run.message = states.terminating(ending.state), ending.message
        going_on = []
        for attempts in self._attempts.values():
            if attempts.task.state.is_terminal:
                continue
            if attempts.task.start_time:
                going_on.append(attempts)
            else:  # not begun, so it cannot time out, and its end must not start other tasks
                attempts.task.end(CANCELED, self._going.now_ms())
                self._left -= 1
        for attempts in going_on:
            attempts.stop(ending, at_once=at_once)
        if not going_on:
            self._finish()

    def stop_task(self, task: TaskRecord) -> None:
        """Cancel one task, or one iteration, unless it has finished or is stopping already."""
        attempts = self._going.attempts.get(task.run_id)
        if attempts:
            attempts.stop(CANCELED)

    def _task_over(self, attempts: Attempts) -> None:
        self._left -= 1
        self._enter(self._freed(attempts.task.task_key))

    def _freed(self, task_key: str) -> list[str]:
        """Return the tasks that waited for this task, and now for no other."""
        freed = []
        for key in self._downstream[task_key]:
            self._open_upstream[key] -= 1
            if not self._open_upstream[key]:
                freed.append(key)
        return freed

    def _enter(self, keys: list[str]) -> None:
        """Begin or skip tasks that wait for no other, and tasks freed by a skip. After the last task, end the run."""
        if not self._begun:
            return
        ready = deque(keys)
        while ready:
            attempts = self._attempts[ready.popleft()]
            if self._stop or attempts.task.state.is_terminal:
                continue
            ending = skipped(attempts.task, self._upstream(attempts.task))
            if ending is None:
                attempts.begin()
                continue
            attempts.task.end(ending, self._going.now_ms())
            self._left -= 1
            ready.extend(self._freed(attempts.task.task_key))
        if not self._left:
            self._finish()

    def _upstream(self, task: TaskRecord) -> list[TaskRecord]:
        current = self.run.current
        return [current[key] for key in task.upstream if key in current]

    def _finish(self) -> None:
        if self._timer:
            self._timer.cancel()
        ending = self._stop or run_ending(self.run.current.values(), self._failed_state)
        now = self._going.now_ms()
        for record in (self.run, self.run.history[-1]):
            record.end(ending, now)
        self._ended(self)


def skipped(task: TaskRecord, upstream: Sequence[TaskRecord]) -> Ending | None:
    """Return the ending of a task that is skipped; None for a task that runs.

    Excluded and disabled tasks count as successful. A cancelled task counts as failed, so that tasks which handle
    failures still run.

    Args:
        task: The task.
        upstream: The latest attempts at the tasks that it depends on. All of them have finished.
    """
    if task.settings.get("disabled"):
        return DISABLED
    if not upstream:
        return None
    if _wrong_branch(task, upstream) or all(other.state is states.EXCLUDED for other in upstream):
        return EXCLUDED
    return _by_rule(task.settings.get("run_if", "ALL_SUCCESS"), upstream)


def _by_rule(rule: str, upstream: Sequence[TaskRecord]) -> Ending | None:
    failed = [other.state.failed or other.state.canceled for other in upstream]
    if rule == "ALL_DONE":
        return None
    if rule == "AT_LEAST_ONE_FAILED":
        return None if any(failed) else EXCLUDED
    if rule == "ALL_FAILED":
        return None if all(failed) else EXCLUDED
    # ALL_SUCCESS and NONE_FAILED are the same, since excluded and disabled tasks count as successful.
    if not all(failed) if rule == "AT_LEAST_ONE_SUCCESS" else not any(failed):
        return None
    return UPSTREAM_FAILED if any(other.state.failed for other in upstream) else UPSTREAM_CANCELED


def _wrong_branch(task: TaskRecord, upstream: Sequence[TaskRecord]) -> bool:
    """Return whether a condition has another outcome than the task depends on."""
    outcomes = {other.task_key: other.outcome for other in upstream if other.outcome is not None}
    return any(
        outcomes.get(dependency["task_key"], dependency["outcome"]) != dependency["outcome"]
        for dependency in task.settings.get("depends_on", [])
        if "outcome" in dependency
    )


def run_ending(tasks: Collection[TaskRecord], failed_state: states.State) -> Ending:
    """Return the ending of a run.

    Args:
        tasks: The latest attempt at each task. All of them have finished.
        failed_state: The state of a run with a failed task.
    """
    in_order = sorted(tasks, key=lambda task: task.end_time)
    failed = [task for task in in_order if task.state.failed and task.state is not states.UPSTREAM_FAILED]
    if not failed:
        return _without_failures(in_order)
    upstream = {key for task in tasks for key in task.upstream}
    leaves = [task for task in tasks if task.task_key not in upstream]
    if not any(leaf.state.failed or leaf.state.canceled for leaf in leaves):
        return Ending(states.SUCCESS_WITH_FAILURES, text("success_with_failures", count=len(failed)))
    message = text("task_failed", task_key=failed[0].task_key, message=failed[0].message.removesuffix("."))
    if any(task.state is states.UPSTREAM_FAILED for task in tasks):
        message += text("downstream_skipped")
    ours = any(task.state.life_cycle_state == "INTERNAL_ERROR" and not task.state.result_state for task in failed)
    return Ending(states.INTERNAL_ERROR if ours else failed_state, message)


def _without_failures(tasks: list[TaskRecord]) -> Ending:
    canceled = [task for task in tasks if task.state.canceled]
    if canceled:
        return Ending(states.CANCELED, text("task_canceled", task_key=canceled[0].task_key))
    return Ending(states.SUCCESS)
