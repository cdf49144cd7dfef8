"""Find Databricks runs that are active although the Prefect flow run that started them has finished."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from .._report.traces import outermost, traces_of_run
from .._start.marker import marked_flow_run
from .._start.pause_key import UnreadableKey, read_key
from ..hook import DatabricksHook
from ..runs import Run

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

_BATCH = 50


@dataclass(frozen=True)
class OwnedRun:
    """An active Databricks run, and the flow runs that started it or waited for it.

    Attributes:
        run: The Databricks run.
        flow_run_ids: The outermost flow runs that started it or waited for it.
        flow_run_id: The flow run that best explains why it is active: an active one, else a failed one.
        flow_run_name: Its name.
        state_name: The name of its state.
        is_orphan: Whether all of them have finished.
        is_completed: Whether all of them completed. If so, they may have left the run active on purpose.
        is_suspended: Whether the flow run waits without a process, until the watcher resumes it.
        is_deleted: Whether the flow run was deleted in Prefect, so its last state is not known.
    """

    run: Run
    flow_run_ids: frozenset[UUID]
    flow_run_id: UUID
    flow_run_name: str
    state_name: str
    is_orphan: bool
    is_completed: bool
    is_suspended: bool = False
    is_deleted: bool = False


async def find_owned(hook: DatabricksHook, gone: Collection[UUID] = ()) -> list[OwnedRun]:
    """Return the active runs of a workspace that flow runs of this Prefect server have started or waited for.

    Runs of `submit_run` name their flow run in Databricks, in the description of a task. Runs of `run_now` have no mark
    there, and are found by the artifacts of their flow runs.

    Args:
        hook: The workspace.
        gone: Flow runs that count as finished, whatever Prefect says: it does not notice a process that was killed.
    """
    found: list[OwnedRun] = []
    async with get_client() as client:
        async for batch in _batches(hook.active_runs()):
            flow_runs, deleted = await _flow_runs(client, batch, gone)
            for run in batch:
                if flow_runs[run.run_id]:
                    found.append(_owned(run, flow_runs[run.run_id], gone))
                elif deleted[run.run_id]:
                    found.append(_of_deleted(run, deleted[run.run_id], gone))
    return found


async def _flow_runs(
    client: PrefectClient, runs: Sequence[Run], gone: Collection[UUID]
) -> tuple[dict[int, list[FlowRun]], dict[int, list[UUID]]]:
    """Return the outermost flow runs that started or waited for each run, and the ids of deleted ones.

    Prefect keeps the artifacts of a deleted flow run, and so we know that it was here. A flow run that only a mark in
    Databricks names may belong to another Prefect server, unless the user says that it is gone.
    """
    ids: dict[int, list[UUID]] = {run.run_id: [] for run in runs}
    for run in runs:
        marked = marked_flow_run(run)
        if marked:
            ids[run.run_id].append(marked)
    here = set(gone)
    hosts = {run.run_id: run.host for run in runs}
    for trace in await traces_of_run(client, list(hosts)):
        if hosts[trace.run_id] == trace.host:
            ids[trace.run_id].append(trace.flow_run_id)
            here.add(trace.flow_run_id)
    known = await _read(client, {each for some in ids.values() for each in some})
    found = {run_id: [known[each] for each in some if each in known] for run_id, some in ids.items()}
    deleted = {run_id: [each for each in some if each in here and each not in known] for run_id, some in ids.items()}
    return found, deleted


async def _read(client: PrefectClient, flow_run_ids: Iterable[UUID]) -> dict[UUID, FlowRun]:
    found: dict[UUID, FlowRun] = {}
    for flow_run_id in flow_run_ids:
        try:
            found[flow_run_id] = await outermost(client, flow_run_id)
        except ObjectNotFound:  # from another Prefect server, or deleted
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
        is_suspended=_is_suspended(shown),
    )


def _of_deleted(run: Run, flow_run_ids: Sequence[UUID], gone: Collection[UUID]) -> OwnedRun:
    named = [each for each in flow_run_ids if each in gone]
    return OwnedRun(
        run,
        frozenset(flow_run_ids),
        (named or flow_run_ids)[0],
        "",
        "Deleted",
        is_orphan=bool(named),
        is_completed=False,
        is_deleted=True,
    )


def _is_suspended(flow_run: FlowRun) -> bool:
    state = flow_run.state
    try:
        return bool(state and state.is_paused() and read_key(state.state_details.pause_key))
    except UnreadableKey:
        return False


async def _batches(runs: AsyncIterator[Run]) -> AsyncIterator[list[Run]]:
    batch: list[Run] = []
    async for run in runs:
        batch.append(run)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
