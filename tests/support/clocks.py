"""A clock that only sleeping moves."""

from __future__ import annotations


class FakeClock:
    """Time that stands still until somebody sleeps; remembers each sleep, in seconds."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
