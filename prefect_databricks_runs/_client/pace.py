"""How fast requests go to one workspace, whoever of this process sends them.

Each kind of request waits in a lane of its own, and the lanes take turns: a thousand runs being submitted do not hold
up the polls of those that go already.
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
        requests_per_second: How many on average; as many may go at once after a quiet second.
        clock: The time, for the pauses that Databricks asks for.
    """

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        self._clock = clock
        self.set(requests_per_second)
        self._lanes: dict[str, asyncio.Lock] = {}
        self._paused_until = 0.0
        self._pause = _FIRST_PAUSE

    def set(self, requests_per_second: float) -> None:
        """Go on at another pace."""
        self.requests_per_second = requests_per_second
        # A bucket has to hold at least the one request that is asked for.
        at_once = max(1.0, requests_per_second)
        self._limiter = AsyncLimiter(at_once, at_once / requests_per_second)

    async def turn(self, lane: str) -> None:
        """Wait until a request may be sent.

        Args:
            lane: What kind of request it is.
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
        """Let nobody send for a while, because the workspace has answered 429.

        Args:
            retry_after: Seconds that it asked to wait, of which 600 are borne; without, a second, and twice as long
                each time on end, up to 60.
        """
        now = self._clock.monotonic()
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_RETRY_AFTER))
        elif now >= self._paused_until:  # else it is of a request that was under way when the pause began
            self._paused_until = now + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def went_well(self) -> None:
        """Note that the workspace has taken a request."""
        self._pause = _FIRST_PAUSE


class _Paces:
    """Those of an event loop, by the workspace's address."""

    def __init__(self) -> None:
        self.of: dict[str, Pace] = {}


def pace_of(host: str, requests_per_second: float, clock: Clock) -> Pace:
    """Return the pace of a workspace in this event loop; where blocks differ, the slower one holds from then on.

    Args:
        host: The workspace's address.
        requests_per_second: What the block that is asked with allows.
        clock: The time.
    """
    paces = of_loop(_Paces).of
    pace = paces.get(host)
    if pace is None:
        pace = paces[host] = Pace(requests_per_second, clock)
    if requests_per_second < pace.requests_per_second:
        pace.set(requests_per_second)
    return pace
