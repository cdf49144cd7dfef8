"""All active runs: start, queue, repair and cancel them."""

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
from ..web.errors import ApiError
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
DEFAULT_MAX_ACTIVE_RUNS = 2000


class Engine:
    """The active runs of one workspace. Used only in the server's event loop.

    Args:
        store: The workspace's jobs and runs.
        clock: The workspace's time.
        works: Does the work of tasks.
        failed_state: The state of a run with a failed task.
        max_active_runs: The number of runs that may be active at once, not counting queued runs.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        works: Works,
        failed_state: states.State = states.FAILED,
        max_active_runs: int = DEFAULT_MAX_ACTIVE_RUNS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._works = works
        self._failed_state = failed_state
        self._max_active_runs = max_active_runs
        self._courses: dict[int, Course] = {}
        self._queues: dict[int, deque[Course]] = {}
        # The number of running courses of each job.
        self._running: dict[int, int] = {}
        self._over: dict[int, Over] = {}
        self._empty = asyncio.Event()
        works.starter = self

    def check_place(self) -> None:
        """Check that another run can start at once.

        Raises:
            ApiError: The workspace has reached its limit of active runs.
        """
        count = self._active
        if count >= self._max_active_runs:
            message = text("too_many_active_runs", count=count, limit=self._max_active_runs)
            raise ApiError(429, "REQUEST_LIMIT_EXCEEDED", message)

    def start(self, run: RunRecord, *, queue: bool = True, over: Over | None = None) -> None:
        """Start a run. If its job has reached its limit of concurrent runs, the run is queued or skipped.

        The run is also queued if the workspace has reached its limit of active runs.

        Args:
            run: The run.
            queue: Whether to queue the run (True) or skip it (False) at the limit of its job.
            over: Called when the run has ended.
        """
        if over:
            self._over[run.run_id] = over
        limit = run.job.max_concurrent_runs if run.job else None
        if limit is None or self._job_has_place(run) or (queue and limit > 0):
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
            CannotRunError: The job does not exist, has no tasks, or is already running in this chain of runs.
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
        """Run some tasks of a finished run again, and return the repair's id.

        Args:
            run: The run.
            settings: The current settings of its job.
            keys: The tasks.
            overrides: The parameters in the request.
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
        """Cancel a run, or one task of it, unless it has finished.

        Args:
            run: The run.
            task: The attempt; None for the whole run.
            at_once: Whether to skip simulated cleanups of the run.
        """
        course = self._courses.get(run.run_id)
        if course is None:
            return
        if task is None:
            self._clock.call_later(0, functools.partial(course.stop, CANCELED, at_once=at_once))
        else:
            self._clock.call_later(0, functools.partial(course.stop_task, task))

    def job_changed(self, job: JobRecord) -> None:
        """Apply a job's new timeout and its new limit of concurrent runs to its active runs."""
        for course in self._courses.values():
            if course.run.job is job:
                self._clock.call_later(0, course.set_timeout)
        if job.max_concurrent_runs == 0:
            for course in list(self._queues.get(job.job_id, ())):
                self._clock.call_later(0, functools.partial(course.stop, _skipped(0)))
        self._let_in(job.job_id)

    async def close(self) -> None:
        """Cancel all runs, and return when they have finished and no child process is left."""
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
        for job_id in list(self._queues):
            self._let_in(job_id)
        self._tell(run)

    def _admit(self, run: RunRecord, keys: Collection[str]) -> None:
        """Begin a run or a repair, or queue it."""
        course = self._course(run, keys)
        if self._has_place(run):
            self._begin(course)
            return
        if run.job and not self._job_has_place(run):
            run.state, run.message = states.QUEUED, text("queued", limit=run.job.max_concurrent_runs)
        else:
            run.state, run.message = states.QUEUED_TASK, text("queued_task")
        self._queues.setdefault(run.job_id, deque()).append(course)

    @property
    def _active(self) -> int:
        return sum(self._running.values())

    def _has_place(self, run: RunRecord) -> bool:
        return self._active < self._max_active_runs and self._job_has_place(run)

    def _job_has_place(self, run: RunRecord) -> bool:
        return run.job is None or self._running.get(run.job_id, 0) < run.job.max_concurrent_runs

    def _let_in(self, job_id: int) -> None:
        """Begin the queued runs of a job, up to its limit."""
        queue = self._queues.get(job_id)
        while queue and self._has_place(queue[0].run):
            self._begin(queue.popleft())
        if not queue:
            self._queues.pop(job_id, None)

    def _tell(self, run: RunRecord) -> None:
        self._store.closed(run)
        over = self._over.pop(run.run_id, None)
        if over:
            over(run)


def _skipped(limit: int) -> Ending:
    return Ending(states.MAXIMUM_CONCURRENT_RUNS_REACHED, text("skipped_concurrent", limit=limit))
