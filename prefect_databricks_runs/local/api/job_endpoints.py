"""The endpoints of jobs: create, get, list, update, reset, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..accounts.users import Users
from ..bodies import bodies
from ..bodies.access_control import take_grants
from ..bodies.checks import check_settings
from ..bodies.job_settings import replaced, updated
from ..bodies.limits import check_range
from ..bodies.old_form import read_settings
from ..bodies.schema import read
from ..runs.records import JobRecord
from ..runs.store import Store
from ..web.calls import Call, Endpoint, Fields
from ..web.errors import invalid
from ..web.paging import turn_to
from .job_answers import job_answer, listed_job

MAX_JOBS_PER_PAGE = 100
DEFAULT_JOBS_PER_PAGE = 20
MAX_OFFSET = 1000


class JobEndpoints:
    """The endpoints of jobs.

    Args:
        store: The workspace's jobs and runs.
        users: The workspace's users.
        changed: Called with a job whose settings have changed: some settings apply to active runs too.
    """

    def __init__(self, store: Store, users: Users, changed: Callable[[JobRecord], None] | None = None) -> None:
        self._store = store
        self._users = users
        self._changed = changed
        self.served: dict[str, Endpoint] = {
            "POST jobs/create": self.create,
            "GET jobs/get": self.get_job,
            "GET jobs/list": self.list_jobs,
            "POST jobs/update": self.update,
            "POST jobs/reset": self.reset,
            "POST jobs/delete": self.delete,
        }

    def create(self, call: Call) -> Fields:
        """Create a job: `job_id`."""
        body = _settings(call.fields, call.version)
        if not body:
            raise invalid("no_settings")
        grants = take_grants(body, self._users.named(call.user).principal)
        check_settings(body, call.version)
        job = self._store.add_job(
            body,
            queues_by_default=call.version == "2.2",
            user=call.user,
            grants=grants,
        )
        return {"job_id": job.job_id}

    def get_job(self, call: Call) -> Fields:
        """Return a job with its tasks, 100 to a page in 2.2."""
        asked = read(call.fields, bodies.GET_JOB)
        return job_answer(self._store.job(asked["job_id"]), call.version, asked.get("page_token", ""))

    def list_jobs(self, call: Call) -> Fields:
        """Return a page of jobs, newest first: `jobs` if there are any, and the tokens of the pages around it."""
        asked = read(call.fields, bodies.LIST_JOBS)
        name = asked.get("name", "").casefold()
        jobs = sorted(self._store.jobs.values(), key=lambda job: job.sequence, reverse=True)
        page = turn_to(
            [job for job in jobs if not name or job.name.casefold() == name],
            lambda job: job.sequence,
            limit=_limit(asked, call.version, len(jobs)),
            offset=_offset(asked, call.version),
            page_token=asked.get("page_token", ""),
        )
        answer: Fields = {}
        if page.items:
            expand_tasks = asked.get("expand_tasks", False)
            answer["jobs"] = [listed_job(job, call.version, expand_tasks=expand_tasks) for job in page.items]
        if call.version != "2.2":
            answer["has_more"] = page.next_page_token is not None
        return {**answer, **page.tokens}

    def update(self, call: Call) -> Fields:
        """Change some of a job's settings."""
        body = read(call.fields, bodies.UPDATE)
        new_settings = _settings(body.get("new_settings", {}), call.version)
        job = self._store.job(body["job_id"])
        self._change(job, updated(job.settings, new_settings, body.get("fields_to_remove", [])), call.version)
        return {}

    def reset(self, call: Call) -> Fields:
        """Replace all settings of a job. Without a new `run_as`, it keeps the old one."""
        body = read(call.fields, bodies.RESET)
        new_settings = _settings(body.get("new_settings", {}), call.version)
        job = self._store.job(body["job_id"])
        if not new_settings:
            raise invalid("no_settings")
        self._change(job, replaced(job.settings, new_settings), call.version)
        return {}

    def delete(self, call: Call) -> Fields:
        """Delete a job. Its runs stay, and its active runs continue."""
        self._store.delete_job(read(call.fields, bodies.DELETE_JOB)["job_id"])
        return {}

    def _change(self, job: JobRecord, settings: dict[str, Any], version: str) -> None:
        settings.pop("access_control_list", None)  # only the permissions API changes it
        check_settings(settings, version)
        job.settings = settings
        if self._changed:
            self._changed(job)


def _settings(fields: Fields, version: str) -> dict[str, Any]:
    """Return the settings in the new form, with each field read as its type."""
    return read_settings(fields, bodies.CREATE, version)


def _limit(asked: Fields, version: str, count: int) -> int:
    """Return the number of jobs on a page; in 2.0, all jobs unless the request has a `limit`."""
    if version == "2.0" and "limit" not in asked:
        return max(1, count)
    limit: int = asked.get("limit", DEFAULT_JOBS_PER_PAGE)
    if not 1 <= limit <= MAX_JOBS_PER_PAGE:
        raise invalid("bad_limit", limit=MAX_JOBS_PER_PAGE)
    return limit


def _offset(asked: Fields, version: str) -> int:
    check_range(asked, "offset", 0)
    offset: int = asked.get("offset", 0)
    if version != "2.0" and offset > MAX_OFFSET:
        raise invalid("offset_too_large", offset=offset, limit=MAX_OFFSET)
    return offset
