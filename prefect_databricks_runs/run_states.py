"""What Databricks said of the state of a run or a task.

State names are open: Databricks adds to them, so they are kept as the strings that came, and an unknown one is shown
as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ._fields import as_mapping, as_text

# A name of a state or a code, today's or one to come.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,99}")
TERMINAL_LIFE_CYCLE_STATES = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
_WORDS, _NAME_CHARACTERS = re.compile("[A-Za-z0-9]+"), 100


class Outcome(Enum):
    """What became of a run or a task that is over."""

    SUCCESS = "Success"
    SUCCESS_WITH_FAILURES = "SuccessWithFailures"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELED = "Canceled"
    SKIPPED = "Skipped"
    EXCLUDED = "Excluded"
    DISABLED = "Disabled"
    UPSTREAM_FAILED = "UpstreamFailed"
    UPSTREAM_CANCELED = "UpstreamCanceled"
    INTERNAL_ERROR = "InternalError"


_BY_RESULT_STATE = {
    "SUCCESS": Outcome.SUCCESS,
    "SUCCESS_WITH_FAILURES": Outcome.SUCCESS_WITH_FAILURES,
    "FAILED": Outcome.FAILED,
    "TIMEDOUT": Outcome.TIMED_OUT,
    "CANCELED": Outcome.CANCELED,
    "MAXIMUM_CONCURRENT_RUNS_REACHED": Outcome.SKIPPED,
    "EXCLUDED": Outcome.EXCLUDED,
    "DISABLED": Outcome.DISABLED,
    "UPSTREAM_FAILED": Outcome.UPSTREAM_FAILED,
    "UPSTREAM_CANCELED": Outcome.UPSTREAM_CANCELED,
}

# Only asked when the answer has no `result_state`. CANCELED is the platform's own, USER_CANCELED a person's.
_BY_TERMINATION_CODE = {
    "SUCCESS": Outcome.SUCCESS,
    "SUCCESS_WITH_FAILURES": Outcome.SUCCESS_WITH_FAILURES,
    "RUN_EXECUTION_ERROR": Outcome.FAILED,
    "USER_CANCELED": Outcome.CANCELED,
    "CANCELED": Outcome.TIMED_OUT,
    "SKIPPED": Outcome.SKIPPED,
    "DISABLED": Outcome.DISABLED,
    "MAX_CONCURRENT_RUNS_EXCEEDED": Outcome.SKIPPED,
    "INTERNAL_ERROR": Outcome.INTERNAL_ERROR,
}


def _name(value: Any) -> str | None:
    """Return the name of a state or a code; None for what cannot be one, however new."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _camel(name: str) -> str:
    # Any text can come in the place of a name; what is made of it is one, and is not empty.
    return "".join(word.capitalize() for word in _WORDS.findall(name[:_NAME_CHARACTERS])) or "Unknown"


@dataclass(frozen=True)
class RunState:
    """State of a run or a task: the API's `state` and `status` together.

    Attributes:
        life_cycle_state: `QUEUED`, `PENDING`, `RUNNING`, `TERMINATING`, `TERMINATED`, `SKIPPED`, `INTERNAL_ERROR`,
            `BLOCKED`, `WAITING_FOR_RETRY`, or a newer name; `UNKNOWN` when the answer had none.
        result_state: `SUCCESS`, `FAILED`, …; None until the run is over.
        state_message: Databricks' sentence, often empty.
        queue_reason: Why it is queued, or empty.
        termination_code: `status.termination_details.code`, or None.
        termination_type: `SUCCESS`, `CLIENT_ERROR`, `CLOUD_FAILURE`, `INTERNAL_ERROR`, or None.
        termination_message: `status.termination_details.message`, or empty.
        status_state: `status.state`, or None.
    """

    life_cycle_state: str
    result_state: str | None = None
    state_message: str = ""
    queue_reason: str = ""
    termination_code: str | None = None
    termination_type: str | None = None
    termination_message: str = ""
    status_state: str | None = None

    @classmethod
    def from_api(cls, answer: Mapping[str, Any]) -> RunState:
        """Read the `state` and `status` of a run or task, either of which may be missing."""
        state, status = as_mapping(answer.get("state")), as_mapping(answer.get("status"))
        details = as_mapping(status.get("termination_details"))
        queue = as_mapping(status.get("queue_details"))
        return cls(
            life_cycle_state=_name(state.get("life_cycle_state")) or _name(status.get("state")) or "UNKNOWN",
            result_state=_name(state.get("result_state")),
            state_message=as_text(state.get("state_message")),
            queue_reason=as_text(state.get("queue_reason")) or as_text(queue.get("message")),
            termination_code=_name(details.get("code")),
            termination_type=_name(details.get("type")),
            termination_message=as_text(details.get("message")),
            status_state=_name(status.get("state")),
        )

    @property
    def is_terminal(self) -> bool:
        """Whether this state is the last one."""
        return self.life_cycle_state in TERMINAL_LIFE_CYCLE_STATES or self.status_state == "TERMINATED"

    @property
    def outcome(self) -> Outcome | None:
        """What became of it; None while it goes on. A result that we do not know is never taken for a success."""
        if not self.is_terminal:
            return None
        if self.result_state:
            return _BY_RESULT_STATE.get(self.result_state, Outcome.FAILED)
        if self.termination_code in _BY_TERMINATION_CODE:
            return _BY_TERMINATION_CODE[self.termination_code]
        if self.life_cycle_state == "SKIPPED":
            return Outcome.SKIPPED
        if self.life_cycle_state == "INTERNAL_ERROR" or self.termination_type == "INTERNAL_ERROR":
            return Outcome.INTERNAL_ERROR
        return Outcome.FAILED

    @property
    def name(self) -> str:
        """The state's name as Prefect shows it: `Queued`, `Running`, `Success`, `TimedOut` and so on."""
        if self.outcome is None:
            return _camel(self.life_cycle_state)
        if self.result_state and self.result_state not in _BY_RESULT_STATE:
            return _camel(self.result_state)
        return self.outcome.value

    @property
    def explanation(self) -> str:
        """The best sentence that Databricks gave for this state; may be empty."""
        return self.state_message or self.termination_message or self.queue_reason
