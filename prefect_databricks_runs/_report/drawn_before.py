"""The task runs that an earlier attempt of a flow run has created."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from .._prefect.paging import read_all

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, TaskRun


class DrawnBefore:
    """Find task runs of an earlier attempt by their dynamic key.

    Prefect also finds a task run by its task's key. That key may differ in another release of this package or of
    Python, and then the same task would be shown twice.

    Args:
        flow_run: The flow run of the task runs.
        is_suspended: Whether the same attempt had a process before.
    """

    def __init__(self, flow_run: FlowRun, *, is_suspended: bool = False) -> None:
        self._flow_run_id = flow_run.id
        has_drawn = is_suspended or (flow_run.run_count or 0) > 1
        self._found: dict[str, TaskRun] | None = None if has_drawn else {}

    async def find(self, client: PrefectClient, dynamic_key: str) -> TaskRun | None:
        """Find the task run of a dynamic key. They are read once, and not at all in a first attempt.

        Args:
            client: Prefect's client.
            dynamic_key: The key.
        """
        if self._found is None:
            flow_run = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(str(self._flow_run_id))]))
            task_runs = await read_all(client.read_task_runs, flow_run_filter=flow_run)
            self._found = {each.dynamic_key: each for each in task_runs}
        return self._found.get(dynamic_key)
