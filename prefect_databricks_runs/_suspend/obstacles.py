"""Reasons not to suspend a flow run, or not yet: then its process keeps waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType

from .._prefect.compat import PREFECT_3, run_contexts
from .._report.task_runs import GOING, is_drawn
from ..credentials import DatabricksCredentials
from .watcher_pages import SEEN_SECONDS, is_watched

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

# Servers of before look for expired pauses in an endless loop as soon as 200 flow runs are paused.
_FIRST_WITHOUT_LOOP = (3, 8)
_MOST_PAUSED = 190


def lasting_obstacle(credentials: DatabricksCredentials) -> str:
    """Return why the flow run that this is called in can never be suspended; empty where it can.

    Args:
        credentials: With which it waits.
    """
    return _of_flow_run() or _of_block(credentials)


def _of_flow_run() -> str:
    flows, tasks = run_contexts()
    if tasks:
        return "a task run cannot be suspended, only a flow run"
    if not flows or not flows[0].flow_run:
        return "this is not a flow run"
    flow_run = flows[0].flow_run
    if len(flows) > 1 or flow_run.parent_task_run_id:
        return "this is a subflow run, and only the outermost flow run can be suspended"
    if flow_run.deployment_id is None:
        return "the flow run does not belong to a deployment, from which it could be resumed"
    return ""


def _of_block(credentials: DatabricksCredentials) -> str:
    if credentials._block_document_id is None:
        return "the credentials are not a saved block, which the watcher could load"
    if credentials.get_block_type_slug() != DatabricksCredentials.get_block_type_slug():
        return f"the watcher does not know blocks of the class {type(credentials).__name__}"
    return ""


async def passing_obstacle(client: PrefectClient, flow_run_id: UUID, block_id: UUID) -> str:
    """Return why a flow run cannot be suspended now; empty where it can.

    Args:
        client: Prefect's.
        flow_run_id: The flow run.
        block_id: The document of its credentials block.
    """
    if not await is_watched(client, block_id):
        return (
            "no `prefect-databricks-runs watch` with the credentials block of this flow run has been seen in the last"
            f" {SEEN_SECONDS:g} s"
        )
    if not PREFECT_3 and (running := await _running_tasks(client, flow_run_id)):
        return f"{running} task runs of the flow run are active, and Prefect 2 would cancel them"
    if await _is_full(client):
        return f"{_MOST_PAUSED} flow runs are paused, and this release of the Prefect server cannot handle 200"
    return ""


async def _running_tasks(client: PrefectClient, flow_run_id: UUID) -> int:
    """Return how many tasks of the user are active; task runs that mirror Databricks have no process."""
    going = TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=list(GOING))))
    of_this = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    found = await client.read_task_runs(flow_run_filter=of_this, task_run_filter=going, limit=200)
    return sum(not is_drawn(each) for each in found)


async def _is_full(client: PrefectClient) -> bool:
    if getattr(client.server_type, "name", "") == "CLOUD":
        return False
    version = str((await client._client.get("/admin/version")).json())
    if _release(version) >= _FIRST_WITHOUT_LOOP:
        return False
    paused = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
    found = await client.read_flow_runs(flow_run_filter=FlowRunFilter(state=paused), limit=_MOST_PAUSED)
    return len(found) >= _MOST_PAUSED


def _release(version: str) -> tuple[int, ...]:
    """Return the release as numbers; `3.8.0.dev1+4` is 3.8."""
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
