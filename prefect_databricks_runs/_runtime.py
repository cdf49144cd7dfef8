"""What is kept from one call to the next: by this process, and by each event loop in it.

A room that keeps something has a class for it that is made without arguments, and asks here for the one object of that
class. So there is one place that knows all of it, and one way to forget it: in the child of a fork, whose event loops
are its own, and between two tests.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Runtime:
    """What is kept for as long as something lasts."""

    def __init__(self) -> None:
        self._parts: dict[type, Any] = {}

    def part(self, kind: type[T]) -> T:
        """Return the one object of a class, which is made when it is first asked for.

        Args:
            kind: The class; made without arguments.
        """
        part = self._parts.get(kind)
        if part is None:
            part = self._parts.setdefault(kind, kind())  # one wins where two threads ask at once
        return part  # type: ignore[no-any-return]  # it is a `kind`, which a dict by types cannot say


class Newest(Generic[K]):
    """The newest of some things; the oldest is forgotten for each that is too many.

    Attributes:
        most: How many are kept.
    """

    most = 1_000

    def __init__(self) -> None:
        self._things: dict[K, None] = {}

    def add(self, thing: K) -> None:
        """Keep a thing, as the newest one."""
        self._things.pop(thing, None)
        self._things[thing] = None
        if len(self._things) > self.most:
            del self._things[next(iter(self._things))]

    def forget(self, thing: K) -> None:
        """Keep it no longer; nothing where it is not kept."""
        self._things.pop(thing, None)

    def __contains__(self, thing: object) -> bool:
        return thing in self._things


_of_process = Runtime()
_of_loops: dict[asyncio.AbstractEventLoop, Runtime] = {}


def of_process(kind: type[T]) -> T:
    """Return what the process keeps of a kind; it may be asked for in any thread.

    Args:
        kind: The class; made without arguments.
    """
    return _of_process.part(kind)


def of_loop(kind: type[T]) -> T:
    """Return what the running event loop keeps of a kind: connections, locks and tasks belong to a loop.

    Args:
        kind: The class; made without arguments.
    """
    loop = asyncio.get_running_loop()
    runtime = _of_loops.get(loop)
    if runtime is None:
        for closed in [each for each in list(_of_loops) if each.is_closed()]:  # other threads have loops too
            _of_loops.pop(closed, None)
        runtime = _of_loops[loop] = Runtime()
    return runtime.part(kind)


def forget() -> None:
    """Forget all that is kept."""
    global _of_process  # noqa: PLW0603 - one a process is what this module is for
    _of_process = Runtime()
    _of_loops.clear()


if hasattr(os, "register_at_fork"):
    # What the process knows goes on to be true in its child; its loops run no more.
    os.register_at_fork(after_in_child=_of_loops.clear)
