"""The store of the workspace's jobs and runs, by id and by token."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection
from typing import Any

from ..clock import Clock
from ..web.errors import invalid, invalid_state, missing
from . import states
from .records import JobRecord, RepairRecord, RunRecord, TaskRecord

MAX_TOKEN_LENGTH = 64


class Store:
    """The jobs and runs of one workspace. Used only in the server's event loop.

    Args:
        clock: The workspace's time.
        missing_status: The HTTP status for jobs and runs that do not exist: 400, or 404 as in newer workspaces.
    """

    def __init__(self, clock: Clock, missing_status: int = 400) -> None:
        self.jobs: dict[int, JobRecord] = {}
        self.runs: dict[int, RunRecord] = {}
        # The runs that have not finished.
        self.active: dict[int, RunRecord] = {}
        self._clock = clock
        self._missing_status = missing_status
        self._tasks: dict[int, tuple[RunRecord, TaskRecord]] = {}
        self._run_of_token: dict[str, int] = {}
        self._submitted: dict[int, RunRecord] = {}
        self._job_sequence = itertools.count(1)
        self._run_sequence = itertools.count(1)
        self._ids: set[int] = set()
        self._random = random.SystemRandom()

    def now_ms(self) -> int:
        """Return the time in ms since 1970."""
        return int(self._clock.now() * 1000)

    def new_id(self) -> int:
        """Return an id like the ids of Databricks: random, and below 2**53 so that JavaScript can read it."""
        while True:
            number = self._random.randrange(10**14, 10**15)
            if number not in self._ids:
                self._ids.add(number)
                return number

    def add_job(
        self,
        settings: dict[str, Any],
        *,
        queues_by_default: bool,
        user: str,
        grants: dict[tuple[str, str], str] | None = None,
    ) -> JobRecord:
        """Keep a new job and return it.

        Args:
            settings: Its settings, checked.
            queues_by_default: Whether its runs are queued if its settings do not say so.
            user: The user that creates it.
            grants: The permission level of each principal.
        """
        job = JobRecord(
            job_id=self.new_id(),
            sequence=next(self._job_sequence),
            settings=settings,
            created_time=self.now_ms(),
            queues_by_default=queues_by_default,
            creator_user_name=user,
            grants=grants or {},
        )
        self.jobs[job.job_id] = job
        return job

    def job(self, job_id: int) -> JobRecord:
        """Return a job.

        Raises:
            ApiError: The job does not exist.
        """
        if job_id not in self.jobs:
            raise missing("unknown_job", self._missing_status, job_id=job_id)
        return self.jobs[job_id]

    def with_permissions(self, job_id: int) -> JobRecord | RunRecord:
        """Return the job or the submitted run with this job id.

        Raises:
            ApiError: Neither exists.
        """
        return self._submitted[job_id] if job_id in self._submitted else self.job(job_id)

    def active_runs(self, job_id: int) -> list[RunRecord]:
        """Return the runs of a job that have not finished."""
        return [run for run in self.active.values() if run.job_id == job_id]

    def delete_job(self, job_id: int) -> None:
        """Delete a job. Its runs stay, and its active runs continue.

        Raises:
            ApiError: The job does not exist.
        """
        self.job(job_id).deleted = True
        del self.jobs[job_id]

    def add_run(
        self,
        settings: dict[str, Any],
        *,
        job: JobRecord | None,
        overrides: dict[str, Any],
        creator: str,
        token: str | None = None,
        keys: Collection[str] | None = None,
        trigger: str = "ONE_TIME",
        parent: RunRecord | None = None,
        grants: dict[tuple[str, str], str] | None = None,
    ) -> RunRecord:
        """Keep a new run, with one record for each of its tasks, and return it.

        Args:
            settings: The body of `runs/submit`, or the settings of the job.
            job: The job; None for a submitted run.
            overrides: The parameters of `run-now`.
            creator: The name of the user that starts it.
            token: Its idempotency token.
            keys: The tasks that it runs; None for all.
            trigger: The trigger, such as `ONE_TIME`.
            parent: The run with the run-job task that starts it.
            grants: For a submitted run, the permission level of each principal.
        """
        name = overrides.get("run_name") or settings.get("run_name") or settings.get("name") or "Untitled"
        run = RunRecord(
            start_time=self.now_ms(),
            run_id=self.new_id(),
            sequence=next(self._run_sequence),
            job_id=job.job_id if job else self.new_id(),
            run_name=name,
            creator_user_name=creator,
            settings=settings,
            overrides=overrides,
            job=job,
            idempotency_token=token,
            trigger=trigger,
            parent=parent,
            grants=grants or {},
        )
        run.history.append(RepairRecord(start_time=run.start_time, overrides=overrides))
        for task in settings["tasks"]:
            if keys is None or task["task_key"] in keys:
                self._add_attempt(run, TaskRecord(settings=task))
        self.runs[run.run_id] = self.active[run.run_id] = run
        if job is None:
            self._submitted[run.job_id] = run
        if token:
            self._run_of_token[token] = run.run_id
        return run

    def retry(self, run: RunRecord, task: TaskRecord) -> TaskRecord:
        """Return the record of the attempt after `task`."""
        number = task.attempt_number + 1
        record = TaskRecord(settings=task.settings, attempt_number=number, retries=task.retries + 1)
        record.original_attempt_run_id = task.original_attempt_run_id
        record.input, record.parent = task.input, task.parent
        return self._add_iteration(run, record) if task.parent else self._add_attempt(run, record)

    def renew(self, run: RunRecord, task: TaskRecord) -> TaskRecord:
        """Return the record of the first attempt at a task in a repair, with the task's current settings."""
        settings = next(each for each in run.settings["tasks"] if each["task_key"] == task.task_key)
        record = TaskRecord(settings=settings, attempt_number=task.attempt_number + 1)
        record.original_attempt_run_id = task.original_attempt_run_id
        return self._add_attempt(run, record)

    def iteration(self, run: RunRecord, parent: TaskRecord, value: object) -> TaskRecord:
        """Return the record of the first attempt at an iteration of the for-each task `parent`."""
        settings = parent.settings["for_each_task"]["task"]
        return self._add_iteration(run, TaskRecord(settings=settings, input=value, parent=parent))

    def reopened(self, run: RunRecord) -> None:
        """Note that a run is active again."""
        self.active[run.run_id] = run

    def closed(self, run: RunRecord) -> None:
        """Note that a run has finished."""
        self.active.pop(run.run_id, None)

    def find(self, run_id: int) -> tuple[RunRecord, TaskRecord | None]:
        """Return the run with this id, or the run and the attempt if it is the id of a task run.

        Raises:
            ApiError: The run does not exist.
        """
        if run_id in self.runs:
            return self.runs[run_id], None
        if run_id in self._tasks:
            return self._tasks[run_id]
        raise missing("unknown_run", self._missing_status, run_id=run_id)

    def run_of_token(self, token: str | None) -> RunRecord | None:
        """Return the run that was started with this token, whatever its state; None without one.

        Raises:
            ApiError: The token is too long, or its run was deleted.
        """
        if not token:
            return None
        if len(token) > MAX_TOKEN_LENGTH:
            raise invalid("token_too_long", limit=MAX_TOKEN_LENGTH, length=len(token))
        if token not in self._run_of_token:
            return None
        run = self.runs.get(self._run_of_token[token])
        if run is None:
            raise invalid("token_of_deleted_run")
        return run

    def delete_run(self, run_id: int) -> None:
        """Delete a finished run.

        Raises:
            ApiError: The run does not exist, is a task run, or is active.
        """
        run, task = self.find(run_id)
        if task is not None:
            raise invalid("delete_by_task_run", run_id=run_id)
        if not run.state.is_terminal:
            raise invalid_state("delete_active_run", run_id=run_id)
        del self.runs[run.run_id]
        self._submitted.pop(run.job_id, None)
        for task in run.tasks:
            for record in (task, *(task.iterations or ())):
                del self._tasks[record.run_id]

    def _add_attempt(self, run: RunRecord, record: TaskRecord) -> TaskRecord:
        if record.upstream:
            record.state, record.message = states.BLOCKED, ""
        run.tasks.append(record)
        run.current[record.task_key] = record
        run.history[-1].tasks.append(record)
        return self._keep(run, record)

    def _add_iteration(self, run: RunRecord, record: TaskRecord) -> TaskRecord:
        if record.parent is not None and record.parent.iterations is not None:
            record.parent.iterations.append(record)
        return self._keep(run, record)

    def _keep(self, run: RunRecord, record: TaskRecord) -> TaskRecord:
        record.run_id = self.new_id()
        record.original_attempt_run_id = record.original_attempt_run_id or record.run_id
        self._tasks[record.run_id] = (run, record)
        return record
