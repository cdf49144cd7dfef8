"""`cancel_databricks_runs`: a hook for users' own flows, for when the process cannot cancel its runs any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import anyio
from prefect.client.orchestration import get_client
from prefect.logging.loggers import flow_run_logger

from ._connect.call import Call, plain_call
from ._connect.saved_blocks import known_credentials
from ._leave.leaving import cancel
from ._prefect import portal
from ._prefect.logging import Logger, SteadyLogger
from ._report.traces import Trace, finish_trace, traces_of
from ._wait.doors import see_ends
from .errors import DatabricksError
from .options import RequestOptions
from .runs import Run

if TYPE_CHECKING:
    from prefect import Flow, State
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

    from .credentials import DatabricksCredentials

_AT_ONCE = 8
_BECAUSE = "the flow run that started it is over"


def cancel_databricks_runs(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - Prefect gives all three
    """Cancel the Databricks runs that a flow run and its subflow runs have started and that are still going.

    A hook for `@flow(on_cancellation=[cancel_databricks_runs], on_crashed=[cancel_databricks_runs])`. Prefect calls it
    in the flow's process or, where that was killed, in that of the worker. The runs are found by the artifacts that
    `submit_run`, `run_now` and the waiting flows leave in Prefect; the credentials are those that the process has used,
    or a saved `DatabricksCredentials` block with the same `host`. Flow runs that `run_deployment` has started are left
    out: they have processes, and hooks, of their own.

    What it does, and what it could not do, is in the log of the flow run; it never raises.

    Args:
        flow: The flow.
        flow_run: Its run.
        state: The state that it has come to.
    """
    logger = SteadyLogger(flow_run_logger(flow_run, flow))
    try:
        portal.settle()  # what this process has only just started is not in Prefect before that
        portal.call(_cancel_runs_of, flow_run, logger)
    except Exception as error:
        logger.error(
            "Databricks runs of this flow run may still be going: they could not be looked for in Prefect. %r", error
        )


async def _cancel_runs_of(flow_run: FlowRun, logger: Logger) -> None:
    async with get_client() as client:
        traces: dict[tuple[str, int], list[Trace]] = {}
        for trace in await traces_of(client, flow_run.id):
            traces.setdefault((trace.host, trace.run_id), []).append(trace)
        if not traces:
            return
        runs = await _cancel_all(traces, await known_credentials(client), logger)
        # One call at a time, as all that Prefect is told.
        for key, run in runs.items():
            for trace in traces[key]:
                await _put_right(client, trace, run, logger)


async def _cancel_all(
    keys: Iterable[tuple[str, int]], known: Sequence[DatabricksCredentials], logger: Logger
) -> dict[tuple[str, int], Run]:
    """Cancel the runs that are going, some at a time; gives how each is then, as far as that is known."""
    runs: dict[tuple[str, int], Run] = {}
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def settle(host: str, run_id: int) -> None:
        async with limiter:
            run = await _cancel(host, run_id, [each for each in known if each.host == host], logger)
            if run:
                runs[host, run_id] = run

    async with anyio.create_task_group() as together:
        for host, run_id in keys:
            together.start_soon(settle, host, run_id)
    return runs


async def _cancel(host: str, run_id: int, known: Sequence[DatabricksCredentials], logger: Logger) -> Run | None:
    """Cancel a run if it is going; gives it as it is then, or None where nothing is known of it."""
    found = await _found(host, run_id, known, logger)
    if found is None:
        return None
    call, run = found
    if run.state.is_terminal or not await cancel(call.hook, run_id, logger, because=_BECAUSE):
        return run
    seen = [run]

    async def changed(run: Run) -> None:
        seen.append(run)

    await see_ends(call, [run_id], changed)
    return seen[-1]


async def _found(
    host: str, run_id: int, known: Sequence[DatabricksCredentials], logger: Logger
) -> tuple[Call[RequestOptions], Run] | None:
    """Return the run, and a call with whose hook it can be read."""
    reason = f"There is no saved DatabricksCredentials block for {host}; save one, or cancel the run there."
    for credentials in known:
        call = plain_call(credentials, logger)
        try:
            return call, await call.hook.get_run(run_id)
        except DatabricksError as error:
            reason = str(error)
    logger.error("Databricks run %d of %s may still be going. %s", run_id, host, reason)
    return None


async def _put_right(client: PrefectClient, trace: Trace, run: Run, logger: Logger) -> None:
    try:
        await finish_trace(client, trace, run)
    except Exception as error:
        logger.error("Prefect may show Databricks run %d as it was before. %r", trace.run_id, error)
