"""`cancel_databricks_runs`: a hook for your own flows, for when the process cannot cancel its runs itself."""

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
    from prefect import State
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

    from .credentials import DatabricksCredentials

_AT_ONCE = 8
_BECAUSE = "the flow run that started it has finished"


def cancel_databricks_runs(flow: Any, flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - Prefect passes all three
    """Cancel the Databricks runs that a flow run and its subflow runs have started and that are still active.

    Use it as `@flow(on_cancellation=[cancel_databricks_runs], on_crashed=[cancel_databricks_runs])`. Prefect calls it
    in the flow's process or, if that was killed, in the worker's process. The runs are found by the artifacts that
    `submit_run`, `run_now` and the waiting flows create in Prefect. The credentials are the ones that the process has
    used, or a saved `DatabricksCredentials` block with the same `host`. Flow runs that `run_deployment` has started are
    left out, because they have their own processes and hooks.

    The log of the flow run shows what was cancelled and what was not. The hook never raises.

    Args:
        flow: The flow.
        flow_run: The flow run.
        state: Its new state.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, cancel_databricks_runs, submit_run_and_wait

        @flow(on_cancellation=[cancel_databricks_runs], on_crashed=[cancel_databricks_runs])
        def pipeline():
            databricks = DatabricksCredentials.from_environment()
            submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})

        pipeline()
        ```
    """
    logger = SteadyLogger(flow_run_logger(flow_run, flow))
    try:
        portal.settle()  # a run that this process has just started is not in Prefect before that
        portal.call(_cancel_runs_of, flow_run, logger)
    except Exception as error:
        logger.error(
            "Could not search Prefect for Databricks runs of this flow run, which may still be active. %r", error
        )


async def _cancel_runs_of(flow_run: FlowRun, logger: Logger) -> None:
    async with get_client() as client:
        traces: dict[tuple[str, int], list[Trace]] = {}
        for trace in await traces_of(client, flow_run.id):
            traces.setdefault((trace.host, trace.run_id), []).append(trace)
        if not traces:
            return
        runs = await _cancel_all(traces, await known_credentials(client), logger)
        # One call at a time, like all updates to Prefect.
        for key, run in runs.items():
            for trace in traces[key]:
                await _put_right(client, trace, run, logger)


async def _cancel_all(
    keys: Iterable[tuple[str, int]], known: Sequence[DatabricksCredentials], logger: Logger
) -> dict[tuple[str, int], Run]:
    """Cancel the active runs, several at a time, and return each as it is then, if known."""
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
    """Cancel a run if it is active, and return it as it is then, or None if nothing is known of it."""
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
    """Return the run, and a call that can read it."""
    reason = f"No DatabricksCredentials block is saved for {host}. Save one, or cancel the run in Databricks."
    for credentials in known:
        call = plain_call(credentials, logger)
        try:
            return call, await call.hook.get_run(run_id)
        except DatabricksError as error:
            reason = str(error)
    logger.error("Databricks run %d of %s may still be active. %s", run_id, host, reason)
    return None


async def _put_right(client: PrefectClient, trace: Trace, run: Run, logger: Logger) -> None:
    try:
        await finish_trace(client, trace, run)
    except Exception as error:
        logger.error("Prefect may show an old state of Databricks run %d. %r", trace.run_id, error)
