"""Find the signal that ended a wait: async code gets only a `CancelledError` for each signal."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from prefect.exceptions import TerminationSignal

_Handler = Callable[[int, FrameType | None], Any]


class _Noting:
    """Note a Ctrl-C, and pass it on to the previous handler.

    Args:
        before: The previous handler.
    """

    def __init__(self, before: _Handler) -> None:
        self.before = before
        self.has_come = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.has_come = True
        self.before(number, frame)


class _AsyncWaits:
    """The open async waits of the main thread, the thread that signals interrupt."""

    def __init__(self) -> None:
        self.open = 0
        self._noting: _Noting | None = None

    @property
    def has_ctrl_c_come(self) -> bool:
        return self._noting is not None and self._noting.has_come

    def begin(self) -> None:
        handler = signal.getsignal(signal.SIGINT)
        if not self.open and callable(handler):
            self._noting = _Noting(handler)
            signal.signal(signal.SIGINT, self._noting)
        self.open += 1

    def end(self) -> None:
        self.open -= 1
        if self.open or not self._noting:
            return
        is_in_place = signal.getsignal(signal.SIGINT) is self._noting
        if is_in_place:
            signal.signal(signal.SIGINT, self._noting.before)
        self._noting = None


_waits = _AsyncWaits()


@contextmanager
def async_wait() -> Iterator[None]:
    """Note a Ctrl-C during an async wait: since Python 3.11, asyncio turns it into a cancellation, like a timeout."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _waits.begin()
    try:
        yield
    finally:
        _waits.end()


def signal_behind(reason: BaseException) -> signal.Signals | None:
    """Return the signal that ended a wait, if it was one: SIGTERM or SIGINT.

    Args:
        reason: The exception that ended the wait.
    """
    is_cancelled = isinstance(reason, asyncio.CancelledError)
    link: BaseException | None = reason
    while link is not None:
        if isinstance(link, TerminationSignal):
            return signal.SIGTERM
        if isinstance(link, KeyboardInterrupt):
            return signal.SIGINT
        # A loop that a signal has ended cancels its tasks, with the signal behind the `CancelledError`. Behind another
        # error, it is an old signal that the caller has already handled.
        link = link.__context__ if is_cancelled else None
    return signal.SIGINT if is_cancelled and _waits.has_ctrl_c_come else None


def is_last_of_an_ending_process(reason: BaseException) -> bool:
    """Return whether a signal ended an async wait, and it was the last one in the main thread."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return in_main_thread and _waits.open == 1 and signal_behind(reason) is not None
