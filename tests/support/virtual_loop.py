"""An event loop whose time nobody waits for: it goes on as soon as there is nothing else to do."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


_TICK = 1e-7


class _Selector(selectors.SelectSelector):
    """Moves the time instead of waiting for it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        # A little always, as in life: who waits for a rounding error to pass would wait for ever.
        self.now += max(_TICK, 2 * math.ulp(self.now)) + (timeout or 0 if not ready else 0)
        return ready


class LoopClock:
    """The time of the running loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def time(self) -> float:
        return 1_700_000_000 + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_in_no_time(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in such a loop."""
    selector = _Selector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]  # what asyncio has for this
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
