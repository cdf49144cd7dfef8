"""Catch and log bugs in this package that must not affect a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from .logging import Logger

_PLEASE = (
    "A bug in prefect-databricks-runs occurred while %s. The Databricks run is not affected."
    " Please report it with the traceback below."
)


class OwnFaults:
    """Log bugs in this package, each kind once in a wait, and let the wait continue.

    Args:
        logger: The logger of the flow run.
    """

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._logged: set[tuple[str, type]] = set()

    @contextmanager
    def caught(self, doing: str) -> Iterator[None]:
        """Catch what this block raises, except errors that end a wait.

        Args:
            doing: The action, for the log, such as `showing Databricks run 7`.
        """
        try:
            yield
        except Exception as error:
            self.log(doing, error)

    def log(self, doing: str, error: Exception) -> None:
        """Log a bug.

        Args:
            doing: The action, for the log.
            error: The error.
        """
        kind = (doing, type(error))
        if kind not in self._logged:
            self._logged.add(kind)
            self._logger.log(logging.ERROR, _PLEASE, doing, exc_info=error)
