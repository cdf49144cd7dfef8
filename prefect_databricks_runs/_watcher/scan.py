"""Read suspended flow runs in Prefect: which there are, and which have ended without a process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort

from .._prefect.paging import PAGE, read_all
from .._report.run_artifact import PREFIX, SUMMARY_PREFIX, runs_in
from .._start.pause_key import PauseKey, UnreadableKey, keys_in, read_key
from .._text import name

if TYPE_CHECKING:
    from prefect import State
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

BAD_ENDS = frozenset({StateType.CANCELLED, StateType.CANCELLING, StateType.FAILED, StateType.CRASHED})
_CANCELLED = frozenset({StateType.CANCELLED, StateType.CANCELLING})
# A process has not begun yet.
_RESUMING = frozenset({StateType.SCHEDULED, StateType.PENDING})


async def suspended_flow_runs(client: PrefectClient) -> list[FlowRun]:
    """Return all suspended flow runs, of whomever."""
    state = FlowRunFilterState(
        type=FlowRunFilterStateType(any_=[StateType.PAUSED]), name=FlowRunFilterStateName(any_=["Suspended"])
    )
    return await read_all(client.read_flow_runs, flow_run_filter=FlowRunFilter(state=state))


async def flow_runs_of(client: PrefectClient, ids: Sequence[UUID]) -> dict[UUID, FlowRun]:
    """Return flow runs by id, if they exist."""
    found: dict[UUID, FlowRun] = {}
    for start in range(0, len(ids), PAGE):
        which = FlowRunFilter(id=FlowRunFilterId(any_=list(ids[start : start + PAGE])))
        found |= {each.id: each for each in await client.read_flow_runs(flow_run_filter=which, limit=PAGE)}
    return found


async def shown_runs(client: PrefectClient, ids: Sequence[UUID]) -> dict[UUID, set[tuple[str, int]]]:
    """Return the host and `run_id` of each Databricks run that flow runs have an artifact of.

    Args:
        client: Prefect's.
        ids: The flow runs.
    """
    found: dict[UUID, set[tuple[str, int]]] = {each: set() for each in ids}
    for start in range(0, len(ids), PAGE):
        of_these = ArtifactFilterFlowRunId(any_=list(ids[start : start + PAGE]))
        for prefix in (PREFIX, SUMMARY_PREFIX):
            which = ArtifactFilter(flow_run_id=of_these, key=ArtifactFilterKey(like_=f"{prefix}%"))
            for artifact in await read_all(client.read_artifacts, artifact_filter=which):
                if artifact.flow_run_id in found:
                    found[artifact.flow_run_id].update(runs_in(artifact.metadata_))
    return found


async def ended_flow_runs(client: PrefectClient, since: datetime) -> AsyncIterator[FlowRun]:
    """Return the flow runs that were suspended by us at some time and have not succeeded, the newest first.

    Args:
        client: Prefect's.
        since: Flow runs that ended before are left out.
    """
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=sorted(BAD_ENDS)))
    offset = 0
    while True:
        page = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=state), sort=FlowRunSort.END_TIME_DESC, limit=PAGE, offset=offset
        )
        for flow_run in page:
            policy = flow_run.empirical_policy
            if (not flow_run.end_time or flow_run.end_time >= since) and keys_in(policy and policy.pause_keys):
                yield flow_run
        if len(page) < PAGE or (page[-1].end_time and page[-1].end_time < since):
            return
        offset += PAGE


async def key_at_the_end(client: PrefectClient, flow_run_id: UUID) -> PauseKey | None:
    """Return the key of a flow run that has ended while it was suspended; None if it had a process at its end.

    A flow run that was cancelled while it was being resumed had none either.

    Args:
        client: Prefect's.
        flow_run_id: A flow run that has not succeeded.
    """
    states = sorted(await client.read_flow_run_states(flow_run_id), key=lambda state: state.timestamp)
    return _key_before(states)


def _key_before(states: Sequence[State[Any]]) -> PauseKey | None:
    passed: set[StateType] = set()
    for state in reversed(states):
        if state.type is StateType.PAUSED:
            is_cancelled = bool(passed & _CANCELLED)
            return key_or_none(state) if is_cancelled or not passed & _RESUMING else None
        if state.type not in BAD_ENDS | _RESUMING:
            return None
        passed.add(state.type)
    return None


def key_or_none(state: State[Any] | None) -> PauseKey | None:
    """Return our key of a state; None where it has none that can be read."""
    try:
        return read_key(state.state_details.pause_key) if state else None
    except UnreadableKey:
        return None


def is_suspended_as(flow_run: FlowRun | None, state_id: UUID) -> bool:
    """Whether a flow run is still in a state."""
    return bool(flow_run and flow_run.state and flow_run.state.id == state_id)


def has_ended(flow_run: FlowRun, kinds: Collection[StateType] = BAD_ENDS) -> bool:
    """Whether a flow run has failed or was cancelled, or is being cancelled."""
    return bool(flow_run.state and flow_run.state.type in kinds)


def end_of(flow_run: FlowRun) -> str:
    """Return the name of the state that a flow run has ended in, for a sentence."""
    return name(flow_run.state.name) if flow_run.state else "ended"
