"""Looking at other processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")

PATIENCE = 150
"""How many seconds a test waits for another process: less than until the test itself is ended, and long enough for a
machine that has other work, where a process that imports Prefect may need a minute."""


def descendants(pid: int) -> list[psutil.Process]:
    """Every process that `pid` started, and theirs."""
    return psutil.Process(pid).children(recursive=True)


def wait_until(look: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Return what `look` returns as soon as that is true; a test that waits for longer fails."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still not true after {seconds:g} s"
        time.sleep(pause)
        # To look is work for the Prefect server that is asked, and what is waited for needs the processor itself.
        pause = min(pause * 1.25, 0.25)
    return seen
