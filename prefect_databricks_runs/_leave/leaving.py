"""Cancel a Databricks run, or leave it running, when the wait for it ends early.

`verdict` decides; this module does it, and logs the result.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from signal import Signals

import anyio
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.logging.handlers import APILogHandler

from .._prefect.logging import Logger
from .._report import FlowRunReport
from .._report.traces import flow_runs_around
from .._runtime import Newest, of_process
from .._text import safe_repr
from ..errors import DatabricksError, DatabricksUnreachable, WaitTimeout
from ..hook import DatabricksHook
from .signals import signal_behind
from .suspended_here import is_suspended_here
from .verdict import Event, event_of_end, judge

# Prefect kills the process of a cancelled flow run after 30 seconds; the two together must be well below that.
CANCEL_SECONDS = 10.0
CANCEL_ALL_SECONDS = 18.0  # of more runs than are cancelled at once
END_SECONDS = 10.0
LOG_SECONDS = 2.0
_AT_ONCE = 50
_MAX_NAMED = 50


class Cancellations(Newest[int]):
    """The runs that this process has asked Databricks to cancel and whose end it has not seen."""


async def leave(
    hook: DatabricksHook,
    run_ids: Sequence[int],
    reason: BaseException,
    logger: Logger,
    *,
    known: Collection[int],
) -> list[int]:
    """Decide on the runs of a wait that ended early, cancel them or leave them running, and log it.

    Args:
        hook: The hook to cancel them with.
        run_ids: The job runs that are not known to have finished.
        reason: The exception that ended the wait.
        logger: The log.
        known: The runs that were read before, or started by this process.

    Returns:
        The runs whose cancellation Databricks has accepted, and whose end is expected.
    """
    if not run_ids:
        return []
    if is_suspended_here():  # by another wait, whose end ends this one
        logger.info("The flow run was suspended, and waits for Databricks run %s again later.", _listed(run_ids))
        return []
    signal = signal_behind(reason)
    is_stop = signal is not None and await _is_only_a_stop(signal, logger)
    event = event_of_end(reason, is_stop=is_stop)
    cancelled = [run_id for run_id in run_ids if judge(event, is_known=run_id in known).cancels]
    left = [run_id for run_id in run_ids if run_id not in set(cancelled)]
    if left and event is Event.STOPPED:
        logger.warning(
            "The process is stopping, but the flow run was not cancelled, so %s running.",
            f"Databricks run {left[0]} keeps" if len(left) == 1 else f"{len(left)} Databricks runs keep",
        )
    elif left and event in _WHY_LEFT:
        _log_left(left, event, reason, logger)
    if not cancelled:
        return []
    return await cancel_all(hook, cancelled, logger, _cause_of(reason, signal))


_WHY_LEFT = {
    Event.SILENT_OUTAGE: "The workspace did not answer, and the run was never read",
    Event.ANSWERED_OUTAGE: "The workspace answered, but without the state of the run",
    Event.BROKEN: "An error in prefect-databricks-runs ended the wait; please report it",
}


def _log_left(run_ids: Sequence[int], event: Event, reason: BaseException, logger: Logger) -> None:
    if len(run_ids) == 1:
        runs = f"Databricks run {run_ids[0]} keeps running. Wait for it again with `wait_for_run(…, {run_ids[0]})`."
    else:
        listed = _listed(run_ids)
        runs = f"{len(run_ids)} Databricks runs keep running. Wait for them again with `wait_for_runs`: {listed}."
    logger.warning("%s. %s", _WHY_LEFT[event], runs, exc_info=reason if event is Event.BROKEN else None)


def _listed(run_ids: Sequence[int]) -> str:
    return ", ".join(map(str, run_ids[:_MAX_NAMED]))


def _cause_of(reason: BaseException, signal: Signals | None) -> str:
    if isinstance(reason, WaitTimeout):
        return f"the wait reached max_wait_seconds={reason.max_wait_seconds:g}"
    if isinstance(reason, DatabricksUnreachable):
        return f"it could not be read for {reason.seconds:.0f} s"
    if signal == Signals.SIGINT:
        return "the wait was interrupted (Ctrl-C)"
    if signal:
        return "the flow run is being cancelled"
    if isinstance(reason, (asyncio.CancelledError, TimeoutError)):
        return "the wait was cancelled or timed out"  # Prefect's own timeout arrives as a cancellation
    return f"the wait failed with {safe_repr(reason)}"


async def cancel_all(hook: DatabricksHook, run_ids: Sequence[int], logger: Logger, because: str) -> list[int]:
    """Ask Databricks to cancel runs, several at a time, and log the result.

    Returns:
        The runs whose cancellation Databricks has accepted.
    """
    taken: list[int] = []
    left = dict.fromkeys(run_ids)
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def one(run_id: int) -> None:
        async with limiter:
            if await cancel(hook, run_id, logger, because):
                taken.append(run_id)
            del left[run_id]

    # If all are asked at once, they finish within CANCEL_SECONDS, and each logs its own result.
    with anyio.move_on_after(math.inf if len(run_ids) <= _AT_ONCE else CANCEL_ALL_SECONDS):
        async with anyio.create_task_group() as together:
            for run_id in run_ids:
                together.start_soon(one, run_id)
    if left:
        text = "%d of %d Databricks runs could not be cancelled in time and may still be active: %s"
        logger.error(text, len(left), len(run_ids), ", ".join(map(str, left)))
    return taken


async def cancel(hook: DatabricksHook, run_id: int, logger: Logger, because: str) -> bool:
    """Ask Databricks to cancel a run, for a few seconds at most, and log the result.

    Returns:
        Whether Databricks has accepted the request.
    """
    logger.warning("Cancelling Databricks run %d: %s.", run_id, because)
    of_process(Cancellations).add(run_id)
    try:
        with anyio.fail_after(CANCEL_SECONDS):
            await hook.cancel_run(run_id)
    except (DatabricksError, TimeoutError) as error:
        reason = str(error) or f"There was no answer within {CANCEL_SECONDS:g} s."
        logger.error("Could not cancel Databricks run %d, which may still be active. %s", run_id, reason)
        return False
    return True


async def leave_alone(report: FlowRunReport) -> None:
    """Finish what Prefect shows of a run that may keep running."""
    if not is_suspended_here():
        await report.leave()
    await send_log()


async def send_log() -> None:
    """Send the log to Prefect: a process that Prefect 2 ends by a signal sends nothing at its exit."""
    with anyio.move_on_after(LOG_SECONDS), suppress(Exception):  # an error of the log must not replace the reason
        await APILogHandler.aflush()


async def _is_only_a_stop(signal: Signals, logger: Logger) -> bool:
    """Return whether the signal only stops this process, while the flow run is not cancelled."""
    flow_runs = await _flow_runs(logger)
    states = [flow_run.state for flow_run in flow_runs if flow_run.state]
    if any(state.is_cancelling() or state.is_cancelled() for state in states):
        return False
    # Ctrl-C in the terminal of a Prefect worker or of `serve` also reaches its flow processes.
    is_a_workers = "PREFECT__FLOW_RUN_ID" in os.environ or any(flow_run.deployment_id for flow_run in flow_runs)
    return signal == Signals.SIGTERM or is_a_workers


async def _flow_runs(logger: Logger) -> list[FlowRun]:
    """Return this flow run and the flow runs around it: only the outermost has the state of a cancellation."""
    context = FlowRunContext.get()
    flow_run_id = context.flow_run.id if context and context.flow_run else None
    found: list[FlowRun] = []
    if flow_run_id is None:
        return found
    try:
        with anyio.fail_after(CANCEL_SECONDS):
            async with get_client() as client:
                async for flow_run in flow_runs_around(client, flow_run_id):
                    found.append(flow_run)  # noqa: PERF401 - keep what was read before an error
    except Exception as error:
        logger.error("Could not ask Prefect whether the flow run is being cancelled: %r", error)
    return found
