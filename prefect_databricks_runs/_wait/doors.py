"""What every wait is made of, be it for one run or for many, and its two doors: for plain flows and for async ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

import anyio
from prefect import State

from .._clock import SystemClock
from .._connect.calls import hook_for
from .._leave.leaving import END_SECONDS
from .._leave.signals import async_wait, is_last_of_an_ending_process
from .._prefect import portal
from .._prefect.logging import Logger
from .._report import may_return
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError
from ..hook import DatabricksHook
from ..options import option
from .outages import Outages
from .run_reader import reader_for
from .watch import OnChange, Watch

# How often a run is asked for that is being cancelled.
_PERIOD = 0.5
_WATCH_OPTIONS = ("polling_period_seconds", "max_wait_seconds", "max_outage_seconds")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Wait(Protocol[T_co]):
    """A wait; all but `end` runs in the background loop."""

    async def until_over(self) -> None:
        """Wait, and show how it goes."""
        ...

    async def leave(self, reason: BaseException) -> bool:
        """Decide what becomes of what is not over; returns whether its end is to be expected."""
        ...

    async def see_it_end(self) -> None:
        """Show how that ended which was cancelled."""
        ...

    async def leave_alone(self) -> None:
        """Finish what is drawn of that which may go on."""
        ...

    def end(self) -> T_co:
        """Give or raise what the flow ends with."""
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
    """Give or raise what a flow ends with: a state where that can be, which Prefect unpacks for the flow's caller.

    Args:
        state: The state, with an error as its data where it is a bad one.
        value: What the flow's caller gets.
    """
    if may_return(state):
        return cast(T, state)
    if isinstance(state.data, BaseException):
        raise state.data
    return value


async def see_ends(
    credentials: DatabricksCredentials, run_ids: Iterable[int], on_change: OnChange, logger: Logger
) -> set[int]:
    """Show how runs ended that are being cancelled, as far as they do so within a few seconds.

    Args:
        credentials: The workspace, and how to sign in.
        run_ids: The job runs.
        on_change: Told of each change.
        logger: Where failing polls are told.

    Returns:
        Those whose end was seen.
    """
    seen: set[int] = set()
    options = {"polling_period_seconds": _PERIOD, "max_outage_seconds": END_SECONDS}
    outages = outages_of(options, logger)

    async def one(run_id: int) -> None:
        with suppress(DatabricksError):  # it is in the log
            await watch_of(credentials, run_id, on_change, options, logger, outages=outages).until_over()
            seen.add(run_id)

    with anyio.move_on_after(END_SECONDS):
        async with anyio.create_task_group() as together:
            for run_id in run_ids:
                together.start_soon(one, run_id)
    return seen


def outages_of(options: Mapping[str, Any], logger: Logger) -> Outages:
    """What is to be told of failing polls, of one run or of many that are waited for together.

    Args:
        options: `PollOptions`.
        logger: Of the flow run.
    """
    return Outages(logger, SystemClock(), option(options, "max_outage_seconds"))


def watch_of(
    credentials: DatabricksCredentials,
    run_id: int,
    on_change: OnChange,
    options: Mapping[str, Any],
    logger: Logger,
    *,
    outages: Outages,
) -> Watch:
    """A watch that reads its run together with all others of this process.

    Args:
        credentials: The workspace, and how to sign in.
        run_id: The job run.
        on_change: Told of each change.
        options: `PollOptions`.
        logger: Of the flow run.
        outages: Told of failing polls.
    """
    polls: DatabricksHook = hook_for(credentials, {**options, "databricks_retry_limit": 1}, logger)
    settings = {name: option(options, name) for name in _WATCH_OPTIONS}
    return Watch(reader_for(credentials, polls.clock), polls, run_id, on_change, outages=outages, **settings)
