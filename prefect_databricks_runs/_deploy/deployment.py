"""A deployment as it is wanted, beside what Prefect has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.exceptions import ObjectNotFound

from .._jobs.difference import Change
from .._jobs.masking import shown
from .._prefect.compat import PREFECT_3
from ..flows import run_now_and_wait
from .schedules import in_words, kept

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.responses import DeploymentResponse

ENTRYPOINT = "prefect_databricks_runs.flows.run_now_and_wait"
TAG = "databricks"
_CREDENTIALS = "databricks_credentials"
FLOW = run_now_and_wait.name


@dataclass(frozen=True)
class WantedDeployment:
    """A deployment as it is to be.

    Attributes:
        name: Its name.
        pool: Its work pool.
        block: The name of the credentials.
        parameters: Those of each run, unless the run has its own.
        schema: Of its form.
        schedules: All of its schedules.
        description: Shown on its page if it is new.
    """

    name: str
    pool: str
    block: str
    parameters: Mapping[str, Any]
    schema: Mapping[str, Any]
    schedules: list[DeploymentScheduleCreate]
    description: str


async def read(client: PrefectClient, name: str) -> DeploymentResponse | None:
    """Return the deployment of a name, or None.

    Args:
        client: Prefect's.
        name: Without that of the flow.
    """
    try:
        return await client.read_deployment_by_name(f"{FLOW}/{name}")
    except ObjectNotFound:
        return None


async def save(client: PrefectClient, wanted: WantedDeployment, there: DeploymentResponse | None) -> UUID:
    """Make the deployment, or update it with one request; what this command does not set stays.

    Args:
        client: Prefect's.
        wanted: The deployment.
        there: As Prefect has it.
    """
    stays: dict[str, Any] = {"description": wanted.description, "tags": [TAG]}
    if there is not None:
        names = ["description", "tags", "version", "job_variables", "paused"]
        if there.work_pool_name == wanted.pool:
            names.append("work_queue_name")
        stays = {name: getattr(there, name) for name in names}
        limit = getattr(there, "global_concurrency_limit", None)
        if limit is not None:  # of Prefect 3
            stays |= {"concurrency_limit": limit.limit, "concurrency_options": there.concurrency_options}
    return await client.create_deployment(
        await client.create_flow(run_now_and_wait),
        wanted.name,
        entrypoint=ENTRYPOINT,
        work_pool_name=wanted.pool,
        parameters=dict(wanted.parameters),
        parameter_openapi_schema=dict(wanted.schema),
        # Prefect 2 would validate the reference to the block against the fields of the block.
        enforce_parameter_schema=PREFECT_3,
        schedules=wanted.schedules,
        **stays,
    )


def parameters_of(there: DeploymentResponse | None) -> dict[str, Any]:
    """Return the parameters that a deployment has."""
    return dict(there.parameters or {}) if there else {}


def changes_of(wanted: WantedDeployment, there: DeploymentResponse | None) -> list[Change]:
    """Return what differs.

    Args:
        wanted: The deployment.
        there: As Prefect has it.
    """
    after = dict(_seen(wanted.pool, ENTRYPOINT, wanted.parameters, wanted.schema, wanted.schedules))
    before = (
        dict(
            _seen(
                there.work_pool_name,
                there.entrypoint,
                there.parameters,
                there.parameter_openapi_schema,
                there.schedules,
            )
        )
        if there
        else {"entrypoint": ENTRYPOINT}  # which says nothing to a person
    )
    block = {_id_in(wanted.parameters): wanted.block}
    for seen in (before, after):
        if "block" in seen:
            seen["block"] = block.get(seen["block"], seen["block"])
    changes = (_change(path, before.get(path), after.get(path)) for path in {**before, **after})
    return [each for each in changes if each]


def schedules_there(there: DeploymentResponse | None) -> list[DeploymentScheduleCreate]:
    """Return what makes the schedules that a deployment has again."""
    return kept(there.schedules) if there else []


def _seen(
    pool: str | None, entrypoint: str | None, parameters: Mapping[str, Any], schema: Any, schedules: Any
) -> Iterator[tuple[str, Any]]:
    """Yield what a person sees of a deployment, by a path."""
    yield "work_pool", pool
    yield "entrypoint", entrypoint
    yield "block", _id_in(parameters)
    for name, value in parameters.items():
        if name == "job_parameters" and isinstance(value, Mapping):
            yield from ((f"job_parameters.{key}", each) for key, each in value.items())
        elif name != _CREDENTIALS:
            yield name, value
    form = ((schema or {}).get("properties") or {}).get("job_parameters") or {}
    yield from ((f"form.{key}", each.get("default")) for key, each in (form.get("properties") or {}).items())
    for number, each in enumerate(schedules):
        yield f"schedules[{number}]", in_words(each)


def _id_in(parameters: Mapping[str, Any]) -> Any:
    """Return the id of the credentials block that parameters refer to, or the reference if it is another one."""
    given = parameters.get(_CREDENTIALS)
    reference = given.get("$ref", given) if isinstance(given, Mapping) else given
    return reference.get("block_document_id", reference) if isinstance(reference, Mapping) else reference


def _change(path: str, before: Any, after: Any) -> Change | None:
    if before == after:
        return None
    around = path.split(".")
    sign: Any = "+" if before is None else "-" if after is None else "~"
    return Change(
        sign, path, "" if before is None else shown(before, around), "" if after is None else shown(after, around)
    )
