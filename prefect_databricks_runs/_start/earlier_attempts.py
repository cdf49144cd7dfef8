"""The task runs that an earlier attempt has left, when another attempt takes its Databricks run over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from prefect.client.orchestration import get_client

from .._prefect.compat import run_contexts
from .._prefect.logging import Logger
from .._report.queue import Thing, prefect_queue
from .._report.traces import Trace, finish_trace, traces_of
from ..runs import Run

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_SECONDS = 10.0


class _Leftovers(Thing):
    """The unfinished task runs of an attempt whose process is gone."""

    seconds = 300.0  # there may be hundreds

    def __init__(self, leftovers: Sequence[tuple[Trace, Run]], logger: Logger) -> None:
        super().__init__(logger)
        self._leftovers = leftovers

    async def tell(self, client: PrefectClient) -> None:
        for trace, run in self._leftovers:
            await finish_trace(client, trace, run)


async def take_over(runs: Sequence[Run], logger: Logger) -> None:
    """Finish the task runs that earlier attempts of this flow run have drawn for Databricks runs.

    A killed process leaves its task runs active, and Prefect never ends them. They are listed here, before this attempt
    draws any, and finished in the background.

    Args:
        runs: The runs that earlier attempts have started.
        logger: The log for a failed request to Prefect.
    """
    flows, _ = run_contexts()
    flow_run_ids = [context.flow_run.id for context in flows if context.flow_run]
    if not flow_run_ids:
        return
    by_id = {run.run_id: run for run in runs}
    try:
        with anyio.fail_after(_SECONDS):
            async with get_client() as client:
                traces = await traces_of(client, flow_run_ids[0])
    except Exception as error:
        logger.warning("Task runs that earlier attempts have left may look active in the Prefect UI. %r", error)
        return
    # A flow run that continues in this attempt draws the same task runs again.
    gone = [
        (each, by_id[each.run_id]) for each in traces if each.run_id in by_id and each.flow_run_id not in flow_run_ids
    ]
    if gone:
        prefect_queue().put(_Leftovers(gone, logger))
