"""The time, passed in wherever it matters, so that no test has to sleep."""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """The time as the hook and the watcher need it, in seconds."""

    def monotonic(self) -> float:
        """Return seconds from some fixed moment; never decreases."""
        ...

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        ...


class SystemClock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        """Return seconds from some fixed moment; never decreases."""
        return time.monotonic()

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        await anyio.sleep(seconds)
