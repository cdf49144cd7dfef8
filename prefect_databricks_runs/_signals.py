"""Which signal ended a wait: async code is told of both with nothing but a `CancelledError`."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from prefect.exceptions import TerminationSignal


class _AsyncWaits:
    """The async waits that are open in the main thread, which is the one that signals interrupt."""

    def __init__(self) -> None:
        self.open = 0
        self.interrupted = False
        self._handler: Callable[[int, FrameType | None], Any] | None = None

    def begin(self) -> None:
        if not self.open:
            self.interrupted = False
            before = signal.getsignal(signal.SIGINT)
            if callable(before):
                self._handler = self._noting(before)
                signal.signal(signal.SIGINT, self._handler)
                self._before = before
        self.open += 1

    def end(self) -> None:
        self.open -= 1
        if not self.open and self._handler and signal.getsignal(signal.SIGINT) is self._handler:
            signal.signal(signal.SIGINT, self._before)
            self._handler = None

    def _noting(self, before: Callable[[int, FrameType | None], Any]) -> Callable[[int, FrameType | None], Any]:
        def note(number: int, frame: FrameType | None) -> None:
            self.interrupted = True
            before(number, frame)

        return note


_waits = _AsyncWaits()


@contextmanager
def async_wait() -> Iterator[None]:
    """Have it noted when Ctrl-C comes: from Python 3.11 on asyncio takes it, and cancels as a time-out does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _waits.begin()
    try:
        yield
    finally:
        _waits.end()


def signal_behind(reason: BaseException) -> signal.Signals | None:
    """The signal that ended a wait, if it was one: SIGTERM or SIGINT.

    Args:
        reason: What ended the wait.
    """
    is_cancelled = isinstance(reason, asyncio.CancelledError)
    link: BaseException | None = reason
    while link is not None:
        if isinstance(link, TerminationSignal):
            return signal.SIGTERM
        if isinstance(link, KeyboardInterrupt):
            return signal.SIGINT
        # The loop that a signal has ended cancels its tasks, with the signal behind the `CancelledError`. Behind any
        # other error it is one that the caller has dealt with before.
        link = link.__context__ if is_cancelled else None
    return signal.SIGINT if is_cancelled and _waits.interrupted else None


def is_last_of_an_ending_process(reason: BaseException) -> bool:
    """Whether an async wait was ended by a signal, and is the last one in the main thread."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return in_main_thread and _waits.open == 1 and signal_behind(reason) is not None
