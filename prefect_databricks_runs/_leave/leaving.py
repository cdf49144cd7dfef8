"""What becomes of a Databricks run when the wait for it ends early.

`verdict` says whether it is cancelled. Here that is done, and the log says what became of the run.
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
from .verdict import Event, event_of_end, judge

# Prefect kills the process of a cancelled flow run after 30 seconds; both together must be well below that.
CANCEL_SECONDS = 10.0
CANCEL_ALL_SECONDS = 18.0  # of more runs than are cancelled at once
END_SECONDS = 10.0
LOG_SECONDS = 2.0
_AT_ONCE = 50
_MAX_NAMED = 50


class Cancellations(Newest[int]):
    """The runs that this process has asked Databricks to cancel and that are not over, as far as it knows."""


async def leave(
    hook: DatabricksHook,
    run_ids: Sequence[int],
    reason: BaseException,
    logger: Logger,
    *,
    known: Collection[int],
) -> list[int]:
    """Decide on runs whose wait ended early, do it, and say so in the log.

    Args:
        hook: Where to cancel them.
        run_ids: The job runs that are not over, as far as is known.
        reason: What ended the wait.
        logger: Where to say what became of them.
        known: Those of them that were read, or started here.

    Returns:
        Those whose cancellation Databricks has taken, and whose end is to be expected.
    """
    if not run_ids:
        return []
    signal = signal_behind(reason)
    is_stop = signal is not None and await _is_only_a_stop(signal, logger)
    event = event_of_end(reason, is_stop=is_stop)
    cancelled = [run_id for run_id in run_ids if judge(event, is_known=run_id in known).cancels]
    left = [run_id for run_id in run_ids if run_id not in set(cancelled)]
    if left and event is Event.STOPPED:
        logger.warning(
            "This process is being stopped, and nobody cancels the flow run: %s on.",
            f"Databricks run {left[0]} goes" if len(left) == 1 else f"{len(left)} Databricks runs go",
        )
    elif left and event in _WHY_LEFT:
        _say_left(left, event, reason, logger)
    if not cancelled:
        return []
    return await cancel_all(hook, cancelled, logger, f"the wait for it ends early: {_what_ended_it(reason, signal)}")


_WHY_LEFT = {
    Event.SILENT_OUTAGE: "The workspace did not answer, and the run was never read",
    Event.ANSWERED_OUTAGE: "The workspace answered, but did not say how the run is",
    Event.BROKEN: "An error in prefect-databricks-runs ended the wait; please report it",
}


def _say_left(run_ids: Sequence[int], event: Event, reason: BaseException, logger: Logger) -> None:
    if len(run_ids) == 1:
        runs = f"Databricks run {run_ids[0]} keeps running. Wait for it again with `wait_for_run(…, {run_ids[0]})`."
    else:
        listed = ", ".join(map(str, run_ids[:_MAX_NAMED]))
        runs = f"{len(run_ids)} Databricks runs keep running. Wait for them again with `wait_for_runs`: {listed}."
    logger.warning("%s. %s", _WHY_LEFT[event], runs, exc_info=reason if event is Event.BROKEN else None)


def _what_ended_it(reason: BaseException, signal: Signals | None) -> str:
    if isinstance(reason, WaitTimeout):
        return f"max_wait_seconds={reason.max_wait_seconds:g} are over"
    if isinstance(reason, DatabricksUnreachable):
        return f"it could not be read for {reason.seconds:.0f} s"
    if signal == Signals.SIGINT:
        return "Ctrl-C"
    if signal:
        return "the flow run is being cancelled"
    if isinstance(reason, (asyncio.CancelledError, TimeoutError)):
        return "it was cancelled, or its time was up"  # Prefect's own time-out comes as a cancellation
    return safe_repr(reason)


async def cancel_all(hook: DatabricksHook, run_ids: Sequence[int], logger: Logger, because: str) -> list[int]:
    """Ask Databricks to cancel runs, some at a time; tells the log.

    Returns:
        Those whose cancellation Databricks has taken.
    """
    taken: list[int] = []
    left = dict.fromkeys(run_ids)
    limiter = anyio.CapacityLimiter(_AT_ONCE)

    async def one(run_id: int) -> None:
        async with limiter:
            if await cancel(hook, run_id, logger, because):
                taken.append(run_id)
            del left[run_id]

    # Those that are all asked at once are over after CANCEL_SECONDS, each with its own word of how that went.
    with anyio.move_on_after(math.inf if len(run_ids) <= _AT_ONCE else CANCEL_ALL_SECONDS):
        async with anyio.create_task_group() as together:
            for run_id in run_ids:
                together.start_soon(one, run_id)
    if left:
        text = "%d of %d Databricks runs could not be cancelled in time and may still be going: %s"
        logger.error(text, len(left), len(run_ids), ", ".join(map(str, left)))
    return taken


async def cancel(hook: DatabricksHook, run_id: int, logger: Logger, because: str) -> bool:
    """Ask Databricks to cancel a run, for a few seconds at most; tells the log.

    Returns:
        Whether Databricks has taken it.
    """
    logger.warning("Cancelling Databricks run %d, because %s.", run_id, because)
    of_process(Cancellations).add(run_id)
    try:
        with anyio.fail_after(CANCEL_SECONDS):
            await hook.cancel_run(run_id)
    except (DatabricksError, TimeoutError) as error:
        reason = str(error) or f"No answer came within {CANCEL_SECONDS:g} s."
        logger.error("Databricks run %d could not be cancelled and may still be going. %s", run_id, reason)
        return False
    return True


async def leave_alone(report: FlowRunReport) -> None:
    """Finish what is drawn of a run that may go on."""
    await report.leave()
    await send_log()


async def send_log() -> None:
    """Have Prefect told what was logged; a process that Prefect 2 ends by a signal sends no more at its exit."""
    with anyio.move_on_after(LOG_SECONDS), suppress(Exception):  # the log must not change why the wait has ended
        await APILogHandler.aflush()


async def _is_only_a_stop(signal: Signals, logger: Logger) -> bool:
    """Whether the signal means that this process is being stopped, while nobody cancels the flow run."""
    flow_runs = await _flow_runs(logger)
    states = [flow_run.state for flow_run in flow_runs if flow_run.state]
    if any(state.is_cancelling() or state.is_cancelled() for state in states):
        return False
    # Ctrl-C in the terminal of a Prefect worker or of `serve` reaches its flow processes too, which are not yours.
    is_a_workers = "PREFECT__FLOW_RUN_ID" in os.environ or any(flow_run.deployment_id for flow_run in flow_runs)
    return signal == Signals.SIGTERM or is_a_workers


async def _flow_runs(logger: Logger) -> list[FlowRun]:
    """Return this flow run, and those that it is a subflow of: only the outermost says that it is being cancelled."""
    context = FlowRunContext.get()
    flow_run_id = context.flow_run.id if context and context.flow_run else None
    found: list[FlowRun] = []
    if flow_run_id is None:
        return found
    try:
        with anyio.fail_after(CANCEL_SECONDS):
            async with get_client() as client:
                async for flow_run in flow_runs_around(client, flow_run_id):
                    found.append(flow_run)  # noqa: PERF401 - what was read before an error counts
    except Exception as error:
        logger.error("Prefect could not be asked whether the flow run is being cancelled: %r", error)
    return found
