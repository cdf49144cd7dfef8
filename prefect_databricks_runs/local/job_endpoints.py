"""The endpoints of jobs: create, get, list."""

from __future__ import annotations

from . import bodies
from .answers import Answers
from .calls import Call, Endpoint, Fields
from .checks import check_settings
from .errors import invalid
from .records import JobRecord
from .schema import read
from .store import Store

MAX_JOBS_PER_PAGE = 100
DEFAULT_JOBS_PER_PAGE = 20


class JobEndpoints:
    """The endpoints of jobs.

    Args:
        store: the workspace's jobs and runs.
        answers: what makes the JSON.
    """

    def __init__(self, store: Store, answers: Answers) -> None:
        self._store = store
        self._answers = answers
        self.served: dict[str, Endpoint] = {
            "POST jobs/create": self.create,
            "GET jobs/get": self.get_job,
            "GET jobs/list": self.list_jobs,
        }

    def create(self, call: Call) -> Fields:
        """Makes a job: `job_id`."""
        body = read(bodies.with_tasks(call.fields), bodies.CREATE)
        if not body:
            raise invalid("no_settings")
        check_settings(body)
        queue_enabled = body.get("queue", {}).get("enabled", call.version == "2.2")
        return {"job_id": self._store.add_job(body, queue_enabled, call.user).job_id}

    def get_job(self, call: Call) -> Fields:
        """Answers a job with its tasks."""
        job_id = read(call.fields, bodies.JOB_ID)["job_id"]
        return self._answers.job(self._store.job(job_id), with_tasks=True)

    def list_jobs(self, call: Call) -> Fields:
        """Answers a page of jobs, newest first: `jobs` if there are any, `next_page_token` unless it is the last."""
        asked = read(call.fields, bodies.LIST_JOBS)
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
        if call.version != "2.2":
            answer["has_more"] = bool(rest)
        return answer

    def _jobs_before(self, page_token: str, name: str) -> list[JobRecord]:
        """Returns the jobs that come after the page that gave this token, newest first; all of them without a token."""
        if page_token and not (page_token.isascii() and page_token.isdigit()):
            raise invalid("bad_page_token")
        before = float(page_token or "inf")
        jobs = sorted(self._store.jobs.values(), key=lambda job: job.sequence, reverse=True)
        return [job for job in jobs if job.sequence < before and _has_name(job, name)]


def _has_name(job: JobRecord, name: str) -> bool:
    return not name or str(job.settings.get("name", "Untitled")).casefold() == name.casefold()
