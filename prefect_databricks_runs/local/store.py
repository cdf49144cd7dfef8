"""Where the workspace keeps its jobs and runs: by id, by token, by name."""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

from . import states
from .errors import invalid, invalid_state
from .records import JobRecord, RunRecord, TaskRecord

MAX_TOKEN_LENGTH = 64


def now_ms() -> int:
    """Returns the time in ms since 1970."""
    return time.time_ns() // 1_000_000


class Store:
    """The jobs and runs of one workspace. Used only in the server's event loop."""

    def __init__(self) -> None:
        self.jobs: dict[int, JobRecord] = {}
        self.runs: dict[int, RunRecord] = {}
        self._run_of_task: dict[int, RunRecord] = {}
        self._run_of_token: dict[str, int] = {}
        self._sequence = itertools.count(1)
        self._ids: set[int] = set()
        self._random = random.SystemRandom()

    def new_id(self) -> int:
        """Returns an id that looks like those of Databricks: random, and below 2**53 so that JavaScript can read it."""
        while True:
            number = self._random.randrange(10**14, 10**15)
            if number not in self._ids:
                self._ids.add(number)
                return number

    def add_job(self, settings: dict[str, Any], queue_enabled: bool, creator: str) -> JobRecord:
        """Keeps a new job and returns it."""
        job = JobRecord(self.new_id(), next(self._sequence), settings, now_ms(), queue_enabled, creator)
        self.jobs[job.job_id] = job
        return job

    def job(self, job_id: int) -> JobRecord:
        """Returns a job.

        Raises:
            ApiError: there is no such job.
        """
        if job_id not in self.jobs:
            raise invalid("unknown_job", job_id=job_id)
        return self.jobs[job_id]

    def add_run(
        self,
        settings: dict[str, Any],
        *,
        job: JobRecord | None,
        overrides: dict[str, Any],
        token: str | None,
        creator: str,
    ) -> RunRecord:
        """Keeps a new run, with one record for each of its tasks, and returns it."""
        name = overrides.get("run_name") or settings.get("run_name") or settings.get("name") or "Untitled"
        run = RunRecord(
            start_time=now_ms(),
            run_id=self.new_id(),
            job_id=job.job_id if job else self.new_id(),
            run_name=name,
            settings=settings,
            overrides=overrides,
            job=job,
            idempotency_token=token,
            creator_user_name=creator,
        )
        run.tasks = [self._new_task(task) for task in settings["tasks"]]
        self.runs[run.run_id] = run
        self._run_of_task.update({task.run_id: run for task in run.tasks})
        if token:
            self._run_of_token[token] = run.run_id
        return run

    def _new_task(self, settings: dict[str, Any]) -> TaskRecord:
        task = TaskRecord(run_id=self.new_id(), settings=settings)
        if task.upstream:
            task.state, task.message = states.BLOCKED, ""
        return task

    def find(self, run_id: int) -> tuple[RunRecord, TaskRecord | None]:
        """Returns the run with this id, or the run and the task when it is the id of a task run.

        Raises:
            ApiError: there is no such run.
        """
        if run_id in self.runs:
            return self.runs[run_id], None
        if run_id in self._run_of_task:
            run = self._run_of_task[run_id]
            return run, next(task for task in run.tasks if task.run_id == run_id)
        raise invalid("unknown_run", run_id=run_id)

    def run_of_token(self, token: str | None) -> RunRecord | None:
        """Returns the run that was started with this token, whatever its state; None when there is none.

        Raises:
            ApiError: the token is too long, or its run was deleted.
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
        """Forgets a run that is over.

        Raises:
            ApiError: there is no such run, or it is active.
        """
        run, _ = self.find(run_id)
        if not run.state.is_terminal:
            raise invalid_state("delete_active_run", run_id=run_id)
        del self.runs[run.run_id]
        for task in run.tasks:
            del self._run_of_task[task.run_id]
