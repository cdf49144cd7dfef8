"""Faults of this package itself, which must not cost a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from .logging import Logger

_PLEASE = (
    "A fault of prefect-databricks-runs while %s. The Databricks run is not affected."
    " Please report this, with the traceback below."
)


class OwnFaults:
    """Logs faults of this package in one wait, each kind once, and lets the wait go on.

    Args:
        logger: Of the flow run.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._logged: set[tuple[str, type]] = set()

    @contextmanager
    def caught(self, doing: str) -> Iterator[None]:
        """Catch what is raised in this block, but for what ends a wait.

        Args:
            doing: What was done, for the log, such as `showing Databricks run 7`.
        """
        try:
            yield
        except Exception as error:
            self.log(doing, error)

    def log(self, doing: str, error: Exception) -> None:
        """Log a fault that was caught.

        Args:
            doing: What was done, for the log.
            error: The fault.
        """
        kind = (doing, type(error))
        if kind not in self._logged:
            self._logged.add(kind)
            self._logger.log(logging.ERROR, _PLEASE, doing, exc_info=error)
