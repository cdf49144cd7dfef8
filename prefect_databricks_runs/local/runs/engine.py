"""All runs that are under way: starting them, letting them wait for each other, repairing and cancelling them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import Callable, Collection
from typing import Any

from ..clock import Clock
from ..texts import text
from . import states
from .attempts import CANCELED, Going
from .composed import CannotRunError
from .course import Course
from .records import Ending, JobRecord, RepairRecord, RunRecord, TaskRecord
from .store import Store
from .works import Works

Over = Callable[[RunRecord], None]

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 10.0


class Engine:
    """The runs of one workspace that are under way. Used only in the server's event loop.

    Args:
        store: the workspace's jobs and runs.
        clock: its time.
        works: who does the work of tasks.
        failed_state: the state of a run of which a task failed.
    """

    def __init__(self, store: Store, clock: Clock, works: Works, failed_state: states.State = states.FAILED) -> None:
        self._store = store
        self._clock = clock
        self._works = works
        self._failed_state = failed_state
        self._courses: dict[int, Course] = {}
        self._queues: dict[int, deque[Course]] = {}
        # Courses that run, of each job.
        self._running: dict[int, int] = {}
        self._over: dict[int, Over] = {}
        self._empty = asyncio.Event()
        works.starter = self

    def start(self, run: RunRecord, *, queue: bool = True, over: Over | None = None) -> None:
        """Start a run; let it wait, or skip it, when as many runs of its job as allowed are active.

        Args:
            run: the run.
            queue: what to do then: wait (True) or skip (False).
            over: called when it has ended.
        """
        if over:
            self._over[run.run_id] = over
        limit = run.job.max_concurrent_runs if run.job else None
        if limit is None or self._has_place(run) or (queue and limit > 0):
            self._admit(run, run.current)
        else:
            ending = _skipped(limit)
            now = self._store.now_ms()
            for record in (run, run.history[-1], *run.tasks):
                record.end(ending, now)
            self._clock.call_later(0, functools.partial(self._tell, run))

    def start_child(self, parent: RunRecord, settings: dict[str, Any], over: Over) -> RunRecord:
        """Start a run of the job that a run-job task names.

        Raises:
            CannotRunError: there is no such job, or it is already going in this chain of runs.
        """
        job = self._store.jobs.get(settings["job_id"])
        if job is None:
            raise CannotRunError(states.NOT_FOUND, text("unknown_job", job_id=settings["job_id"]))
        if not job.settings.get("tasks"):
            raise CannotRunError(states.INVALID_CONFIGURATION, text("job_without_tasks", job_id=job.job_id))
        ancestor: RunRecord | None = parent
        while ancestor:
            if ancestor.job is job:
                raise CannotRunError(states.INVALID_CONFIGURATION, text("job_runs_itself", job_id=job.job_id))
            ancestor = ancestor.parent
        overrides = {name: value for name, value in settings.items() if name != "job_id"}
        run = self._store.add_run(
            job.settings,
            job=job,
            overrides=overrides,
            creator=parent.creator_user_name,
            trigger="RUN_JOB_TASK",
            parent=parent,
        )
        self.start(run, queue=job.queue_enabled, over=over)
        return run

    def repair(self, run: RunRecord, settings: dict[str, Any], keys: Collection[str], overrides: dict[str, Any]) -> int:
        """Run some tasks of a run that is over once more, and return the repair's id.

        Args:
            run: the run.
            settings: those that its job has now.
            keys: the tasks.
            overrides: the parameters that the request gave.
        """
        repair = RepairRecord(repair_id=self._store.new_id(), overrides=overrides)
        run.history.append(repair)
        run.settings, run.overrides = settings, overrides
        for key in keys:
            self._store.renew(run, run.current[key])
        run.end_time = run.running_since = 0
        self._store.reopened(run)
        run.wait(self._store.now_ms())
        repair.start_time = self._store.now_ms()
        self._admit(run, keys)
        return repair.repair_id or 0

    def cancel(self, run: RunRecord, task: TaskRecord | None = None, *, at_once: bool = False) -> None:
        """Cancel a run, or one task of it; nothing happens when it is over.

        Args:
            run: the run.
            task: the attempt; None for the run as a whole.
            at_once: leave out clean-ups of the run that only pass time.
        """
        course = self._courses.get(run.run_id)
        if course is None:
            return
        if task is None:
            self._clock.call_later(0, functools.partial(course.stop, CANCELED, at_once=at_once))
        else:
            self._clock.call_later(0, functools.partial(course.stop_task, task))

    def job_changed(self, job: JobRecord) -> None:
        """Hold the active runs of a job to the time-out and the number of concurrent runs that it now has."""
        for course in self._courses.values():
            if course.run.job is job:
                self._clock.call_later(0, course.set_timeout)
        if job.max_concurrent_runs == 0:
            for course in list(self._queues.get(job.job_id, ())):
                self._clock.call_later(0, functools.partial(course.stop, _skipped(0)))
        self._let_in(job)

    async def close(self) -> None:
        """Cancel all runs and return when they are over and no child is left."""
        for course in list(self._courses.values()):
            self._clock.call_later(0, functools.partial(course.stop, CANCELED, at_once=True))
        deadline = asyncio.get_running_loop().time() + CLOSE_SECONDS
        while self._courses and asyncio.get_running_loop().time() < deadline:
            self._empty.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._empty.wait(), CLOSE_SECONDS)
        if self._courses:
            logger.error("Runs did not end when the local workspace stopped: %s", list(self._courses))

    def _course(self, run: RunRecord, keys: Collection[str]) -> Course:
        going = Going(run, self._clock, self._works, self._store)
        course = Course(going, keys, self._failed_state, self._ended)
        self._courses[run.run_id] = course
        return course

    def _begin(self, course: Course) -> None:
        self._running[course.run.job_id] = self._running.get(course.run.job_id, 0) + 1
        self._clock.call_later(0, course.open)

    def _ended(self, course: Course) -> None:
        run = course.run
        del self._courses[run.run_id]
        if not self._courses:
            self._empty.set()
        queue = self._queues.get(run.job_id, ())
        if course in queue:  # cancelled while it waited
            self._queues[run.job_id].remove(course)
        else:
            self._running[run.job_id] -= 1
        if not self._running.get(run.job_id):
            self._running.pop(run.job_id, None)
        if run.job:
            self._let_in(run.job)
        self._tell(run)

    def _admit(self, run: RunRecord, keys: Collection[str]) -> None:
        """Begin a run or a repair, or let it wait until there is a place."""
        course = self._course(run, keys)
        if self._has_place(run):
            self._begin(course)
            return
        limit = run.job.max_concurrent_runs if run.job else 0
        run.state, run.message = states.QUEUED, text("queued", limit=limit)
        self._queues.setdefault(run.job_id, deque()).append(course)

    def _has_place(self, run: RunRecord) -> bool:
        return run.job is None or self._running.get(run.job_id, 0) < run.job.max_concurrent_runs

    def _let_in(self, job: JobRecord) -> None:
        """Begin runs of a job that wait, as many as there are places."""
        queue = self._queues.get(job.job_id)
        while queue and self._running.get(job.job_id, 0) < job.max_concurrent_runs:
            self._begin(queue.popleft())
        if not queue:
            self._queues.pop(job.job_id, None)

    def _tell(self, run: RunRecord) -> None:
        self._store.closed(run)
        over = self._over.pop(run.run_id, None)
        if over:
            over(run)


def _skipped(limit: int) -> Ending:
    return Ending(states.MAXIMUM_CONCURRENT_RUNS_REACHED, text("skipped_concurrent", limit=limit))
