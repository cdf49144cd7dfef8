"""Waits in the event loop, which end when the workspace stops."""

from __future__ import annotations

import asyncio
import contextlib


class Waits:
    """The waits of requests that a fault delays; `end()` ends all of them, now and later."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    async def wait(self, *, seconds: float | None = None, until: asyncio.Event | None = None) -> bool:
        """Wait until the time has passed, the event is set, or `end()` is called.

        Args:
            seconds: The longest wait; None = no limit.
            until: An event that ends the wait.

        Returns:
            False if `end()` has ended the wait.
        """
        self._loop = asyncio.get_running_loop()
        if self._ended:  # read after the loop is set; `end` does the opposite, so one of the two notices the other
            self._stopped.set()
        waiters = [asyncio.ensure_future(event.wait()) for event in (self._stopped, until) if event]
        try:
            await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
        return not self._stopped.is_set()

    def end(self) -> None:
        """End all waits. Safe to call in any thread."""
        self._ended = True
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stopped.set)
