"""Keep state between calls: for this process, and for each of its event loops.

A room that keeps state has a class for it without arguments, and gets the one object of that class here. So one place
knows all state, and can forget it: in a forked child, whose event loops are its own, and between two tests.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Runtime:
    """The state of a process or an event loop."""

    def __init__(self) -> None:
        self._parts: dict[type, Any] = {}

    def part(self, kind: type[T]) -> T:
        """Return the one object of a class; create it on first use.

        Args:
            kind: The class; made without arguments.
        """
        part = self._parts.get(kind)
        if part is None:
            part = self._parts.setdefault(kind, kind())  # one wins if two threads call this at once
        return part  # type: ignore[no-any-return]  # it is a `kind`, which the type of the dict cannot express


class Newest(Generic[K]):
    """The newest of some things; each new one above the limit replaces the oldest.

    Attributes:
        most: The limit.
    """

    most = 1_000

    def __init__(self) -> None:
        self._things: dict[K, None] = {}

    def add(self, thing: K) -> None:
        """Add a thing as the newest one."""
        self._things.pop(thing, None)
        self._things[thing] = None
        if len(self._things) > self.most:
            del self._things[next(iter(self._things))]

    def forget(self, thing: K) -> None:
        """Remove a thing if it is there."""
        self._things.pop(thing, None)

    def __contains__(self, thing: object) -> bool:
        return thing in self._things


_of_process = Runtime()
_of_loops: dict[asyncio.AbstractEventLoop, Runtime] = {}


def of_process(kind: type[T]) -> T:
    """Return the process's object of a class, in any thread.

    Args:
        kind: The class; made without arguments.
    """
    return _of_process.part(kind)


def of_loop(kind: type[T]) -> T:
    """Return the running event loop's object of a class: connections, locks and tasks belong to a loop.

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
    """Forget all state."""
    global _of_process  # noqa: PLW0603 - this module holds one for each process
    _of_process = Runtime()
    _of_loops.clear()


if hasattr(os, "register_at_fork"):
    # The state of the process stays true in its child; its loops do not run there.
    os.register_at_fork(after_in_child=_of_loops.clear)
