"""The endpoints that are served: from a request's fields to an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import bodies
from .answers import Answers
from .checks import check_run_now, check_settings
from .engine import Engine
from .errors import invalid
from .records import JobRecord
from .schema import read
from .store import Store

MAX_JOBS_PER_PAGE = 100
DEFAULT_JOBS_PER_PAGE = 20

Fields = dict[str, Any]
Endpoint = Callable[[Fields, str], Fields]

# What the Jobs API has on Databricks and this one lacks, as "method path", and how the paths of other APIs begin.
NOT_SERVED = frozenset(
    {
        "GET jobs/runs/list",
        "GET jobs/runs/export",
        "POST jobs/runs/cancel-all",
        "POST jobs/runs/repair",
        "POST jobs/update",
        "POST jobs/reset",
        "POST jobs/delete",
    }
)
NOT_SERVED_APIS = (
    "clusters/",
    "dbfs/",
    "fs/",
    "instance-pools/",
    "libraries/",
    "permissions/",
    "pipelines",
    "policies/",
    "preview/",
    "repos",
    "secrets/",
    "sql/",
    "token/",
    "unity-catalog/",
    "workspace/",
)


class Endpoints:
    """The endpoints of one workspace. Each takes the fields of the request and the API's version, such as `2.2`.

    Args:
        store: its jobs and runs.
        engine: what runs them.
        answers: what makes the JSON.
    """

    def __init__(self, store: Store, engine: Engine, answers: Answers) -> None:
        self._store = store
        self._engine = engine
        self._answers = answers
        self.served: dict[str, Endpoint] = {
            "POST jobs/runs/submit": self.submit,
            "POST jobs/run-now": self.run_now,
            "POST jobs/create": self.create,
            "GET jobs/get": self.get_job,
            "GET jobs/list": self.list_jobs,
            "GET jobs/runs/get": self.get_run,
            "GET jobs/runs/get-output": self.get_output,
            "POST jobs/runs/cancel": self.cancel,
            "POST jobs/runs/delete": self.delete,
        }

    def submit(self, fields: Fields, _: str) -> Fields:
        """Starts a run that belongs to no job: `run_id`."""
        body = read(bodies.with_tasks(fields), bodies.SUBMIT)
        token = body.pop("idempotency_token", None)
        known = self._store.run_of_token(token)
        if known:
            return {"run_id": known.run_id}
        if not body.get("tasks"):
            raise invalid("no_tasks")
        check_settings(body)
        run = self._store.add_run(body, job=None, overrides={}, token=token)
        self._engine.start(run)
        return {"run_id": run.run_id}

    def run_now(self, fields: Fields, _: str) -> Fields:
        """Starts a run of a job: `run_id`, `number_in_job`."""
        body = read(fields, bodies.RUN_NOW)
        token = body.pop("idempotency_token", None)
        run = self._store.run_of_token(token)
        if run is None:
            job = self._store.job(body.get("job_id", 0))
            check_run_now(body)
            if not job.settings.get("tasks"):
                raise invalid("job_without_tasks", job_id=job.job_id)
            run = self._store.add_run(job.settings, job=job, overrides=body, token=token)
            self._engine.start(run, queue=body.get("queue", {}).get("enabled", job.queue_enabled))
        return {"run_id": run.run_id, "number_in_job": run.run_id}

    def create(self, fields: Fields, version: str) -> Fields:
        """Makes a job: `job_id`."""
        body = read(bodies.with_tasks(fields), bodies.CREATE)
        if not body:
            raise invalid("no_settings")
        check_settings(body)
        queue_enabled = body.get("queue", {}).get("enabled", version == "2.2")
        return {"job_id": self._store.add_job(body, queue_enabled).job_id}

    def get_job(self, fields: Fields, _: str) -> Fields:
        """Answers a job with its tasks."""
        job_id = read(fields, bodies.JOB_ID)["job_id"]
        return self._answers.job(self._store.job(job_id), with_tasks=True)

    def list_jobs(self, fields: Fields, version: str) -> Fields:
        """Answers a page of jobs, newest first: `jobs` if there are any, `next_page_token` unless it is the last."""
        asked = read(fields, bodies.LIST_JOBS)
        limit = asked.get("limit", DEFAULT_JOBS_PER_PAGE)
        if not 1 <= limit <= MAX_JOBS_PER_PAGE:
            raise invalid("bad_limit", limit=MAX_JOBS_PER_PAGE)
        jobs = self._jobs_before(asked.get("page_token", ""), asked.get("name", ""))[max(0, asked.get("offset", 0)) :]
        page, rest = jobs[:limit], jobs[limit:]
        answer: Fields = {}
        if page:
            with_tasks = asked.get("expand_tasks", False)
            answer["jobs"] = [self._answers.job(job, with_tasks=with_tasks) for job in page]
        if rest:
            answer["next_page_token"] = str(page[-1].sequence)
        if version != "2.2":
            answer["has_more"] = bool(rest)
        return answer

    def get_run(self, fields: Fields, _: str) -> Fields:
        """Answers a run, or a task run."""
        run, task = self._store.find(read(fields, bodies.RUN_ID)["run_id"])
        return self._answers.task_run(run, task) if task else self._answers.run(run)

    def get_output(self, fields: Fields, _: str) -> Fields:
        """Answers what a task run left behind."""
        run, task = self._store.find(read(fields, bodies.RUN_ID)["run_id"])
        if task is None:
            raise invalid("output_of_job_run")
        return self._answers.output(run, task)

    def cancel(self, fields: Fields, _: str) -> Fields:
        """Begins to cancel a run or a task run; nothing happens when it is over."""
        self._engine.cancel(*self._store.find(read(fields, bodies.RUN_ID)["run_id"]))
        return {}

    def delete(self, fields: Fields, _: str) -> Fields:
        """Forgets a run that is over."""
        self._store.delete_run(read(fields, bodies.RUN_ID)["run_id"])
        return {}

    def _jobs_before(self, page_token: str, name: str) -> list[JobRecord]:
        """Returns the jobs that come after the page that gave this token, newest first; all of them without a token."""
        if page_token and not (page_token.isascii() and page_token.isdigit()):
            raise invalid("bad_page_token")
        before = float(page_token or "inf")
        jobs = sorted(self._store.jobs.values(), key=lambda job: job.sequence, reverse=True)
        return [job for job in jobs if job.sequence < before and _has_name(job, name)]


def _has_name(job: JobRecord, name: str) -> bool:
    return not name or str(job.settings.get("name", "Untitled")).casefold() == name.casefold()
