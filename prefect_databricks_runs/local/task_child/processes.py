"""Finding and killing processes by what they descend from, where `/proc` tells: on Linux."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterable


def kill_descendants(ancestor: int) -> None:
    """Kill all processes that descend from one, and not that one."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid, parent, _ in _processes():
        children[parent].append(pid)
    found = list(children[ancestor])
    for pid in found:  # it grows
        found.extend(children[pid])
    _kill(found)


def kill_session(session: int) -> None:
    """Kill all processes of a session."""
    _kill(pid for pid, _, its_session in _processes() if its_session == session)


def _processes() -> Iterable[tuple[int, int, int]]:
    """Yield id, parent and session of every process that can be seen."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):  # it has just ended
                with open(f"/proc/{name}/stat", "rb") as file:
                    # The name of the program comes before, in brackets, and may have brackets and spaces in it.
                    _, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
                yield int(name), int(parent), int(session)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
