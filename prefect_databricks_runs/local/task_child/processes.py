"""Find and kill processes by their ancestor or session, with `/proc`, so only on Linux."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterable


def kill_descendants(ancestor: int) -> None:
    """Kill all descendants of a process, but not the process itself."""
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
    """Yield the id, parent and session of every visible process."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):  # it has just ended
                with open(f"/proc/{name}/stat", "rb") as file:
                    # The program's name comes before them in parentheses, and may itself have parentheses and spaces.
                    _, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
                yield int(name), int(parent), int(session)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
