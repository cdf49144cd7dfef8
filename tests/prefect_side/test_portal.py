"""The doors to the background loop: results, errors, context, and that an interruption leaves nothing running."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from prefect_databricks_runs._prefect import portal
from tests.support.processes import PATIENCE

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


async def double(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    return 2 * number


async def fail() -> None:
    raise LookupError("gone")


def test_a_sync_door_gives_the_result_or_the_error() -> None:
    assert portal.call(double, 21) == 42
    with pytest.raises(LookupError, match="gone"):
        portal.call(fail)


@pytest.mark.anyio
async def test_async_doors_do_not_wait_for_each_other() -> None:
    inside: list[anyio.Event] = []

    async def meet() -> int:
        inside.append(anyio.Event())
        if len(inside) < 50:
            await inside[-1].wait()
        for event in inside:
            event.set()
        return threading.get_ident()

    threads = await asyncio.gather(*(portal.acall(meet) for _ in range(50)))
    assert set(threads) == {portal._thread.ident}
    assert threading.get_ident() not in threads


def test_context_travels_with_the_call() -> None:
    async def read() -> str:
        return colour.get()

    token = colour.set("blue")
    try:
        assert portal.call(read) == "blue"
    finally:
        colour.reset(token)


def test_a_door_inside_the_loop_is_an_error_not_a_deadlock() -> None:
    async def inner() -> int:
        return portal.call(double, 1)

    with pytest.raises(RuntimeError, match="inside its own background loop"):
        portal.call(inner)


def test_what_ends_a_process_ends_only_its_own_call() -> None:
    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        portal.call(leave)
    assert portal.call(double, 21) == 42


def test_a_loop_that_has_died_is_made_again() -> None:
    portal.call(double, 1)
    portal._portal.call(portal._portal.stop, True)
    portal._thread.join(10)
    assert portal.call(double, 21) == 42


class Sleeper:
    """Sleeps for ever; tells when it began, and whether it was cancelled."""

    def __init__(self) -> None:
        self.began, self.cancelled = threading.Event(), threading.Event()

    async def __call__(self) -> None:
        self.began.set()
        try:
            await anyio.sleep_forever()
        except BaseException:
            self.cancelled.set()
            raise


def test_an_interrupted_sync_wait_cancels_what_it_waits_for() -> None:
    sleeper = Sleeper()

    def interrupt() -> None:
        sleeper.began.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        portal.call(sleeper)
    thread.join()
    assert sleeper.cancelled.is_set()


def test_the_end_waits_for_what_goes_on_after_an_interruption(monkeypatch) -> None:
    monkeypatch.setattr(portal, "_SETTLE_SECONDS", 0.01)
    interrupt, go_on, ended = threading.Event(), anyio.Event(), []

    async def shielded() -> None:
        with anyio.CancelScope(shield=True):
            interrupt.set()
            await go_on.wait()
            ended.append("after all")

    async def let_it_go_on() -> None:
        go_on.set()

    def kill() -> None:
        interrupt.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        portal.call(shielded)
    thread.join()
    assert not ended
    portal.start(let_it_go_on)
    portal.settle()
    assert ended


@pytest.mark.anyio
async def test_a_cancelled_async_wait_cancels_what_it_waits_for() -> None:
    sleeper = Sleeper()
    waiting = asyncio.create_task(portal.acall(sleeper))
    while not sleeper.began.is_set():
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert sleeper.cancelled.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("end", ["normally", "with something running", "in a forked child"])
def test_the_process_ends_at_once(end: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import anyio, os, sys\n"
        "from prefect_databricks_runs._prefect import portal\n"
        "async def one(): return 1\n"
        "print(portal.call(one), flush=True)\n"
        + {
            "normally": "",
            "with something running": "portal._Job(anyio.sleep_forever).start()\n",
            "in a forked child": "pid = os.fork()\n"
            "print(portal.call(one), flush=True)\n"
            "if pid: sys.exit(os.waitpid(pid, 0)[1])\n",
        }[end]
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"1"}
