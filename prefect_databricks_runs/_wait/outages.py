"""Polls that fail on end, of the runs that one flow run waits for."""

from __future__ import annotations

from .._clock import Clock
from .._prefect.logging import Logger


class Outages:
    """Says once when polls begin to fail, and once when all go well again.

    Args:
        logger: Where.
        clock: The time.
        max_outage_seconds: How long polls of a run may fail on end.

    Attributes:
        answered: Whether one that failed since any was read got an answer, or failed by a fault of ours.
    """

    def __init__(self, logger: Logger, clock: Clock, max_outage_seconds: float) -> None:
        self._logger, self._clock = logger, clock
        self._max_outage_seconds = max_outage_seconds
        self._failing: set[int] = set()
        self.answered = False
        self._read_at = float("-inf")

    def failed(self, run_id: int, error: Exception, *, answered: bool) -> None:
        """Note that a poll of a run has failed."""
        if not self._failing:
            self._logger.warning(
                "Databricks run %d could not be read, which says nothing of the run; asking on for %g s. %s",
                run_id,
                self._max_outage_seconds,
                error,
            )
        self._failing.add(run_id)
        self.answered = self.answered or answered

    def passed(self, run_id: int) -> None:
        """Note that a run was read."""
        self._read_at = self._clock.monotonic()
        self.answered = False
        if run_id in self._failing:
            self._failing.discard(run_id)
            if not self._failing:
                self._logger.info("Databricks run %d can be read again.", run_id)

    def forget(self, run_id: int) -> None:
        """Note that a run is not read any more."""
        self._failing.discard(run_id)

    def is_of_all(self, seconds: float) -> bool:
        """Whether no run at all was read in the last so many seconds."""
        return self._read_at < self._clock.monotonic() - seconds
