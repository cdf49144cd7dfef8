"""Which signal ended a wait."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from prefect.exceptions import TerminationSignal

from prefect_databricks_runs import WaitTimeout
from prefect_databricks_runs._leave.signals import async_wait, signal_behind


def behind(error: BaseException, context: BaseException | None) -> signal.Signals | None:
    error.__context__ = context
    return signal_behind(error)


@pytest.mark.parametrize(
    ("error", "context", "expected"),
    [
        (TerminationSignal(signal.SIGTERM), None, signal.SIGTERM),
        (KeyboardInterrupt(), None, signal.SIGINT),
        (asyncio.CancelledError(), TerminationSignal(signal.SIGTERM), signal.SIGTERM),
        (asyncio.CancelledError(), KeyboardInterrupt(), signal.SIGINT),
        (asyncio.CancelledError(), ValueError(), None),
        (asyncio.CancelledError(), None, None),
        (TimeoutError(), None, None),
    ],
)
def test_a_signal_is_what_ended_the_wait_or_what_cancelled_it(error, context, expected) -> None:
    assert behind(error, context) == expected


def test_a_time_out_of_a_wait_that_cleans_up_after_a_signal_is_no_signal() -> None:
    timeout = WaitTimeout(run_id=1, max_wait_seconds=1, url=None, state="RUNNING")
    assert behind(timeout, TerminationSignal(signal.SIGTERM)) is None


def behind_the_end_of_a_wait(interrupt: Callable[[asyncio.Task], object]) -> signal.Signals | None:
    found: list[signal.Signals | None] = []

    async def main() -> None:
        with async_wait():
            task = asyncio.current_task()
            assert task
            asyncio.get_running_loop().call_soon(interrupt, task)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                found.append(signal_behind(error))

    with suppress(KeyboardInterrupt):
        asyncio.run(main())
    (only,) = found
    return only


def test_async_code_is_told_that_it_was_ctrl_c_and_only_then() -> None:
    handler = signal.getsignal(signal.SIGINT)
    assert behind_the_end_of_a_wait(lambda task: task.cancel()) is None
    assert behind_the_end_of_a_wait(lambda _: signal.raise_signal(signal.SIGINT)) == signal.SIGINT
    assert behind_the_end_of_a_wait(lambda task: task.cancel()) is None
    assert signal.getsignal(signal.SIGINT) is handler


def test_waits_that_overlap_leave_the_handler_of_ctrl_c_as_it_was() -> None:
    handler = signal.getsignal(signal.SIGINT)
    first, second = async_wait(), async_wait()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGINT) is not handler
    second.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_wait_in_another_thread_is_no_matter_of_signals() -> None:
    done = []

    def wait() -> None:
        with async_wait():
            done.append(signal_behind(asyncio.CancelledError()))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert done == [None]
