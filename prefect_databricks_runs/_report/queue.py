"""The queue of updates to the Prefect API: one call at a time, and only the newest state of each thing.

Concurrent calls make a Prefect 3 server on SQLite answer 503, and then Prefect's client backs off: 32 calls at a time
take seven times as long as 32 calls in a row.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import anyio
import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from .._clock import Clock, SystemClock
from .._prefect.compat import say_json
from .._runtime import of_loop

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from .._prefect.logging import Logger

# The next thing is tried after this time, whatever Prefect's API does. One thing takes a few calls.
TELL_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_REFUSALS = range(400, 500)
_PASSING_REFUSALS = frozenset({408, 409, 423, 425, 429})


class Thing:
    """Something that Prefect shows, and that may change faster than updates can be sent.

    Args:
        logger: The log for failed updates.

    Attributes:
        comes_after: The things to send first, if they have changed too.
        seconds: How long sending it may take; None for the usual time.
    """

    comes_after: Sequence[Thing] = ()
    seconds: float | None = None

    def __init__(self, logger: Logger) -> None:
        self.logger = logger
        self.context = contextvars.copy_context()
        self.api_url = PREFECT_API_URL.value()

    async def tell(self, client: PrefectClient) -> None:
        """Send to Prefect what has changed. May be called again after a failure halfway."""
        raise NotImplementedError


class PrefectQueue:
    """Send things to Prefect in the order of their first change, but each one after the things that must come first.

    Used only in the background loop.

    A failed update is retried until it works, behind the others, so that it does not delay them. An update that Prefect
    refuses is dropped. Both are logged once.

    Args:
        clock: The clock for the pauses after a failure.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._waiting: dict[Thing, None] = {}
        self._failing: set[Thing] = set()
        self._now: Thing | None = None
        self._telling: asyncio.Task[None] | None = None
        self._worker: asyncio.Task[None] | None = None
        self._progress = asyncio.Event()
        self._last_sent = 0.0  # by the loop's time

    def put(self, thing: Thing) -> None:
        """Send a changed thing to Prefect soon."""
        self._waiting.setdefault(thing)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work())

    async def told(self, things: Collection[Thing], patience: float, at_most: float = math.inf) -> bool:
        """Wait until Prefect has all these things, then drop the missing ones.

        Args:
            things: The things to wait for.
            patience: How many seconds to wait. While other things come before these, each sent update starts the time
                again; once these have been tried and failed, it does not.
            at_most: How many seconds to wait in total.

        Returns:
            Whether Prefect has all of them.
        """
        until = anyio.current_time() + patience
        with anyio.move_on_after(at_most):
            while (seconds := until - anyio.current_time()) > 0:
                with anyio.move_on_after(seconds):
                    await self.until_told(things)
                    return True
                if any(self._is_waiting(thing) and thing not in self._failing for thing in things):
                    until = max(until, self._last_sent + patience)
        self._give_up(things)
        return False

    async def until_told(self, things: Collection[Thing]) -> None:
        """Wait until Prefect has all these things, or has refused them."""
        while any(map(self._is_waiting, things)):
            self._progress.clear()
            await self._progress.wait()

    def _is_waiting(self, thing: Thing) -> bool:
        return thing in self._waiting or thing is self._now

    def _give_up(self, things: Collection[Thing]) -> None:
        for thing in things:
            self._waiting.pop(thing, None)
            self._failing.discard(thing)
        # Sent later, the state name of a flow run that has ended would make it run again.
        if self._now in things and self._telling:
            self._telling.cancel()

    async def _work(self) -> None:
        # In a loop, because new things may arrive while the clients are closed; nothing is awaited after the last
        # check.
        while self._waiting:
            stack = AsyncExitStack()
            try:
                await self._send_all(stack)
            finally:
                with suppress(Exception):
                    await stack.aclose()

    async def _send_all(self, stack: AsyncExitStack) -> None:
        pause, refused = _FIRST_PAUSE, False
        clients: dict[str | None, PrefectClient] = {}
        while self._waiting:
            thing = self._now = self._next()
            del self._waiting[thing]
            try:
                if thing.api_url not in clients:
                    client = await stack.enter_async_context(thing.context.run(get_client))
                    say_json(client)
                    clients[thing.api_url] = client
                await self._send(thing, clients[thing.api_url])
            except Exception as error:
                if _is_refusal(error):
                    refused = refused or _complain(thing, error)
                    self._answered(thing)
                else:
                    self._failed(thing, error)
                    self._step()
                    await self._clock.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
            else:
                pause = _FIRST_PAUSE
                self._answered(thing)
            self._step()

    async def _send(self, thing: Thing, client: PrefectClient) -> None:
        """Send a thing in the context of its flow run; stop early if it is dropped."""
        task = self._telling = thing.context.copy().run(asyncio.ensure_future, _in_time(thing, client))
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._telling = None
        if not task.cancelled():
            task.result()

    def _next(self) -> Thing:
        return next(thing for thing in self._waiting if self._waiting.keys().isdisjoint(thing.comes_after))

    def _failed(self, thing: Thing, error: Exception) -> None:
        if not self._failing:
            _complain(thing, error)
        self._failing.add(thing)
        self._waiting.pop(thing, None)
        self._waiting[thing] = None

    def _answered(self, thing: Thing) -> None:
        self._last_sent = anyio.current_time()
        if thing in self._failing:
            self._failing.discard(thing)
            if not self._failing:
                thing.logger.info("Updates to Prefect are going through again.")

    def _step(self) -> None:
        self._now = None
        self._progress.set()


async def _in_time(thing: Thing, client: PrefectClient) -> None:
    # Inside the task that has the limit: from outside, the cancellation would also interrupt the closing of
    # connections, and the client would run out of them.
    with anyio.fail_after(thing.seconds or TELL_SECONDS):
        await thing.tell(client)


def _is_refusal(error: Exception) -> bool:
    """Return whether another try would not help."""
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status in _REFUSALS and status not in _PASSING_REFUSALS
    return not isinstance(error, (httpx.HTTPError, TimeoutError, OSError, RuntimeError))


def _complain(thing: Thing, error: Exception) -> bool:
    thing.logger.log(
        logging.WARNING, "Could not send an update on the Databricks run to Prefect; the run is not affected. %r", error
    )
    return True


def prefect_queue() -> PrefectQueue:
    """Return the queue of the background loop; a fork has its own loop and queue."""
    return of_loop(PrefectQueue)
