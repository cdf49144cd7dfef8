"""The time of a workspace: the machine's, or one that passes only when a test says so."""

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
    """A callback that was asked for."""

    def cancel(self) -> None:
        """Cancel the call."""


class Clock(Protocol):
    """The time, and calls at a time. Used only in the server's event loop."""

    def now(self) -> float:
        """Return the time in seconds since 1970."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call `callback` in `seconds`, never before this call has returned to the one who began the present turn.

        Args:
            seconds: 0 = as soon as possible.
            callback: what to call.
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
        start: the time that it shows at first, in seconds since 1970.
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
        """Call `callback` when the time has been advanced by `seconds`; one that is due at once is called here."""
        timer = _VirtualTimer(callback)
        if seconds > 0:
            heapq.heappush(self._timers, (self._now + seconds, next(self._sequence), timer))
        else:
            self._due.append(timer)
            self._turn()
        return timer

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and call what falls due in them, each at its own time."""
        end = self._now + seconds
        while self._timers and self._timers[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._timers)
            self._due.append(timer)
            self._turn()
        self._now = end

    def _turn(self) -> None:
        """Call what is due, and what falls due through that, one after the other and never one inside another."""
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
    """Call back, and let an error end neither the others nor a request that only let time pass."""
    try:
        callback()
    except Exception:
        logger.exception("A callback failed in our own code")


class _VirtualTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None
