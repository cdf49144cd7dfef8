"""The state of a run or a task, as Databricks reports it.

State names are open: Databricks adds new ones. They are kept as the strings that Databricks sent, and an unknown name
is shown unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ._fields import as_mapping, as_text

# The name of a state or a code, including names to come.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,99}")
TERMINAL_LIFE_CYCLE_STATES = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
_WORDS, _NAME_CHARACTERS = re.compile("[A-Za-z0-9]+"), 100


class Outcome(Enum):
    """The outcome of a finished run or task.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, Outcome, submit_run_and_wait

        databricks = DatabricksCredentials.from_environment()
        run = submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
        assert run.state.outcome is Outcome.SUCCESS
        ```
    """

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

# Read only if the answer has no `result_state`. CANCELED comes from the platform, USER_CANCELED from a person.
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
    """Return the name of a state or a code, or None for a value that cannot be a name."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def _camel(name: str) -> str:
    # Any string can come instead of a name. The result is always a name, and never empty.
    return "".join(word.capitalize() for word in _WORDS.findall(name[:_NAME_CHARACTERS])) or "Unknown"


@dataclass(frozen=True)
class RunState:
    """The state of a run or a task: the API's `state` and `status` together.

    Attributes:
        life_cycle_state: `QUEUED`, `PENDING`, `RUNNING`, `TERMINATING`, `TERMINATED`, `SKIPPED`, `INTERNAL_ERROR`,
            `BLOCKED`, `WAITING_FOR_RETRY`, or a newer name; `UNKNOWN` if the answer has none.
        result_state: `SUCCESS`, `FAILED`, …; None until the run has finished.
        state_message: Databricks' sentence, often empty.
        queue_reason: The reason for queueing, or empty.
        termination_code: `status.termination_details.code`, or None.
        termination_type: `SUCCESS`, `CLIENT_ERROR`, `CLOUD_FAILURE`, `INTERNAL_ERROR`, or None.
        termination_message: `status.termination_details.message`, or empty.
        status_state: `status.state`, or None.

    Example:
        ```python
        from prefect_databricks_runs import RunState

        state = RunState.from_api({"state": {"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"}})
        assert (state.is_terminal, state.name) == (True, "TimedOut")
        ```
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
        """Read the `state` and `status` of a run or task. Either may be missing."""
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
        """Whether this is the last state."""
        return self.life_cycle_state in TERMINAL_LIFE_CYCLE_STATES or self.status_state == "TERMINATED"

    @property
    def outcome(self) -> Outcome | None:
        """The outcome, or None while the run is active. An unknown result is never taken for a success."""
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
        """The state's name as Prefect shows it, such as `Queued`, `Running`, `Success` or `TimedOut`."""
        if self.outcome is None:
            return _camel(self.life_cycle_state)
        if self.result_state and self.result_state not in _BY_RESULT_STATE:
            return _camel(self.result_state)
        return self.outcome.value

    @property
    def explanation(self) -> str:
        """The best explanation that Databricks sent for this state; may be empty."""
        return self.state_message or self.termination_message or self.queue_reason
