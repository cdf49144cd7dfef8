"""What every wait is made of, be it for one run or for many, and its two doors: for plain flows and for async ones."""

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

# How often a run is asked for that is being cancelled.
_PERIOD = 0.5
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Wait(Protocol[T_co]):
    """A wait; all but `end` runs in the background loop."""

    async def until_over(self) -> None:
        """Wait, and show how it goes."""
        ...

    async def leave(self, reason: BaseException) -> bool:
        """Decide what becomes of what is not over; return whether its end is to be expected."""
        ...

    async def see_it_end(self) -> None:
        """Show how that ended which was cancelled."""
        ...

    async def leave_alone(self) -> None:
        """Finish what is drawn of that which may go on."""
        ...

    def end(self) -> T_co:
        """Return or raise what the flow ends with."""
        ...


def wait_here(wait: Wait[T]) -> T:
    """Wait in this thread.

    Args:
        wait: For what.
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
        wait: For what.
    """
    with async_wait():
        try:
            await portal.acall(wait.until_over)
        except BaseException as reason:
            # Not awaited: on Prefect 2 the first `await` of a cancelled flow's clean-up is cancelled again. It blocks
            # the caller's loop, where others may be waiting to leave, so the background loop sees the run's end.
            portal.start(wait.see_it_end if portal.call(wait.leave, reason) else wait.leave_alone)
            if is_last_of_an_ending_process(reason):
                portal.settle()  # Prefect 2 kills the process next, and nothing is done at exit
            raise
    return wait.end()


def give(state: State[Any], value: T) -> T:
    """Return or raise what a flow ends with: a state where that can be, which Prefect unpacks for the flow's caller.

    Args:
        state: The state, with an error as its data where it is a bad one.
        value: What the flow's caller gets.
    """
    if may_return(state):
        return cast(T, state)
    if isinstance(state.data, BaseException):
        raise state.data
    return value


async def see_ends(call: Call[RequestOptions], run_ids: Collection[int], on_change: OnChange) -> set[int]:
    """Show how runs ended that are being cancelled, as far as they do so within a few seconds.

    Args:
        call: Of the task, flow or command that has had them cancelled.
        run_ids: The job runs.
        on_change: Told of each change.

    Returns:
        Those whose end was seen.
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
            is_started_here=True,  # as good as that: Databricks has taken its cancellation
        )
        with suppress(DatabricksError):  # it is in the log
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
    """Return what is to be told of failing polls, of one run or of many that are waited for together.

    Args:
        call: Of the flow that waits.
    """
    return Outages(call.logger, call.hook.clock, call.options["max_outage_seconds"])


def watch_of(
    call: Call[PollOptions], run_id: int, on_change: OnChange, *, outages: Outages, faults: OwnFaults
) -> Watch:
    """Make a watch that reads its run together with all others of this process.

    Args:
        call: Of the flow that waits.
        run_id: The job run.
        on_change: Told of each change.
        outages: Told of failing polls.
        faults: Told of faults of this package.
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
        is_started_here=(call.host, run_id) in of_process(StartedHere),
    )
