"""The background event loop of the process, and how to call into it.

All network code of this package is async and runs in this loop, so all tasks and flows of the process share
connections. A sync call waits in the caller's own thread, because Prefect delivers interruptions there. An async call
waits without blocking the caller's loop.
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

    If the wait is interrupted (a signal, a flow's timeout), the function is cancelled before the interruption
    continues. Otherwise it would run forever.

    Raises:
        RuntimeError: The call came from the background loop itself, which would wait for itself.
    """
    job = _Job(partial(function, *args, **kwargs))
    try:
        future = job.start()
        # In slices: Prefect interrupts other threads than the main one between two steps of Python, not during a wait.
        while not wait([future], _SLICE_SECONDS).done:
            pass
        return future.result()
    except DatabricksError as error:
        raise _from_here(error)  # noqa: B904 - it is the same error
    except BaseException:
        job.abandon()
        raise


def start(function: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run `function` in the background loop without waiting for it. The end of the process waits a short while.

    May also be called in the background loop.
    """
    _await_at_the_end(_Job(partial(function, *args, **kwargs)).start_soon())


def settle(*more: Future[Any]) -> None:
    """Wait a short while until everything that was started has ended, including abandoned calls.

    Args:
        *more: Other futures to wait for.
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
        # Blocks although the caller is async: on Prefect 2, an `await` here is cancelled a second time.
        job.abandon()
        raise


def _from_here(error: DatabricksError) -> DatabricksError:
    """Return the error without its traceback through the background loop: its message says what is wrong."""
    return error.with_traceback(None)


class _Job(Generic[T]):
    """One call, created before it starts: an interruption may come before the caller has its future."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._scope: anyio.CancelScope | None = None
        # Its own future, not the portal's: an error that is not an `Exception`, such as `SystemExit`, would end the
        # portal.
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
        self._task = asyncio.get_running_loop().create_task(self._run())  # kept, because the loop does not keep it
        return self._future

    def abandon(self) -> None:
        """Cancel it, and wait a short while until it has ended.

        Shielded parts, such as a request to start a run, take longer; `settle` waits for them.
        """
        if _portal is not None and threading.current_thread() is not _thread and not self._future.done():
            with suppress(RuntimeError):  # the portal has ended, and the job with it
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
        else:  # tasks begin in the order of their start, so this one never started
            self._future.cancel()


def _get_portal() -> BlockingPortal:
    global _portal, _thread  # noqa: PLW0603 - this module holds one loop for each process
    with _lock:
        if _portal is None or _thread is None or not _thread.is_alive():
            # Not anyio's `start_blocking_portal`: in a forked child, its remains wait for a thread that does not exist.
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
