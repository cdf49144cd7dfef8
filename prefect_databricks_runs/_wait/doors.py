"""The parts of every wait, for one run or for many, and its two doors: one for sync flows and one for async flows."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

import anyio
from prefect import State

from .._connect.call import Call
from .._leave.leaving import END_SECONDS, Cancellations
from .._leave.signals import async_wait, is_last_of_an_ending_process
from .._leave.started_here import StartedHere
from .._prefect import portal
from .._prefect.own_faults import OwnFaults
from .._report import may_return
from .._runtime import of_process
from ..errors import DatabricksError
from ..options import PollOptions, RequestOptions
from .outages import Outages
from .run_reader import reader_for
from .watch import OnChange, Watch

# Seconds between two polls of a run that is being cancelled.
_PERIOD = 0.5
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Wait(Protocol[T_co]):
    """A wait. Everything except `end` runs in the background loop."""

    async def until_over(self) -> None:
        """Wait, and show the progress."""
        ...

    async def leave(self, reason: BaseException) -> bool:
        """Cancel the unfinished runs or leave them running; return whether any is being cancelled."""
        ...

    async def see_it_end(self) -> None:
        """Show how the cancelled runs ended."""
        ...

    async def leave_alone(self) -> None:
        """Finish the task runs and artifacts of runs that may keep running."""
        ...

    def end(self) -> T_co:
        """Return the flow's result, or raise its error."""
        ...


def wait_here(wait: Wait[T]) -> T:
    """Wait in this thread.

    Args:
        wait: The wait.
    """
    try:
        portal.call(wait.until_over)
    except BaseException as reason:
        if portal.call(wait.leave, reason):
            portal.call(wait.see_it_end)
        else:
            portal.call(wait.leave_alone)
        raise
    return wait.end()


async def wait_async(wait: Wait[T]) -> T:
    """Wait without blocking the caller's loop.

    Args:
        wait: The wait.
    """
    with async_wait():
        try:
            await portal.acall(wait.until_over)
        except BaseException as reason:
            # Not awaited: on Prefect 2 the first `await` of a cancelled flow's cleanup is cancelled again. The call
            # blocks the caller's loop, where other waits may have to leave too, so the background loop watches for
            # the end of the run.
            portal.start(wait.see_it_end if portal.call(wait.leave, reason) else wait.leave_alone)
            if is_last_of_an_ending_process(reason):
                portal.settle()  # Prefect 2 kills the process next, and no exit handler runs
            raise
    return wait.end()


def give(state: State[Any], value: T) -> T:
    """Return a flow's result, or raise its error. Where possible, return a state, which Prefect unpacks for the caller.

    Args:
        state: The final state; a failed one has the error as its data.
        value: The result for the flow's caller.
    """
    if may_return(state):
        return cast(T, state)
    if isinstance(state.data, BaseException):
        raise state.data
    return value


async def see_ends(call: Call[RequestOptions], run_ids: Collection[int], on_change: OnChange) -> set[int]:
    """Show the end of runs that are being cancelled, if they end within a few seconds.

    Args:
        call: The call of the task, flow or command that cancelled them.
        run_ids: The job runs.
        on_change: Called with the run at each change.

    Returns:
        The runs whose end was seen.
    """
    seen: set[int] = set()
    outages, faults = Outages(call.logger, call.hook.clock, END_SECONDS), OwnFaults(call.logger)

    async def one(run_id: int) -> None:
        watch = Watch(
            reader_for(call.credentials, call.hook.clock),
            call.polling_hook,
            run_id,
            on_change,
            polling_period_seconds=_PERIOD,
            max_wait_seconds=None,
            max_outage_seconds=END_SECONDS,
            outages=outages,
            faults=faults,
            is_started_here=True,  # treated so because Databricks has accepted its cancellation
        )
        with suppress(DatabricksError):  # the log has it
            await watch.until_over()
            of_process(Cancellations).forget(run_id)
            seen.add(run_id)

    with anyio.move_on_after(END_SECONDS):
        async with anyio.create_task_group() as together:
            for run_id in run_ids:
                together.start_soon(one, run_id)
    for run_id in set(run_ids) - seen:
        call.logger.warning("Databricks was asked to cancel run %d; its end was not seen.", run_id)
    return seen


def outages_of(call: Call[PollOptions]) -> Outages:
    """Make the object that logs failing polls, for one run or for many that one flow run waits for.

    Args:
        call: The call of the flow that waits.
    """
    return Outages(call.logger, call.hook.clock, call.options["max_outage_seconds"])


def watch_of(
    call: Call[PollOptions],
    run_id: int,
    on_change: OnChange,
    *,
    outages: Outages,
    faults: OwnFaults,
    waited_seconds: float = 0.0,
    is_known: bool = False,
) -> Watch:
    """Make a watch that reads its run together with all others of this process.

    Args:
        call: The call of the flow that waits.
        run_id: The job run.
        on_change: Called with the run at each change.
        outages: Logs failing polls.
        faults: Logs faults of this package.
        waited_seconds: How much of `max_wait_seconds` has passed.
        is_known: Whether the run is known to exist, although this process has neither started nor read it.
    """
    return Watch(
        reader_for(call.credentials, call.hook.clock),
        call.polling_hook,
        run_id,
        on_change,
        polling_period_seconds=call.options["polling_period_seconds"],
        max_wait_seconds=call.options["max_wait_seconds"],
        max_outage_seconds=call.options["max_outage_seconds"],
        outages=outages,
        faults=faults,
        is_started_here=is_known or (call.host, run_id) in of_process(StartedHere),
        waited_seconds=waited_seconds,
    )
