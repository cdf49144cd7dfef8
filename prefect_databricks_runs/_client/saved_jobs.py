"""Requests about saved jobs: finding, reading, creating and replacing them, and who may do what with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from .._fields import as_id, as_int
from ..errors import JobNameError
from .requests import Requests, items

_PERMISSIONS = "/api/2.0/permissions/jobs"
_JOBS_A_PAGE: Final = 100
# The lists of a job's settings that come in pages.
_PAGED = frozenset(("tasks", "job_clusters", "environments", "parameters"))
# A job has at most 1,000 tasks, and a workspace at most 12,000 saved jobs.
_MOST_PAGES: Final = 500


class SavedJobRequests(Requests):
    """The requests about saved jobs."""

    async def find_job(self, job_name: str) -> int:
        """Find the id of the only job with a name, with `GET list`. Upper and lower case do not matter.

        Raises:
            JobNameError: No job or several jobs have this name.
        """
        job_ids: list[int] = [job["job_id"] for job in await self.jobs_named(job_name)]
        if len(job_ids) != 1:
            raise JobNameError(job_name, job_ids)
        return job_ids[0]

    async def jobs_named(self, job_name: str) -> list[dict[str, Any]]:
        """Read the jobs with a name, with `GET list`; upper and lower case do not matter.

        Args:
            job_name: The name.

        Returns:
            Each with its `job_id`, `created_time` and the `settings` that a list has, without tasks.
        """
        if not job_name:  # which Databricks would read as any name
            return []
        jobs: list[dict[str, Any]] = []
        params = {"name": job_name, "limit": _JOBS_A_PAGE}
        async for page in self._pages("list", params, _listed_jobs, _MOST_PAGES, are_kept=True):
            jobs += page
        return jobs

    async def get_job(self, job_id: int) -> dict[str, Any]:
        """Read a job with all its tasks and job clusters, with as many `GET get` as it has pages.

        Args:
            job_id: The job.

        Raises:
            NotFound: The job does not exist, or was deleted.
        """
        params = {"job_id": job_id}
        read = partial(_page_of_job, job_id)
        pages = [page async for page in self._pages("get", params, read, _MOST_PAGES, are_kept=True)]
        return merge_job_pages(pages)

    async def create_job(self, settings: Mapping[str, Any]) -> int:
        """Make a job, with `POST create`. Tried once: sent again after a lost answer, it would make a second job.

        Args:
            settings: The request body.

        Returns:
            The job's `job_id`.
        """
        hook = self.trying_once()
        job_id, _ = await hook._exchange("POST", "create", lambda answer: as_id(answer["job_id"]), json=settings)
        return job_id

    async def reset_job(self, job_id: int, settings: Mapping[str, Any]) -> None:
        """Replace all settings of a job, with `POST reset`.

        Args:
            job_id: The job.
            settings: All its new settings. Its permissions stay, and without a `run_as` that stays too.
        """
        await self.request("POST", "reset", json={"job_id": job_id, "new_settings": settings})

    async def get_job_permissions(self, job_id: int) -> list[dict[str, Any]]:
        """Read who may do what with a job, with `GET /api/2.0/permissions/jobs/{job_id}`.

        Args:
            job_id: The job.

        Returns:
            Each entry with its principal and `all_permissions`, inherited ones too.
        """
        entries, _ = await self._exchange("GET", f"{_PERMISSIONS}/{job_id}", _permissions)
        return entries

    async def set_job_permissions(self, job_id: int, entries: Sequence[Mapping[str, Any]]) -> None:
        """Replace who may do what with a job, with `PUT /api/2.0/permissions/jobs/{job_id}`.

        Args:
            job_id: The job.
            entries: Each with a principal and a `permission_level`.
        """
        await self.request("PUT", f"{_PERMISSIONS}/{job_id}", json={"access_control_list": list(entries)})


def _listed_jobs(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**job, "job_id": as_id(job["job_id"])} for job in items(page, "jobs")]


def _page_of_job(job_id: int, page: dict[str, Any]) -> dict[str, Any]:
    """Read a page of `get`, if it is about the job that was asked for: a proxy may answer with another one."""
    if as_int(page.get("job_id")) != job_id or not isinstance(page.get("settings"), dict):
        raise ValueError("the answer is about another job, or has no settings")
    return page


def merge_job_pages(pages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a job as one answer would have it; the lists in its settings come in pages.

    Args:
        pages: The answers of `get`, in their order.
    """
    settings: dict[str, Any] = {}
    for page in pages:
        for key, value in page["settings"].items():
            there = settings.get(key)
            settings[key] = [*there, *value] if key in _PAGED and there and isinstance(value, list) else value
    return {**pages[0], "settings": settings}


def _permissions(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(entry) for entry in items(answer, "access_control_list")]
