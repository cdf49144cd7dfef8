"""The side of a contender: it says when it has imported what it needs, waits for its order, and tells what it cost.

Only the standard library is imported here, so that what is measured is the contender.
"""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Begins the lines on stdout that are meant for the benchmark.
MARK = "benchmark: "
_MEGABYTE = 1024 * 1024


class Order:
    """What a contender is to do. Made when all is imported; comes back when the clock has started.

    Attributes:
        url: the workspace.
        token: what signs in there.
        run_ids: the runs to wait for.
        options: what else this contender is told.
    """

    def __init__(self) -> None:
        self._imported = memory()
        self._cpu_of_imports = time.process_time()
        self._notices: dict[int, float] = {}
        self._extra: dict[str, Any] = {}
        self._lock = threading.Lock()
        _say({"ready": True})
        told: dict[str, Any] = json.loads(sys.stdin.readline())
        self.url: str = told["url"]
        self.token: str = told["token"]
        self.run_ids: list[int] = told["run_ids"]
        self.options: dict[str, Any] = told["options"]
        watchdog = threading.Timer(told["limit"], self._end, [f"stopped after {told['limit']:g} s"])
        watchdog.daemon = True
        watchdog.start()

    def noticed(self, run_id: int) -> None:
        """The user has now been told that a run is over."""
        self._notices.setdefault(run_id, time.time())

    def notice_in_log(self, name: str, pattern: str) -> None:
        """From now on a line in this log that the pattern is found in is the notice of the run that its group names."""
        logging.getLogger(name).addHandler(_NoticeInLog(re.compile(pattern), self.noticed))

    def run(self, work: Callable[[], object], **extra: Any) -> None:
        """Do it, and tell what it cost. Does not come back: what a library does at exit is not measured.

        Args:
            work: what to do.
            extra: what else to tell then, by name.
        """
        note, self._extra = "", extra
        try:
            work()
        except BaseException as error:
            traceback.print_exc()
            note = f"{type(error).__name__}: {error}"[:200]
        self._end(note)

    def _end(self, note: str) -> None:
        with self._lock:  # only once
            cpu = time.process_time() - self._cpu_of_imports
            _say(
                {
                    "notices": dict(self._notices),
                    "cpu_seconds": cpu,
                    "cpu_seconds_of_imports": self._cpu_of_imports,
                    "memory_of_imports": self._imported,
                    "memory_peak": peak_memory(),
                    "ended": time.time(),
                    "note": note,
                    "extra": self._extra,
                }
            )
            os._exit(0)


class _NoticeInLog(logging.Handler):
    def __init__(self, pattern: re.Pattern[str], noticed: Callable[[int], None]) -> None:
        super().__init__()
        self._pattern, self._noticed = pattern, noticed

    def emit(self, record: logging.LogRecord) -> None:
        found = self._pattern.search(record.getMessage())
        if found:
            self._noticed(int(found[1]))


def memory() -> float:
    """What this process has in memory now, in MB."""
    return _of_status("VmRSS") or _largest()


def peak_memory() -> float:
    """The most that it ever had, in MB; `ru_maxrss` alone would be that of the process it was forked from."""
    return _of_status("VmHWM") or _largest()


def _of_status(name: str) -> float:
    status = Path("/proc/self/status")
    found = re.search(rf"^{name}:\s*(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return round(int(found[1]) / 1024, 1) if found else 0.0


def _largest() -> float:
    """The same on macOS, where it is in bytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE, 1)


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(what)}\n")
    sys.stdout.flush()
