"""The one background event loop of the process, and the doors to it.

All that this package does with a network is written once, async, and runs in this loop, so that every task and flow of
the process shares its connections. A sync door waits in the caller's own thread, because that is where Prefect delivers
an interruption; an async door waits without blocking the caller's loop.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

import anyio
from anyio.from_thread import BlockingPortal
from typing_extensions import ParamSpec

from ..errors import DatabricksError

P = ParamSpec("P")
T = TypeVar("T")

_SETTLE_SECONDS = 5.0
_SLICE_SECONDS = 0.5
_END_SECONDS = 20.0

_lock = threading.Lock()
_background: set[Future[Any]] = set()
_portal: BlockingPortal | None = None
_thread: threading.Thread | None = None


def call(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in the background loop, and wait for it in this thread.

    When the wait is interrupted (a signal, a flow's time-out), the function is cancelled too before the interruption
    goes on: left alone it would work for ever.

    Raises:
        RuntimeError: Called in the background loop itself, which would wait for itself.
    """
    job = _Job(partial(function, *args, **kwargs))
    try:
        future = job.start()
        # In slices: Prefect interrupts a thread that is not the main one between two steps of Python, not in a wait.
        while not wait([future], _SLICE_SECONDS).done:
            pass
        return future.result()
    except DatabricksError as error:
        raise _from_here(error)  # noqa: B904 - it is the same error
    except BaseException:
        job.abandon()
        raise


def start(function: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run `function` in the background loop, and do not wait for it; the end of the process does, for a short while.

    May be called in the background loop too.
    """
    _await_at_the_end(_Job(partial(function, *args, **kwargs)).start_soon())


def settle(*more: Future[Any]) -> None:
    """Wait a short while until what was started has ended, and what nobody waits for any more.

    Args:
        *more: What else to wait for.
    """
    wait([*_background, *more], _END_SECONDS)


def _await_at_the_end(future: Future[Any]) -> None:
    _background.add(future)
    future.add_done_callback(_background.discard)


async def acall(function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in the background loop, and wait for it in the caller's loop; cancelled like `call`."""
    job = _Job(partial(function, *args, **kwargs))
    try:
        return await asyncio.wrap_future(job.start())
    except DatabricksError as error:
        raise _from_here(error)  # noqa: B904 - it is the same error
    except BaseException:
        # Blocks although the caller is async: on Prefect 2 an `await` here is cancelled a second time.
        job.abandon()
        raise


def _from_here(error: DatabricksError) -> DatabricksError:
    """Return an error that says itself what is wrong, without the way that it came through the background loop."""
    return error.with_traceback(None)


class _Job(Generic[T]):
    """One call, made before it is started: an interruption may come before its future has reached the caller."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._scope: anyio.CancelScope | None = None
        # Its own, not the portal's: what is no `Exception`, such as a `SystemExit`, would end the portal for everybody.
        self._future: Future[T] = Future()

    def start(self) -> Future[T]:
        portal = _get_portal()
        if threading.current_thread() is _thread:
            raise RuntimeError("A sync call of prefect_databricks_runs was made inside its own background loop.")
        portal.start_task_soon(self._run)
        return self._future

    def start_soon(self) -> Future[T]:
        if threading.current_thread() is not _thread:
            return self.start()
        self._task = asyncio.get_running_loop().create_task(self._run())  # kept: the loop itself forgets its tasks
        return self._future

    def abandon(self) -> None:
        """Cancel it, and wait a short while until it has ended.

        What it has shielded goes on for longer, such as a request to start a run; `settle` waits for that.
        """
        if _portal is not None and threading.current_thread() is not _thread and not self._future.done():
            with suppress(RuntimeError):  # the portal has ended, and with it the job
                _portal.start_task_soon(self._cancel)
                _await_at_the_end(self._future)
                wait([self._future], _SETTLE_SECONDS)

    async def _run(self) -> None:
        if not self._future.set_running_or_notify_cancel():
            return
        try:
            with anyio.CancelScope() as self._scope:
                self._future.set_result(await self._work())
                return
            self._future.set_exception(asyncio.CancelledError())
        except BaseException as error:
            self._future.set_exception(error)
            if isinstance(error, asyncio.CancelledError):
                raise

    async def _cancel(self) -> None:
        if self._scope:
            self._scope.cancel()
        else:  # tasks begin in the order they are started in, so this one was never started
            self._future.cancel()


def _get_portal() -> BlockingPortal:
    global _portal, _thread  # noqa: PLW0603 - one loop a process is what this module is for
    with _lock:
        if _portal is None or _thread is None or not _thread.is_alive():
            # Not anyio's `start_blocking_portal`: in a forked child, its remains wait for a thread that is not there.
            ready: Future[BlockingPortal] = Future()
            _thread = threading.Thread(target=_run_loop, args=(ready,), name="prefect-databricks-runs", daemon=True)
            _thread.start()
            _portal = ready.result()
        return _portal


def _run_loop(ready: Future[BlockingPortal]) -> None:
    try:
        anyio.run(_serve, ready)
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)


async def _serve(ready: Future[BlockingPortal]) -> None:
    async with BlockingPortal() as portal:
        ready.set_result(portal)
        await portal.sleep_until_stopped()


def _close() -> None:
    if _portal is not None:
        settle()
        with suppress(RuntimeError):
            _portal.call(_portal.stop, True)


def _forget_after_fork() -> None:
    global _lock, _portal, _thread
    _lock, _portal, _thread = threading.Lock(), None, None
    _background.clear()


atexit.register(_close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
