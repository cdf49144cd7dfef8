"""A process that runs flows one after the other, and counts what they log."""

from __future__ import annotations

import faulthandler
import logging
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.shapes import SHAPES, Got, Place

# A flow that takes longer hangs: its process says where, and ends.
_FLOW_SECONDS = 240.0
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect_databricks_runs")
# What is counted of what is logged.
LINES = {
    "requests tried again": " Try ",
    "requests sent again after a refusal": "Retrying once in",
    "requests sent again with a new token": "retrying with the new credentials",
    "outages while waiting": "(the run itself may be fine)",
    "starts of which every answer was lost": "may have started the run anyway",
    "attempts at flows and tasks after the first": "AwaitingRetry",
    "runs found again": "is found again",
    "runs repaired": "and is repaired",
    "runs followed by another": "another one is started",
    "runs cancelled": "Cancelling Databricks run",
}


@dataclass
class Outcome:
    """What came of one flow.

    Attributes:
        got: The runs that it got.
        error: Why it failed; empty if it did not.
        lines: How many lines of which kind it logged.
    """

    got: list[Got] = field(default_factory=list)
    error: str = ""
    lines: Counter[str] = field(default_factory=Counter)


class LineCount(logging.Handler):
    """Counts what the runs log."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        self.counts.update(name for name, words in LINES.items() if words in message)


_lines = LineCount()


def start() -> None:
    """Begin to count; called once a process."""
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(_lines)


def drive(shape: str, place: Place, labels: list[str]) -> Outcome:
    """Run one flow.

    Args:
        shape: Its name in `SHAPES`.
        place: Where the work is done.
        labels: One for each run that it asks for.
    """
    (function,) = (each for each in SHAPES if each.__name__ == shape)
    outcome = Outcome()
    _lines.counts = outcome.lines
    faulthandler.dump_traceback_later(_FLOW_SECONDS, exit=True)
    try:
        outcome.got = function(place, labels)
    except BaseException as error:
        outcome.error = f"{shape} of {', '.join(labels)} ended with {error!r}"
    finally:
        faulthandler.cancel_dump_traceback_later()
    return outcome
