"""Runs that are started but not returned to the caller yet: an interruption must not lose them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

import anyio
import anyio.lowlevel

from .._connect.call import Call
from .._leave.leaving import leave, send_log
from .._leave.signals import async_wait, is_last_of_an_ending_process
from .._prefect import portal
from ..hook import StartedRun
from ..options import RequestOptions


class _Request:
    """An active request to start a run.

    Args:
        say: Logs that the wait for the answer was interrupted.
    """

    def __init__(self, say: Callable[[], None]) -> None:
        self.is_over: Future[None] = Future()
        self.is_answered = False
        self._say: Callable[[], None] | None = say

    def say(self) -> None:
        """Log it once, unless there is an answer."""
        say, self._say = self._say, None
        if say and not self.is_answered:
            say()


class Handover:
    """The runs of one call, from the request to start them until the caller has their ids.

    The handover of a flow contains that of its task. On Prefect 2 they are in two threads, and a signal ends the flow's
    first.

    Args:
        call: The call of the task or flow.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a failure for the flow that waits for the runs.
        outer: The handover of the caller.
    """

    def __init__(
        self,
        call: Call[RequestOptions],
        *,
        fail_on_task_failures: bool = False,
        outer: Handover | None = None,
    ) -> None:
        self.fail_on_task_failures = fail_on_task_failures
        self._call = call
        self._all: list[Handover] = [*(outer._all if outer else ()), self]  # the outermost first
        self._requests: list[_Request] = []
        self._run_ids: list[int] = []
        self._left: set[int] = outer._left if outer else set()
        self._interruption: BaseException | None = None

    async def start(self, ask: Callable[[], Awaitable[StartedRun]], say: Callable[[], None]) -> StartedRun:
        """Start a run; if the wait for it has been interrupted, leave the run at once.

        Args:
            ask: Sends the request.
            say: Logs that the wait for the answer was interrupted.

        Raises:
            CancelledError: The wait has been interrupted.
        """
        if self._reason():
            raise asyncio.CancelledError
        # Signing in may take long and starts nothing, so an interruption ends it.
        await self._call.hook.sign_in()
        # An interruption does not end the request: without its answer the id of a started run would be lost.
        with anyio.CancelScope(shield=True), self._sending(_Request(say)) as request:
            started = await ask()
            request.is_answered = True
            for each in self._all:
                each._run_ids.append(started.run_id)
            if self._reason():
                await self._leave(started.run_id)
                await send_log()
                raise asyncio.CancelledError
        await anyio.lowlevel.checkpoint()
        return started

    @contextmanager
    def _sending(self, request: _Request) -> Iterator[_Request]:
        for each in self._all:
            each._requests.append(request)
        try:
            yield request
        finally:
            for each in self._all:
                each._requests.remove(request)
            request.is_over.set_result(None)

    def drop(self, run_id: int) -> None:
        """Forget a run that turned out to have finished."""
        for each in self._all:
            each._run_ids.remove(run_id)

    def interrupted(self, reason: BaseException) -> None:
        """Leave all runs that have been started, and each run that is still being started."""
        self._interruption = reason
        for run_id in list(self._run_ids):
            portal.call(self._leave, run_id)
        requests = list(self._requests)
        for request in requests:
            request.say()
        if requests and is_last_of_an_ending_process(reason):
            # Prefect kills the process that SIGTERM has ended, and no exit handler runs.
            portal.call(send_log)
            portal.settle(*(request.is_over for request in requests))

    def _reason(self) -> BaseException | None:
        """Return the interruption, of the outermost handover first: Prefect 2 merely cancels the inner calls."""
        return next((each._interruption for each in self._all if each._interruption), None)

    async def _leave(self, run_id: int) -> None:
        reason = self._reason()
        if reason and run_id not in self._left:
            self._left.add(run_id)
            await leave(self._call.hook, [run_id], reason, self._call.logger, known=[run_id])


_current: ContextVar[Handover | None] = ContextVar("handover", default=None)


def current_handover() -> Handover:
    """Return the innermost handover of this context."""
    handover = _current.get()
    if handover is None:
        raise RuntimeError("Runs are started inside `handing_over` only.")
    return handover


@contextmanager
def handing_over(call: Call[RequestOptions], *, fail_on_task_failures: bool = False) -> Iterator[None]:
    """Leave every run that is started in this block if the block is interrupted before its end.

    Args:
        call: The call of the task or flow.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a failure; always so if it is one for the caller.
    """
    outer = _current.get()
    fails = fail_on_task_failures or bool(outer and outer.fail_on_task_failures)
    handover = Handover(call, fail_on_task_failures=fails, outer=outer)
    token = _current.set(handover)
    try:
        with nullcontext() if outer else async_wait():
            try:
                yield
            except BaseException as reason:
                handover.interrupted(reason)
                raise
    finally:
        _current.reset(token)
