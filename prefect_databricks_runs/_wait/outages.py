"""Polls that fail in a row, for the runs that one flow run waits for."""

from __future__ import annotations

from .._clock import Clock
from .._prefect.logging import Logger


class Outages:
    """Log once when polls begin to fail, and once when all succeed again.

    Args:
        logger: The log.
        clock: The clock.
        max_outage_seconds: How long polls of a run may fail in a row.

    Attributes:
        answered: Whether a poll that failed since the last successful one got an answer, or failed because of a bug in
            this package.
    """

    def __init__(self, logger: Logger, clock: Clock, max_outage_seconds: float) -> None:
        self._logger, self._clock = logger, clock
        self._max_outage_seconds = max_outage_seconds
        self._failing: set[int] = set()
        self.answered = False
        self._read_at = float("-inf")

    def failed(self, run_id: int, error: Exception, *, answered: bool) -> None:
        """Record that a poll of a run has failed."""
        if not self._failing:
            self._logger.warning(
                "Could not read Databricks run %d (the run itself may be fine). Retrying for up to %g s. %s",
                run_id,
                self._max_outage_seconds,
                error,
            )
        self._failing.add(run_id)
        self.answered = self.answered or answered

    def passed(self, run_id: int) -> None:
        """Record that a run was read."""
        self._read_at = self._clock.monotonic()
        self.answered = False
        if run_id in self._failing:
            self._failing.discard(run_id)
            if not self._failing:
                self._logger.info("Reading Databricks run %d works again.", run_id)

    def forget(self, run_id: int) -> None:
        """Record that a run is not read anymore."""
        self._failing.discard(run_id)

    def is_of_all(self, seconds: float) -> bool:
        """Return whether no run at all was read in the last `seconds`."""
        return self._read_at < self._clock.monotonic() - seconds
