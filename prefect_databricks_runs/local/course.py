"""The course of one run: its tasks start when what they depend on has succeeded, and end; then the run ends."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable

from . import states
from .records import Ending, RunRecord, TaskRecord
from .store import now_ms
from .texts import text
from .workshop import Workshop

logger = logging.getLogger(__name__)


class Course:
    """Takes one run from its start to its end. Used only in the server's event loop.

    Args:
        run: the run.
        workshop: where its tasks are run.
        ended: called when the run has ended.
    """

    def __init__(self, run: RunRecord, workshop: Workshop, ended: Callable[[Course], None]) -> None:
        self.run = run
        self._workshop = workshop
        self._ended = ended
        self._workers: dict[str, asyncio.Task[Ending]] = {}
        self._task_ended = {task.task_key: asyncio.Event() for task in run.tasks}
        # By task key; None stands for the run as a whole.
        self._timers: dict[str | None, asyncio.TimerHandle] = {}
        self._stops: dict[str | None, Ending] = {}
        self.over = asyncio.Event()

    def begin(self) -> None:
        """Starts the tasks that wait for nothing; the others follow by themselves."""
        self.run.queue_duration = now_ms() - self.run.start_time if self.run.state is states.QUEUED else 0
        self.run.wait(now_ms())
        self._workers = {task.task_key: asyncio.ensure_future(self._carry_out(task)) for task in self.run.tasks}
        for task in self.run.tasks:
            self._workers[task.task_key].add_done_callback(functools.partial(self._settle, task))
        seconds = self.run.timeout_seconds
        if seconds:
            self._set_timer(None, seconds, functools.partial(self.stop, _timed_out(seconds)))

    def stop(self, ending: Ending) -> None:
        """Stops the whole run, which then ends as `ending`. Nothing happens when it is over or being stopped."""
        if self.run.state.is_terminal or None in self._stops:
            return
        self._stops[None] = ending
        self.run.state, self.run.message = states.terminating(ending.state), ending.message
        for task in self.run.tasks:
            # A task that had not begun cannot have run out of time.
            began = task.state is not states.BLOCKED
            self.stop_task(task, ending if began else Ending(states.CANCELED, text("canceled")))
        if not self._workers:
            self._finish()

    def stop_task(self, task: TaskRecord, ending: Ending) -> None:
        """Stops one task, which then ends as `ending`. Nothing happens when it is over or being stopped."""
        if task.state.is_terminal or task.task_key in self._stops:
            return
        self._stops[task.task_key] = ending
        if not self._workers:
            task.end(ending, now_ms())
            return
        task.state, task.message = states.terminating(ending.state), ending.message
        self._workers[task.task_key].cancel()

    async def _carry_out(self, task: TaskRecord) -> Ending:
        """Takes one task to its end and returns it."""
        for task_key in task.upstream:
            await self._task_ended[task_key].wait()
        skipped = self._skipped(task)
        if skipped:
            return skipped
        task.wait(now_ms())
        values = {other.task_key: other.output.values for other in self.run.tasks if other.state.is_terminal}
        return await self._workshop.run(self.run, task, values, functools.partial(self._started, task))

    def _skipped(self, task: TaskRecord) -> Ending | None:
        """Returns how a task ends without running, because of those that it depends on; None when it is to run."""
        upstream = [other.state for other in self.run.tasks if other.task_key in task.upstream]
        if any(state.failed for state in upstream):
            return Ending(states.UPSTREAM_FAILED, text("upstream_failed"))
        if any(state.canceled for state in upstream):
            return Ending(states.UPSTREAM_CANCELED, text("upstream_canceled"))
        return None

    def _started(self, task: TaskRecord) -> None:
        task.run(now_ms())
        self.run.run(now_ms())
        seconds = task.timeout_seconds
        if seconds:
            self._set_timer(task.task_key, seconds, functools.partial(self.stop_task, task, _timed_out(seconds)))

    def _set_timer(self, task_key: str | None, seconds: int, stop: Callable[[], None]) -> None:
        self._timers[task_key] = asyncio.get_running_loop().call_later(seconds, stop)

    def _settle(self, task: TaskRecord, worker: asyncio.Task[Ending]) -> None:
        """Ends a task, however its worker ended: the one place where that happens to a task that was begun."""
        if worker.cancelled():
            ending = self._stops.get(task.task_key, Ending(states.CANCELED, text("canceled")))
        elif error := worker.exception():
            logger.error("Task %s of run %s failed in our own code", task.task_key, self.run.run_id, exc_info=error)
            ending = Ending(states.INTERNAL_ERROR, text("internal_error", error=repr(error)))
            task.output.error = ending.message
        else:
            ending = worker.result()
            task.output = ending.output
        task.end(ending, now_ms())
        self._cancel_timer(task.task_key)
        self._task_ended[task.task_key].set()
        if all(other.state.is_terminal for other in self.run.tasks):
            self._finish()

    def _finish(self) -> None:
        self._cancel_timer(None)
        self.run.end(self._stops.get(None) or _ending(self.run.tasks), now_ms())
        self.over.set()
        self._ended(self)

    def _cancel_timer(self, task_key: str | None) -> None:
        if task_key in self._timers:
            self._timers.pop(task_key).cancel()


def _timed_out(seconds: int) -> Ending:
    return Ending(states.TIMEDOUT, text("timed_out", seconds=seconds))


def _ending(tasks: list[TaskRecord]) -> Ending:
    """Returns how a run ends whose tasks have all ended by themselves."""
    in_order = sorted(tasks, key=lambda task: task.end_time)
    failed = [task for task in in_order if task.state.failed and task.state is not states.UPSTREAM_FAILED]
    if failed:
        message = text("task_failed", task_key=failed[0].task_key, message=failed[0].message)
        if any(task.state is states.UPSTREAM_FAILED for task in tasks):
            message += text("downstream_skipped")
        ours = any(task.state is states.INTERNAL_ERROR for task in failed)
        return Ending(states.INTERNAL_ERROR if ours else states.FAILED, message)
    canceled = [task for task in in_order if task.state is states.CANCELED]
    if canceled:
        return Ending(states.CANCELED, text("task_canceled", task_key=canceled[0].task_key))
    return Ending(states.SUCCESS)
