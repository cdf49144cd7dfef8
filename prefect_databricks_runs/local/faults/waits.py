"""Waits in the event loop that the end of the workspace ends."""

from __future__ import annotations

import asyncio
import contextlib


class Waits:
    """The waits of requests that are held up on purpose; `end()` ends them all, those to come too."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    async def wait(self, *, seconds: float | None = None, until: asyncio.Event | None = None) -> bool:
        """Wait for one of the two, or for the end.

        Args:
            seconds: how long; None = for ever.
            until: what else ends the wait; None = nothing.

        Returns:
            Whether it was not the end that ended it.
        """
        self._loop = asyncio.get_running_loop()
        if self._ended:  # read after the loop is set: `end` does it the other way round, so one of the two sees it
            self._stopped.set()
        waiters = [asyncio.ensure_future(event.wait()) for event in (self._stopped, until) if event]
        try:
            await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
        return not self._stopped.is_set()

    def end(self) -> None:
        """End all waits. Can be called in any thread."""
        self._ended = True
        if self._loop:
            with contextlib.suppress(RuntimeError):  # the loop has ended before
                self._loop.call_soon_threadsafe(self._stopped.set)
