"""Databricks runs that go on although the Prefect flow run that asked for them is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from prefect_databricks_runs.hook import DatabricksHook
from prefect_databricks_runs.marker import marked_flow_run
from prefect_databricks_runs.report.traces import outermost, traces_of_run
from prefect_databricks_runs.runs import Run

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

_BATCH = 50


@dataclass(frozen=True)
class Orphan:
    """A Databricks run that is going, and the flow run that asked for it and is over.

    Attributes:
        run: The Databricks run.
        flow_run_id: The outermost flow run.
        flow_run_name: Its name.
        state_name: The name of its state.
        is_completed: Whether it ended well: then it may have left the run going on purpose.
    """

    run: Run
    flow_run_id: UUID
    flow_run_name: str
    state_name: str
    is_completed: bool


async def find_orphans(hook: DatabricksHook) -> list[Orphan]:
    """The orphans of a workspace, as far as this Prefect server knows their flow runs.

    Runs of `submit_run` name their flow run in Databricks, in the description of a task; those of `run_now`, which
    leave no mark there, are found by the artifacts of their flow runs.

    Args:
        hook: The workspace.
    """
    found: list[Orphan] = []
    async with get_client() as client:
        async for batch in _batches(hook.active_runs()):
            flow_runs = await _flow_runs(client, batch)
            for run in batch:
                concerned = flow_runs[run.run_id]
                if concerned and all(flow_run.state and flow_run.state.is_final() for flow_run in concerned):
                    found.append(_orphan(run, concerned[0]))
    return found


async def _flow_runs(client: PrefectClient, runs: Sequence[Run]) -> dict[int, list[FlowRun]]:
    """The outermost flow runs that started or waited for each run, as far as Prefect knows them."""
    ids: dict[int, list[UUID]] = {run.run_id: [] for run in runs}
    for run in runs:
        marked = marked_flow_run(run)
        if marked:
            ids[run.run_id].append(marked)
    hosts = {run.run_id: run.host for run in runs}
    for trace in await traces_of_run(client, list(hosts)):
        if hosts[trace.run_id] == trace.host:
            ids[trace.run_id].append(trace.flow_run_id)
    known = await _read(client, {each for some in ids.values() for each in some})
    return {run_id: [known[each] for each in some if each in known] for run_id, some in ids.items()}


async def _read(client: PrefectClient, flow_run_ids: Iterable[UUID]) -> dict[UUID, FlowRun]:
    found: dict[UUID, FlowRun] = {}
    for flow_run_id in flow_run_ids:
        try:
            found[flow_run_id] = await outermost(client, flow_run_id)
        except ObjectNotFound:  # of another Prefect server, or deleted
            continue
    return found


def _orphan(run: Run, flow_run: FlowRun) -> Orphan:
    state = flow_run.state
    return Orphan(
        run,
        flow_run.id,
        flow_run.name,
        (state.name or "") if state else "",
        is_completed=bool(state and state.is_completed()),
    )


async def _batches(runs: AsyncIterator[Run]) -> AsyncIterator[list[Run]]:
    batch: list[Run] = []
    async for run in runs:
        batch.append(run)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
