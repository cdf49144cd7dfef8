"""The work of `prefect-databricks-runs deploy`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from .._check.found import found
from .._connect.call import plain_call
from .._jobs.difference import Change
from .._jobs.schedules import active_starters
from .._prefect.compat import block_reference, deployment_url
from .._prefect.logging import run_logger
from .._prefect.paging import read_all
from .._prefect.urls import no_answer_of_prefect, without_sign_in
from .._text import one_line, quoted
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError, InvalidOption, JobNameError
from .deployment import FLOW, WantedDeployment, changes_of, parameters_of, read, save, schedules_there
from .form import SavedJob, form_of
from .schedules import cron_schedule

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

_REFUSED_IN_NAMES = re.compile(r"[/%&<>]")  # by Prefect


class PrefectRefused(DatabricksError):
    """Prefect did not answer, or did not take the deployment."""


@dataclass(frozen=True)
class Wanted:
    """The arguments of the command.

    Attributes:
        job: The job, by its name or id.
        block: The name of the saved credentials.
        pool: The work pool.
        name: The name of the deployment; None for that of the job.
        cron: When it runs; None for the schedules that it has.
        timezone: Of `cron`.
        no_schedule: Whether its schedules are removed.
        values: For parameters of the job.
    """

    job: str
    block: str
    pool: str
    name: str | None = None
    cron: str | None = None
    timezone: str | None = None
    no_schedule: bool = False
    values: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Deployed:
    """A deployment after the command.

    Attributes:
        action: What was done.
        name: Its name, with that of the flow.
        deployment_id: Its id.
        job: The job.
        pool: Its work pool.
        changes: What differed; all of it if it is new.
        url: Its page; empty where that is not known.
        warnings: What the user should look at.
    """

    action: Literal["created", "updated", "unchanged"]
    name: str
    deployment_id: UUID
    job: SavedJob
    pool: str
    changes: list[Change]
    url: str
    warnings: list[str]


async def deploy(wanted: Wanted) -> Deployed:
    """Make or update a deployment; whatever is wrong is found before anything is sent to Prefect.

    Args:
        wanted: What is asked for.

    Raises:
        InvalidOption: An option that makes no sense.
        InvalidCredentials: The block does not exist.
        JobNameError: No job has that name, or several have.
        PrefectRefused: Prefect did not answer, or did not take the deployment.
        DatabricksError: The job could not be read.
    """
    schedule = cron_schedule(wanted.cron, wanted.timezone) if wanted.cron is not None else None
    credentials = (await found(wanted.block, None)).credentials
    try:
        async with get_client() as client:
            await _check_pool(client, wanted.pool)
            job = await _job(credentials, wanted.job)
            _check_values(job, wanted.values or {})
            name = _REFUSED_IN_NAMES.sub("-", job.name) if wanted.name is None else wanted.name
            _check_name(name)
            there = await read(client, name)
            if there and wanted.name is None:
                _check_job(there, job)
            schedules = [] if wanted.no_schedule else [schedule] if schedule else schedules_there(there)
            values = _values(job, wanted, there)
            new = WantedDeployment(
                name=name,
                pool=wanted.pool,
                block=wanted.block,
                parameters=_parameters(credentials, job, values, there),
                schema=form_of(job, values),
                schedules=schedules,
                description=f"Runs the Databricks job `{job.name}`: {credentials.host}/jobs/{job.job_id}",
            )
            changes = changes_of(new, there)
            if there and not changes:
                deployment_id = there.id
            else:
                deployment_id = await save(client, new, there)
    except httpx.HTTPStatusError as error:
        reason = one_line(error.response.text or without_sign_in(str(error)))
        raise PrefectRefused(f"Prefect refused the deployment: {reason}") from None
    except httpx.HTTPError as error:
        raise PrefectRefused(no_answer_of_prefect(error)) from None
    return Deployed(
        "created" if not there else "updated" if changes else "unchanged",
        f"{FLOW}/{name}",
        deployment_id,
        job,
        wanted.pool,
        changes,
        deployment_url(deployment_id),
        list(warnings_of(job, new.schedules)),
    )


def _values(job: SavedJob, wanted: Wanted, there: DeploymentResponse | None) -> dict[str, str]:
    """Return the values for parameters of the job: those of the deployment that the job still has, and the new ones."""
    earlier = parameters_of(there).get("job_parameters") or {}
    return {**{key: value for key, value in earlier.items() if key in job.defaults}, **(wanted.values or {})}


def _parameters(
    credentials: DatabricksCredentials, job: SavedJob, values: Mapping[str, str], there: DeploymentResponse | None
) -> dict[str, Any]:
    earlier = parameters_of(there)
    others = {key: value for key, value in earlier.items() if key not in ("job_name", "job_id", "job_parameters")}
    return {
        **others,
        **job.named,
        **({"job_parameters": dict(values)} if values else {}),
        "databricks_credentials": block_reference(credentials._block_document_id),
    }


async def _check_pool(client: PrefectClient, pool: str) -> None:
    if not pool.strip():  # which Prefect would read as all pools
        raise InvalidOption(["--pool is empty; pass the name of a work pool."])
    try:
        await client.read_work_pool(pool)
    except ObjectNotFound:
        known = sorted(each.name for each in await read_all(client.read_work_pools))
        raise InvalidOption(
            [
                f"The work pool {quoted(pool)} does not exist. There are: {', '.join(map(quoted, known)) or 'none'}."
                f" Make it with `prefect work-pool create`."
            ]
        ) from None


async def _job(credentials: DatabricksCredentials, job: str) -> SavedJob:
    hook = plain_call(credentials, run_logger()).hook
    by_name = not job.isascii() or not job.isdigit()
    try:
        job_id = await hook.find_job(job) if by_name else int(job)
    except JobNameError as error:
        advice = "Pass the id of the job instead of its name."
        raise JobNameError(job, error.job_ids, advice) from None
    return SavedJob.of(await hook.get_job(job_id), by_name=by_name)


def _check_values(job: SavedJob, values: Mapping[str, str]) -> None:
    unknown = [each for each in values if each not in job.defaults]
    if unknown:
        known = ", ".join(job.defaults) or "none"
        raise InvalidOption(
            [f"The job {quoted(job.name)} has no parameter {', '.join(map(quoted, unknown))}. It has: {known}."]
        )


def _check_name(name: str) -> None:
    if _REFUSED_IN_NAMES.search(name) or not name.strip():
        raise InvalidOption([f"--name {quoted(name)} cannot be the name of a deployment: leave out / % & < and >."])


def _check_job(there: DeploymentResponse, job: SavedJob) -> None:
    """Refuse to make another job's deployment one of this job, unless the user names it."""
    earlier = parameters_of(there)
    other = {key: earlier[key] for key in ("job_name", "job_id") if earlier.get(key) is not None}
    if other and other not in ({"job_name": job.name}, {"job_id": job.job_id}):
        ((key, value),) = list(other.items())[:1]
        raise InvalidOption(
            [f"The deployment {FLOW}/{there.name} runs another job, {key} {quoted(str(value))}. Use another --name."]
        )


def warnings_of(job: SavedJob, schedules: Sequence[Any]) -> list[str]:
    """Return what a user should look at: a job that both Databricks and Prefect start.

    Args:
        job: The job.
        schedules: Those of the deployment.
    """
    starters = list(active_starters(job.settings))
    if not starters or not any(each.active is not False for each in schedules):
        return []
    return [
        f"The job has a `{starters[0]}` that is active, and the deployment has a schedule too: both start the job. Keep"
        " one of them; a paused one has `pause_status` PAUSED in the job."
    ]
