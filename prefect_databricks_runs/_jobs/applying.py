"""Creates the saved job of a name, or resets it when a setting differs.

A job is found by its name alone. Databricks lets several jobs have one name, and takes no token for `jobs/create`. So
each request to create a job comes after a search for the name. Of several jobs that were created at once the oldest
stays, and the process that created another one deletes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

import anyio

from .._client.retries import is_worth_retrying, retrying
from .._connect.call import Call
from .._fields import as_int
from ..errors import DatabricksError, JobNameError, JobProtected, NotFound
from ..options import RequestOptions
from .difference import Change, changes_of, digest_of
from .permissions import new_permissions
from .wanted import TAG, Mark, Wanted, without_mark

_ROUNDS: Final = 5
# How long others may take to delete the job that they have created at the same time.
_SETTLE_SECONDS, _PERIOD = 10.0, 0.5

Action = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True)
class Applied:
    """A job after it was applied.

    Attributes:
        action: What was done, or with `is_dry` would be.
        host: The workspace's address.
        name: The job's name.
        job_id: The job; 0 for a job that would be created.
        changes: What was different.
        is_dry: Whether nothing was sent.
    """

    action: Action
    host: str
    name: str
    job_id: int
    changes: tuple[Change, ...] = ()
    is_dry: bool = False

    @property
    def url(self) -> str:
        """The job's page; empty for a job that would be created."""
        return f"{self.host}/jobs/{self.job_id}" if self.job_id else ""


class Applying:
    """One job on its way to Databricks.

    Args:
        call: The workspace, and how requests are tried.
        wanted: The job.
        adopt: Whether to reset a job that was not made here.
        is_dry: Whether to send nothing.
    """

    def __init__(self, call: Call[RequestOptions], wanted: Wanted, *, adopt: bool, is_dry: bool = False) -> None:
        self._hook, self._logger, self._options = call.hook, call.logger, call.options
        self._wanted, self._adopt, self._is_dry = wanted, adopt, is_dry

    async def apply(self) -> Applied:
        """Create the job, or reset it if a setting differs.

        Raises:
            JobNameError: Several jobs have its name.
            JobProtected: It must not be changed.
            DatabricksError: Databricks refused a request, or could not be reached.
        """
        for _ in range(_ROUNDS):
            job_id = await self._find()
            if job_id is None:
                if self._is_dry:
                    return self._applied("created", 0)
                created = await self._create()
                if created is not None:
                    return created
                continue
            try:
                return await self._update(job_id)
            except NotFound:
                self._logger.info("Databricks job %d was deleted in the meantime; looking for its name again.", job_id)
        raise DatabricksError(
            f"Databricks job {self._wanted.name!r} was deleted {_ROUNDS} times while it was applied. Find out who"
            " deletes it, and apply it again."
        )

    async def _find(self) -> int | None:
        """Return the job with the name, after creators at the same time have deleted theirs."""
        jobs = await self._hook.jobs_named(self._wanted.name)
        with anyio.move_on_after(_SETTLE_SECONDS):
            while len(jobs) > 1 and all(map(_is_ours, jobs)):
                await self._hook.clock.sleep(_PERIOD)
                jobs = await self._hook.jobs_named(self._wanted.name)
        job_ids = sorted(job["job_id"] for job in jobs)
        if len(job_ids) > 1:
            advice = "Rename or delete all but one; which of them is meant cannot be known."
            raise JobNameError(self._wanted.name, job_ids, advice)
        return job_ids[0] if job_ids else None

    async def _create(self) -> Applied | None:
        """Create the job; None where a job has the name by now, which is to be looked at."""
        limit, delay = self._options["databricks_retry_limit"], self._options["databricks_retry_delay"]
        try:
            async for attempt in retrying(limit, delay, is_worth_retrying, self._hook.clock, self._logger):
                with attempt:
                    if attempt.retry_state.attempt_number > 1 and await self._hook.jobs_named(self._wanted.name):
                        return None
                    return await self._create_once()
        except DatabricksError as error:
            if not (error.outcome_unknown and await self._hook.jobs_named(self._wanted.name)):
                raise
        return None

    async def _create_once(self) -> Applied | None:
        # Not interrupted: otherwise a second job with the name could be left behind.
        with anyio.CancelScope(shield=True):
            entries = self._wanted.access_control_list
            permissions = {} if entries is None else {"access_control_list": entries}
            job_id = await self._hook.create_job({**self._wanted.tagged(), **permissions})
            if await self._is_first(job_id):
                await self._remember(job_id)
                return self._applied("created", job_id)
        return None

    async def _is_first(self, job_id: int) -> bool:
        """Whether a job that was just created is the oldest of its name; otherwise it is deleted."""
        jobs = await self._hook.jobs_named(self._wanted.name)
        others = [job for job in jobs if job["job_id"] != job_id]
        own = next((_age(job) for job in jobs if job["job_id"] == job_id), None)
        if not others or (own is not None and own < min(map(_age, others))):
            return True
        self._logger.info("Another job %r was created at the same time; deleting job %d.", self._wanted.name, job_id)
        with suppress(NotFound):  # of a try whose answer was lost
            await self._hook.request("POST", "delete", json={"job_id": job_id})
        return False

    async def _update(self, job_id: int) -> Applied:
        settings = (await self._hook.get_job(job_id))["settings"]
        self._check_that_it_may_be_changed(job_id, settings)
        mark = Mark.in_settings(settings)
        changes = self._changes(settings, mark)
        entries, of_permissions = await self._permissions(job_id)
        if not changes and not of_permissions:
            return self._applied("unchanged", job_id)
        if not (mark.is_ours or self._adopt):
            raise self._protected(
                job_id,
                f"it was not made by `apply_job` (it has no tag `{TAG}`), and {_count(changes, of_permissions)} from"
                " the applied job. To take it over, pass `adopt=True` to `apply_job`, or `--adopt` to"
                " `prefect-databricks-runs apply`; or choose another name.",
            )
        if not self._is_dry:
            # First what is refused more often, such as an unknown user: then nothing has been changed.
            if of_permissions:
                await self._hook.set_job_permissions(job_id, entries)
            if changes:
                await self._hook.reset_job(job_id, self._wanted.tagged())
                await self._remember(job_id)
        return self._applied("updated", job_id, (*changes, *of_permissions))

    def _changes(self, settings: Mapping[str, Any], mark: Mark) -> list[Change]:
        is_other = mark.is_ours and mark.digest != self._wanted.digest
        changes = changes_of(self._wanted.settings, without_mark(settings), is_other=is_other)
        return [] if changes and digest_of(changes) == mark.own else changes

    async def _permissions(self, job_id: int) -> tuple[list[dict[str, Any]], list[Change]]:
        if self._wanted.access_control_list is None:
            return [], []
        return new_permissions(self._wanted.access_control_list, await self._hook.get_job_permissions(job_id))

    async def _remember(self, job_id: int) -> None:
        """Remember what Databricks itself has set in a job that was just saved, so that it is never a difference."""
        try:
            settings = without_mark((await self._hook.get_job(job_id))["settings"])
            own = changes_of(self._wanted.settings, settings, is_other=False)
            for each in own:
                self._logger.debug("Databricks keeps job %d in another form: %s", job_id, each)
            if own:
                new = {"tags": self._wanted.tagged(digest_of(own))["tags"]}
                await self._hook.request("POST", "update", json={"job_id": job_id, "new_settings": new})
        except DatabricksError as error:  # the job is saved; at worst it is reset once more
            self._logger.debug("Databricks job %d could not be read after it was saved. %s", job_id, error)

    def _check_that_it_may_be_changed(self, job_id: int, settings: Mapping[str, Any]) -> None:
        deployment = settings.get("deployment")
        if isinstance(deployment, Mapping) and deployment.get("kind") == "BUNDLE":
            raise self._protected(
                job_id, "it belongs to a Databricks bundle, whose next deployment would undo it. Change the bundle."
            )
        is_locked = settings.get("edit_mode") == "UI_LOCKED"
        if is_locked and not (Mark.in_settings(settings).is_ours and self._wanted.settings.get("edit_mode")):
            raise self._protected(
                job_id,
                "it is locked (`edit_mode` is UI_LOCKED), so another tool manages it. Change it there, or choose"
                " another name.",
            )

    def _protected(self, job_id: int, reason: str) -> JobProtected:
        return JobProtected(job_id, self._wanted.name, reason)

    def _applied(self, action: Action, job_id: int, changes: Sequence[Change] = ()) -> Applied:
        return Applied(action, self._hook.host, self._wanted.name, job_id, tuple(changes), self._is_dry)


def _is_ours(job: Mapping[str, Any]) -> bool:
    settings = job.get("settings")
    return isinstance(settings, Mapping) and Mark.in_settings(settings).is_ours


def _age(job: Mapping[str, Any]) -> tuple[int, int]:
    return as_int(job.get("created_time")), job["job_id"]


def _count(*changes: Sequence[Change]) -> str:
    number = sum(map(len, changes))
    return "1 setting differs" if number == 1 else f"{number} settings differ"
