"""The states of runs and tasks, each in both forms: the older `state` and the current `status`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

USER_STOPPED = frozenset({"CANCELED", "TIMEDOUT"})
FAILURES = frozenset({"FAILED", "TIMEDOUT", "UPSTREAM_FAILED"})
CANCELLATIONS = frozenset({"CANCELED", "UPSTREAM_CANCELED"})
SUCCESSES = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})


@dataclass(frozen=True)
class State:
    """One state.

    Attributes:
        life_cycle_state: The life-cycle state, such as `RUNNING`.
        result_state: The result state, such as `SUCCESS`; None while active, and for an `INTERNAL_ERROR` without one.
        status: `status.state`, such as `TERMINATED`.
        code: `status.termination_details.code`; None while active.
        type: `status.termination_details.type`; None while active.
        queue_code: `status.queue_details.code`; None unless queued.
    """

    life_cycle_state: str
    result_state: str | None
    status: str
    code: str | None = None
    type: str | None = None
    queue_code: str | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the state is final."""
        return self.status == "TERMINATED"

    @property
    def failed(self) -> bool:
        """Whether the state counts as a failure for the tasks after it."""
        return self.result_state in FAILURES or (self.life_cycle_state == "INTERNAL_ERROR")

    @property
    def succeeded(self) -> bool:
        """Whether the state is a success."""
        return self.result_state in SUCCESSES

    @property
    def canceled(self) -> bool:
        """Whether the state counts as a cancellation for the tasks after it."""
        return self.result_state in CANCELLATIONS

    def answer(self, message: str) -> dict[str, Any]:
        """Return the fields `state` and `status` of a run or task.

        Args:
            message: The state message.
        """
        state: dict[str, Any] = {"life_cycle_state": self.life_cycle_state, "state_message": message}
        if self.result_state:
            state["result_state"] = self.result_state
        state["user_cancelled_or_timedout"] = self.result_state in USER_STOPPED
        status: dict[str, Any] = {"state": self.status}
        if self.code:
            status["termination_details"] = {"code": self.code, "type": self.type, "message": message}
        if self.queue_code:
            state["queue_reason"] = message
            status["queue_details"] = {"code": self.queue_code, "message": message}
        return {"state": state, "status": status}


QUEUED = State("QUEUED", None, "QUEUED", queue_code="MAX_CONCURRENT_RUNS_REACHED")
QUEUED_TASK = State("QUEUED", None, "QUEUED", queue_code="ACTIVE_RUNS_LIMIT_REACHED")
PENDING = State("PENDING", None, "PENDING")
BLOCKED = State("BLOCKED", None, "BLOCKED")
RUNNING = State("RUNNING", None, "RUNNING")
WAITING_FOR_RETRY = State("WAITING_FOR_RETRY", None, "WAITING")

SUCCESS = State("TERMINATED", "SUCCESS", "TERMINATED", "SUCCESS", "SUCCESS")
SUCCESS_WITH_FAILURES = State("TERMINATED", "SUCCESS_WITH_FAILURES", "TERMINATED", "SUCCESS_WITH_FAILURES", "SUCCESS")
FAILED = State("TERMINATED", "FAILED", "TERMINATED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR")
NOT_FOUND = State("INTERNAL_ERROR", "FAILED", "TERMINATED", "RESOURCE_NOT_FOUND", "CLIENT_ERROR")
INVALID_CONFIGURATION = State("INTERNAL_ERROR", "FAILED", "TERMINATED", "INVALID_RUN_CONFIGURATION", "CLIENT_ERROR")
NOT_RUN_HERE = State("TERMINATED", "FAILED", "TERMINATED", "FEATURE_DISABLED", "CLIENT_ERROR")
TIMEDOUT = State("TERMINATED", "TIMEDOUT", "TERMINATED", "CANCELED", "CLIENT_ERROR")
CANCELED = State("TERMINATED", "CANCELED", "TERMINATED", "USER_CANCELED", "CLIENT_ERROR")
UPSTREAM_FAILED = State("SKIPPED", "UPSTREAM_FAILED", "TERMINATED", "SKIPPED", "CLIENT_ERROR")
UPSTREAM_CANCELED = State("SKIPPED", "UPSTREAM_CANCELED", "TERMINATED", "SKIPPED", "CLIENT_ERROR")
EXCLUDED = State("SKIPPED", "EXCLUDED", "TERMINATED", "SKIPPED", "SUCCESS")
DISABLED = State("SKIPPED", "DISABLED", "TERMINATED", "DISABLED", "SUCCESS")
# Another ending of a run with a failed task, as seen on serverless compute.
FAILED_AS_INTERNAL_ERROR = State("INTERNAL_ERROR", "FAILED", "TERMINATED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR")
INTERNAL_ERROR = State("INTERNAL_ERROR", None, "TERMINATED", "INTERNAL_ERROR", "INTERNAL_ERROR")
MAXIMUM_CONCURRENT_RUNS_REACHED = State(
    "SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "TERMINATED", "MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR"
)


def terminating(end: State) -> State:
    """Return the state of a run or task that is stopping, and whose last state is `end`."""
    return State("TERMINATING", None, "TERMINATING", end.code, end.type)
