"""The error for each outcome of a failed run."""

from __future__ import annotations

from .errors import RunCanceled, RunFailed, RunInternalError, RunSkipped, RunTimedOut
from .run_states import Outcome
from .runs import Run

_ERRORS: dict[Outcome, type[RunFailed]] = {
    Outcome.TIMED_OUT: RunTimedOut,
    Outcome.CANCELED: RunCanceled,
    Outcome.UPSTREAM_CANCELED: RunCanceled,
    Outcome.SKIPPED: RunSkipped,
    Outcome.INTERNAL_ERROR: RunInternalError,
}


def failure_of(run: Run, *, fail_on_task_failures: bool) -> RunFailed | None:
    """Return the error of a finished run, or None if the run succeeded.

    Args:
        run: The run, with the outputs of its failed tasks.
        fail_on_task_failures: Whether `SUCCESS_WITH_FAILURES` is a failure.
    """
    outcome = run.state.outcome
    if outcome is Outcome.SUCCESS or (outcome is Outcome.SUCCESS_WITH_FAILURES and not fail_on_task_failures):
        return None
    return _ERRORS.get(outcome, RunFailed)(run) if outcome else RunFailed(run)
