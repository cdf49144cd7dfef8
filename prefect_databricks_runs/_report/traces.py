"""Find in Prefect the Databricks runs that flow runs started or waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType

from .._prefect import compat
from .._prefect.paging import PAGE, read_all
from ..runs import Run
from .artifact import artifact_text
from .run_artifact import PREFIX, SUMMARY_PREFIX, runs_in
from .task_runs import GOING, finish_task_runs

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Artifact, FlowRun


@dataclass(frozen=True)
class Trace:
    """A Databricks run that a flow run started or waited for.

    Attributes:
        host: The workspace's address.
        run_id: The job run.
        flow_run_id: The flow run.
        artifact_id: Its artifact of the run; None if the artifact has many runs.
        artifact_text: The text of the artifact.
    """

    host: str
    run_id: int
    flow_run_id: UUID
    artifact_id: UUID | None
    artifact_text: str = ""


async def traces_of(client: PrefectClient, flow_run_id: UUID) -> list[Trace]:
    """Return the Databricks runs of a flow run and of all its subflow runs in the same process.

    Args:
        client: Prefect's client.
        flow_run_id: The outermost flow run.
    """
    found: list[Trace] = []
    async for flow_run_ids in _family(client, flow_run_id):
        theirs = ArtifactFilterFlowRunId(any_=flow_run_ids)
        for prefix in (PREFIX, SUMMARY_PREFIX):
            found += await _traces(
                client, ArtifactFilter(flow_run_id=theirs, key=ArtifactFilterKey(like_=f"{prefix}%"))
            )
    return found


async def traces_of_run(client: PrefectClient, run_ids: Collection[int]) -> list[Trace]:
    """Return the flow runs that started or waited for Databricks runs.

    Args:
        client: Prefect's client.
        run_ids: The job runs, at most a page of Prefect's API.
    """
    keys = ArtifactFilterKey(any_=[f"{PREFIX}{run_id}" for run_id in run_ids])
    alone = await _traces(client, ArtifactFilter(key=keys))
    # Finished waits for many runs add nothing: the flow run that started a run has left its own trace.
    types = [*GOING, StateType.PAUSED]
    going = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)))
    summaries = ArtifactFilter(key=ArtifactFilterKey(like_=f"{SUMMARY_PREFIX}%"))
    together = await _traces(client, summaries, flow_run_filter=going)
    return alone + [trace for trace in together if trace.run_id in run_ids]


async def outermost(client: PrefectClient, flow_run_id: UUID) -> FlowRun:
    """Return the outermost flow run in the process of a flow run; a flow run of a deployment has its own process."""
    async for flow_run in flow_runs_around(client, flow_run_id):  # at least the flow run itself
        if flow_run.deployment_id:
            break
    return flow_run


async def flow_runs_around(client: PrefectClient, flow_run_id: UUID) -> AsyncIterator[FlowRun]:
    """Return a flow run, the flow run around it, and so on, in any process.

    Args:
        client: Prefect's client.
        flow_run_id: The innermost flow run.
    """
    inner: UUID | None = flow_run_id
    while inner:
        flow_run = await client.read_flow_run(inner)
        yield flow_run
        task_run_id = flow_run.parent_task_run_id
        inner = (await client.read_task_run(task_run_id)).flow_run_id if task_run_id else None


async def finish_trace(client: PrefectClient, trace: Trace, run: Run) -> None:
    """Correct what a flow run that is gone shows of a Databricks run: nothing is active, and the state is current.

    Args:
        client: Prefect's client.
        trace: The flow run and the Databricks run.
        run: The Databricks run as it is now.
    """
    unfinished = await finish_task_runs(client, trace.flow_run_id, run)
    # An artifact with the end of the run has more: the cause of the failure.
    if trace.artifact_id and (unfinished or f"**{run.state.name}**" not in trace.artifact_text):
        await compat.update_artifact(client, trace.artifact_id, artifact_text(run))


async def _family(client: PrefectClient, flow_run_id: UUID) -> AsyncIterator[list[UUID]]:
    """Return a flow run, then its subflow runs, then theirs; a page of ids at a time.

    Flow runs that `run_deployment` has started are left out: they have their own process, which may be active.
    """
    generation = [flow_run_id]
    while generation:
        for start in range(0, len(generation), PAGE):
            yield generation[start : start + PAGE]
        children: list[UUID] = []
        for start in range(0, len(generation), PAGE):
            parents = FlowRunFilterParentFlowRunId(any_=generation[start : start + PAGE])
            flow_runs = await read_all(client.read_flow_runs, flow_run_filter=FlowRunFilter(parent_flow_run_id=parents))
            children += [each.id for each in flow_runs if each.deployment_id is None]
        generation = children


async def _traces(client: PrefectClient, which: ArtifactFilter, **more: Any) -> list[Trace]:
    artifacts = await read_all(client.read_artifacts, artifact_filter=which, **more)
    return [
        Trace(host, run_id, each.flow_run_id, *((None,) if _is_of_many(each) else (each.id, str(each.data))))
        for each in artifacts
        if each.flow_run_id
        for host, run_id in runs_in(each.metadata_)
    ]


def _is_of_many(artifact: Artifact) -> bool:
    return (artifact.key or "").startswith(SUMMARY_PREFIX)
