"""Decide, by one table, what ends a wait early and what happens to the run then.

Only facts about the run end a wait. That a run cannot be read is not a fact about the run.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .._client.retries import passes
from .._meanings import DOES_NOT_EXIST
from ..errors import DatabricksError, DatabricksUnreachable, InvalidResponse, NotFound, WaitTimeout


class Event(Enum):
    """An event that may end a wait."""

    NO_ANSWER = "a poll gets no answer, or `5xx`, `429`, `408`, a lock"
    REFUSED = "a poll is refused: `401`, `403`, another `4xx`"
    UNREADABLE = "a poll gets an unreadable answer"
    OUR_FAULT = "a bug in this package, in a poll or in its report"
    NO_SUCH_RUN = "the Jobs API says that the run does not exist"
    SILENT_OUTAGE = "no poll is answered for `max_outage_seconds`"
    ANSWERED_OUTAGE = (
        "no poll succeeds for `max_outage_seconds`, and some were refused, unreadable, or hit a bug in this package"
    )
    TOO_LONG = "`max_wait_seconds` have passed"
    INTERRUPTED = "the flow run is cancelled or times out, or Ctrl-C in a script"
    STOPPED = "the process is stopped, or Ctrl-C of a worker or of `serve`, and the flow run was not cancelled"
    FAILED = "another `DatabricksError` after the run was started"
    BROKEN = "a bug in this package ends the wait"


class Verdict(NamedTuple):
    """The consequence of an event.

    Attributes:
        ends: Whether the wait ends. If not, it continues.
        cancels: Whether the run is cancelled. If not, it is left as it is.
    """

    ends: bool
    cancels: bool


GO_ON, LEAVE, CANCEL = Verdict(False, False), Verdict(True, False), Verdict(True, True)

# First for a run that was read before or started here, then for any other run.
TABLE: dict[Event, tuple[Verdict, Verdict]] = {
    Event.NO_ANSWER: (GO_ON, GO_ON),
    Event.REFUSED: (GO_ON, LEAVE),
    Event.UNREADABLE: (GO_ON, GO_ON),
    Event.OUR_FAULT: (GO_ON, GO_ON),
    Event.NO_SUCH_RUN: (LEAVE, LEAVE),
    Event.SILENT_OUTAGE: (CANCEL, LEAVE),
    Event.ANSWERED_OUTAGE: (LEAVE, LEAVE),
    Event.TOO_LONG: (CANCEL, CANCEL),
    Event.INTERRUPTED: (CANCEL, CANCEL),
    Event.STOPPED: (LEAVE, LEAVE),
    Event.FAILED: (CANCEL, LEAVE),
    Event.BROKEN: (LEAVE, LEAVE),
}


def judge(event: Event, *, is_known: bool) -> Verdict:
    """Return the consequence of an event.

    Args:
        event: The event.
        is_known: Whether the run was read before, or started here.
    """
    known, unknown = TABLE[event]
    return known if is_known else unknown


def event_of_poll(error: Exception) -> Event:
    """Return the event of a failed poll.

    Args:
        error: The error of the poll.
    """
    if isinstance(error, NotFound) and says_that_it_does_not_exist(error):
        return Event.NO_SUCH_RUN
    if isinstance(error, InvalidResponse):
        return Event.UNREADABLE
    if isinstance(error, DatabricksError):
        return Event.NO_ANSWER if passes(error) else Event.REFUSED
    return Event.OUR_FAULT


def event_of_end(reason: BaseException, *, is_stop: bool) -> Event:
    """Return the event that ended a wait or a start.

    Args:
        reason: The exception.
        is_stop: Whether only the process is being stopped.
    """
    if is_stop:
        return Event.STOPPED
    if isinstance(reason, NotFound) and says_that_it_does_not_exist(reason):
        return Event.NO_SUCH_RUN
    if isinstance(reason, DatabricksUnreachable):
        return Event.ANSWERED_OUTAGE if reason.answered else Event.SILENT_OUTAGE
    if isinstance(reason, WaitTimeout):
        return Event.TOO_LONG
    if isinstance(reason, DatabricksError):
        return Event.FAILED
    is_ours = isinstance(reason, Exception) and not isinstance(reason, TimeoutError)
    return Event.BROKEN if is_ours else Event.INTERRUPTED


def says_that_it_does_not_exist(error: NotFound) -> bool:
    """Return whether the Jobs API itself says that a run does not exist; a gateway answers 404 too."""
    return error.error_code == "RESOURCE_DOES_NOT_EXIST" or bool(DOES_NOT_EXIST.search(error.message))
