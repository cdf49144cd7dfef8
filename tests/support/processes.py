"""Looking at other processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil

PATIENCE = 150
"""How many seconds a test waits for another process: less than until the test itself is ended, and long enough for a
machine that has other work, where a process that imports Prefect may need a minute."""


def descendants(pid: int) -> list[psutil.Process]:
    """Every process that `pid` started, and theirs."""
    return psutil.Process(pid).children(recursive=True)


def wait_until(what: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Come back when `what` holds; a test that waits for longer fails."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
