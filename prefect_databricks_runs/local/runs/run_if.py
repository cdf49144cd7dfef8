"""Whether a task is to run, by how the tasks that it depends on have ended."""

from __future__ import annotations

from collections.abc import Sequence

from ..texts import text
from . import states
from .records import Ending, TaskRecord

EXCLUDED = Ending(states.EXCLUDED, text("excluded"))
DISABLED = Ending(states.DISABLED, text("disabled"))
UPSTREAM_FAILED = Ending(states.UPSTREAM_FAILED, text("upstream_failed"))
UPSTREAM_CANCELED = Ending(states.UPSTREAM_CANCELED, text("upstream_canceled"))


def skipped(task: TaskRecord, upstream: Sequence[TaskRecord]) -> Ending | None:
    """Returns how a task ends without running; None when it is to run.

    Excluded and disabled tasks count as successful. A cancelled task counts as one that failed, so that tasks which
    handle failures still run.

    Args:
        task: the task.
        upstream: the latest attempts at the tasks that it depends on, all of them over.
    """
    if task.settings.get("disabled"):
        return DISABLED
    if not upstream:
        return None
    if _wrong_branch(task, upstream) or all(other.state is states.EXCLUDED for other in upstream):
        return EXCLUDED
    return _by_rule(task.settings.get("run_if", "ALL_SUCCESS"), upstream)


def _by_rule(rule: str, upstream: Sequence[TaskRecord]) -> Ending | None:
    failed = [other.state.failed or other.state.canceled for other in upstream]
    if rule == "ALL_DONE":
        return None
    if rule == "AT_LEAST_ONE_FAILED":
        return None if any(failed) else EXCLUDED
    if rule == "ALL_FAILED":
        return None if all(failed) else EXCLUDED
    # ALL_SUCCESS and NONE_FAILED are the same, as what is excluded or disabled counts as successful.
    if not all(failed) if rule == "AT_LEAST_ONE_SUCCESS" else not any(failed):
        return None
    return UPSTREAM_FAILED if any(other.state.failed for other in upstream) else UPSTREAM_CANCELED


def _wrong_branch(task: TaskRecord, upstream: Sequence[TaskRecord]) -> bool:
    """Whether a condition that it depends on came out the other way."""
    outcomes = {other.task_key: other.outcome for other in upstream if other.outcome is not None}
    return any(
        outcomes.get(dependency["task_key"], dependency["outcome"]) != dependency["outcome"]
        for dependency in task.settings.get("depends_on", [])
        if "outcome" in dependency
    )
