"""The time of a workspace: the machine's time, or a virtual time that a test advances."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Cancel the call."""


class Clock(Protocol):
    """The time, and calls at a time. Used only in the server's event loop."""

    def now(self) -> float:
        """Return the time in seconds since 1970."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `seconds`, and not before the callback that is running has returned.

        Args:
            seconds: 0 = as soon as possible.
            callback: The function to call.
        """


class RealClock:
    """The machine's time."""

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `seconds`."""
        loop = asyncio.get_running_loop()
        guarded = functools.partial(_call, callback)
        return loop.call_later(seconds, guarded) if seconds > 0 else loop.call_soon(guarded)


class VirtualClock:
    """A time that stands still until it is advanced.

    Args:
        start: The time that it shows at first, in seconds since 1970.
    """

    def __init__(self, start: float) -> None:
        self._now = start
        self._sequence = itertools.count()
        self._timers: list[tuple[float, int, _VirtualTimer]] = []
        self._due: deque[_VirtualTimer] = deque()
        self._turning = False

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return self._now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` when the time has advanced by `seconds`; at once if `seconds` is 0."""
        timer = _VirtualTimer(callback)
        if seconds > 0:
            heapq.heappush(self._timers, (self._now + seconds, next(self._sequence), timer))
        else:
            self._due.append(timer)
            self._turn()
        return timer

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and make each call that falls due, at its own time."""
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._timers)
            self._due.append(timer)
            self._turn()
        self._now = end

    def _turn(self) -> None:
        """Make the calls that are due, and the calls that they cause, one after the other, never one inside another."""
        if self._turning:
            return
        self._turning = True
        try:
            while self._due:
                timer = self._due.popleft()
                if timer.callback:
                    _call(timer.callback)
        finally:
            self._turning = False


def _call(callback: Callable[[], None]) -> None:
    """Make the call; an error in it stops neither other calls nor the request that advanced the time."""
    try:
        callback()
    except Exception:
        logger.exception("A callback failed: this is a bug in the local workspace")


class _VirtualTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None
