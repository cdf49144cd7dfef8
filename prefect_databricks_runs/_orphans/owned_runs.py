"""Databricks runs that go on although the Prefect flow run that asked for them is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from .._report.traces import outermost, traces_of_run
from .._start.marker import marked_flow_run
from ..hook import DatabricksHook
from ..runs import Run

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

_BATCH = 50


@dataclass(frozen=True)
class OwnedRun:
    """A Databricks run that is going, and the flow runs that asked for it.

    Attributes:
        run: The Databricks run.
        flow_run_ids: The outermost flow runs that started it or waited for it.
        flow_run_id: The one of them that says most of why it goes on: one that is not over, else one that failed.
        flow_run_name: Its name.
        state_name: The name of its state.
        is_orphan: Whether all of them are over.
        is_completed: Whether all of them ended well: then they may have left the run going on purpose.
    """

    run: Run
    flow_run_ids: frozenset[UUID]
    flow_run_id: UUID
    flow_run_name: str
    state_name: str
    is_orphan: bool
    is_completed: bool


async def find_owned(hook: DatabricksHook, gone: Collection[UUID] = ()) -> list[OwnedRun]:
    """Return the active runs of a workspace that flow runs have asked for, as far as this Prefect server knows them.

    Runs of `submit_run` name their flow run in Databricks, in the description of a task; those of `run_now`, which
    leave no mark there, are found by the artifacts of their flow runs.

    Args:
        hook: The workspace.
        gone: Flow runs that are over, whatever Prefect says: it never hears of a process that was killed.
    """
    found: list[OwnedRun] = []
    async with get_client() as client:
        async for batch in _batches(hook.active_runs()):
            flow_runs = await _flow_runs(client, batch)
            found += [_owned(run, flow_runs[run.run_id], gone) for run in batch if flow_runs[run.run_id]]
    return found


async def _flow_runs(client: PrefectClient, runs: Sequence[Run]) -> dict[int, list[FlowRun]]:
    """Return the outermost flow runs that started or waited for each run, as far as Prefect knows them."""
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


def _owned(run: Run, flow_runs: Sequence[FlowRun], gone: Collection[UUID]) -> OwnedRun:
    going = [each for each in flow_runs if each.id not in gone and not (each.state and each.state.is_final())]
    unwell = [each for each in flow_runs if each.id in gone or not (each.state and each.state.is_completed())]
    shown = (going or unwell or flow_runs)[0]
    return OwnedRun(
        run,
        frozenset(each.id for each in flow_runs),
        shown.id,
        shown.name,
        (shown.state.name or "") if shown.state else "",
        is_orphan=not going,
        is_completed=not unwell,
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
