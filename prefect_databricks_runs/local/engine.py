"""All runs that are under way: starting them, letting them wait for each other, cancelling them."""

from __future__ import annotations

from collections import deque

from . import states
from .course import Course
from .records import Ending, RunRecord, TaskRecord
from .store import now_ms
from .texts import text
from .workshop import Workshop


class Engine:
    """The runs of one workspace that are under way. Used only in the server's event loop.

    Args:
        workshop: where tasks are run.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._courses: dict[int, Course] = {}
        self._queues: dict[int, deque[Course]] = {}

    def start(self, run: RunRecord, *, queue: bool = True) -> None:
        """Starts a run, or lets it wait, or skips it, when as many runs of its job as may be are active.

        Args:
            run: the run.
            queue: what to do then: wait (True) or skip (False).
        """
        if run.job is None or self._active(run.job_id) < run.job.max_concurrent_runs:
            self._add(run).begin()
            return
        limit = run.job.max_concurrent_runs
        if not queue or limit == 0:
            self._skip(run, text("skipped_concurrent", limit=limit))
            return
        run.state, run.message = states.QUEUED, text("queued", limit=limit)
        self._queues.setdefault(run.job_id, deque()).append(self._add(run))

    def cancel(self, run: RunRecord, task: TaskRecord | None = None) -> None:
        """Cancels a run, or one task of it; nothing happens when it is over."""
        course = self._courses.get(run.run_id)
        if course is None:
            return
        ending = Ending(states.CANCELED, text("canceled"))
        if task is None:
            course.stop(ending)
        else:
            course.stop_task(task, ending)

    async def close(self) -> None:
        """Cancels all runs and returns when they are over and no child is left."""
        courses = list(self._courses.values())
        for course in courses:
            self.cancel(course.run)
        for course in courses:
            await course.over.wait()

    def _active(self, job_id: int) -> int:
        waiting = len(self._queues.get(job_id, ()))
        return sum(course.run.job_id == job_id for course in self._courses.values()) - waiting

    def _add(self, run: RunRecord) -> Course:
        course = Course(run, self._workshop, self._ended)
        self._courses[run.run_id] = course
        return course

    def _skip(self, run: RunRecord, message: str) -> None:
        ending = Ending(states.MAXIMUM_CONCURRENT_RUNS_REACHED, message)
        for record in (run, *run.tasks):
            record.end(ending, now_ms())

    def _ended(self, course: Course) -> None:
        del self._courses[course.run.run_id]
        job = course.run.job
        if job is None or job.job_id not in self._queues:
            return
        queue = self._queues[job.job_id]
        if course in queue:  # cancelled while it waited
            queue.remove(course)
        while queue and self._active(job.job_id) < job.max_concurrent_runs:
            queue.popleft().begin()
