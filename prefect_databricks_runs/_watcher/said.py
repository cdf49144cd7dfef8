"""The output of a watcher: lines for the console, the last error for its page, and whether there was one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

import anyio
import httpx

from .._prefect.logging import run_logger
from .._prefect.own_faults import OwnFaults
from .._prefect.urls import without_sign_in
from .._text import one_line, ours

# However slow Prefect is, a watcher that hangs would be worse than a second request.
_SECONDS = 300.0


class Said:
    """Says things, and keeps the last error.

    Args:
        say: Prints a line.

    Attributes:
        last_error: The last error, and when it was.
        errors: How many there were.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._faults = OwnFaults(run_logger())
        self._failing: set[str] = set()
        self.last_error = ""
        self.errors = 0

    def line(self, text: str) -> None:
        """Say something."""
        self._say(f"{_now()} {without_sign_in(ours(text))}")

    def error(self, text: str) -> None:
        """Say what went wrong."""
        self._count(text)
        self.line(text)

    @contextmanager
    def asked(self, doing: str, seconds: float = _SECONDS) -> Iterator[None]:
        """Say once when Prefect cannot be asked, and once when it can be again; the watcher continues.

        Args:
            doing: What it is asked for, such as `reading what is suspended`.
            seconds: How long that may take.
        """
        try:
            with anyio.fail_after(seconds):
                yield
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            self._count(f"{doing}: {error!r}")
            if doing not in self._failing:
                self._failing.add(doing)
                self.line(f"Prefect could not be asked ({doing}); trying again. {error!r}")
        except Exception as error:
            self._fault(doing, error)
        else:
            if doing in self._failing:
                self._failing.discard(doing)
                self.line(f"Prefect can be asked again ({doing}).")

    @contextmanager
    def guarded(self, doing: str) -> Iterator[None]:
        """Log a fault of this package, and continue.

        Args:
            doing: What is done.
        """
        try:
            yield
        except Exception as error:
            self._fault(doing, error)

    def _fault(self, doing: str, error: Exception) -> None:
        self._count(f"{doing}: {error!r}")
        self._faults.log(doing, error)

    def _count(self, text: str) -> None:
        self.errors += 1
        self.last_error = f"{_now()} {without_sign_in(one_line(text))}"


def _now() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
