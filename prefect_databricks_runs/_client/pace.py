"""The pace of requests to one workspace, shared by all senders of this process.

Each kind of request waits in its own lane, and the lanes take turns: submitting a thousand runs does not delay the
polls of runs that are already active.
"""

from __future__ import annotations

import asyncio

from aiolimiter import AsyncLimiter

from .._clock import Clock
from .._runtime import of_loop
from .retries import LONGEST_RETRY_AFTER

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Pace:
    """The pace of requests to one workspace; used in one event loop.

    Args:
        requests_per_second: The average rate. After a quiet second, as many may be sent at once.
        clock: The time, for the pauses that Databricks asks for.
    """

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        self._clock = clock
        self.set(requests_per_second)
        self._lanes: dict[str, asyncio.Lock] = {}
        self._paused_until = 0.0
        self._pause = _FIRST_PAUSE

    def set(self, requests_per_second: float) -> None:
        """Change the pace."""
        self.requests_per_second = requests_per_second
        # A bucket must hold at least the one request that waits.
        at_once = max(1.0, requests_per_second)
        self._limiter = AsyncLimiter(at_once, at_once / requests_per_second)

    async def turn(self, lane: str) -> None:
        """Wait until a request may be sent.

        Args:
            lane: The kind of request.
        """
        async with self._lanes.setdefault(lane, asyncio.Lock()):
            await self._limiter.acquire()
            while (seconds := self._paused_until - self._clock.monotonic()) > 0:
                await self._clock.sleep(seconds)

    async def until_free(self, lane: str) -> None:
        """Wait until no request waits in a lane."""
        async with self._lanes.setdefault(lane, asyncio.Lock()):
            pass

    def slow_down(self, retry_after: float | None) -> None:
        """Pause all requests for a while, because the workspace has answered 429.

        Args:
            retry_after: Seconds to wait that the answer asked for, limited to 600. Without it, one second, doubled for
                each 429 in a row, up to 60.
        """
        now = self._clock.monotonic()
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_RETRY_AFTER))
        elif now >= self._paused_until:  # else the request was sent before the pause began
            self._paused_until = now + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def went_well(self) -> None:
        """Note that the workspace has accepted a request."""
        self._pause = _FIRST_PAUSE


class _Paces:
    """The paces of one event loop, by workspace address."""

    def __init__(self) -> None:
        self.of: dict[str, Pace] = {}


def pace_of(host: str, requests_per_second: float, clock: Clock) -> Pace:
    """Return the pace of a workspace in this event loop. If blocks differ, the slower pace applies from then on.

    Args:
        host: The workspace's address.
        requests_per_second: The limit of the block.
        clock: The time.
    """
    paces = of_loop(_Paces).of
    pace = paces.get(host)
    if pace is None:
        pace = paces[host] = Pace(requests_per_second, clock)
    if requests_per_second < pace.requests_per_second:
        pace.set(requests_per_second)
    return pace
