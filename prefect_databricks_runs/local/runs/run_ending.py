"""How a run ends whose tasks have all ended by themselves."""

from __future__ import annotations

from collections.abc import Collection

from ..texts import text
from . import states
from .records import Ending, TaskRecord


def run_ending(tasks: Collection[TaskRecord], failed_state: states.State) -> Ending:
    """Returns the ending.

    Args:
        tasks: the latest attempt at each of its tasks, all of them over.
        failed_state: the state of a run of which a task failed.
    """
    in_order = sorted(tasks, key=lambda task: task.end_time)
    failed = [task for task in in_order if task.state.failed and task.state is not states.UPSTREAM_FAILED]
    if not failed:
        return _without_failures(in_order)
    upstream = {key for task in tasks for key in task.upstream}
    leaves = [task for task in tasks if task.task_key not in upstream]
    if not any(leaf.state.failed or leaf.state.canceled for leaf in leaves):
        return Ending(states.SUCCESS_WITH_FAILURES, text("success_with_failures", count=len(failed)))
    message = text("task_failed", task_key=failed[0].task_key, message=failed[0].message.removesuffix("."))
    if any(task.state is states.UPSTREAM_FAILED for task in tasks):
        message += text("downstream_skipped")
    ours = any(task.state.life_cycle_state == "INTERNAL_ERROR" and not task.state.result_state for task in failed)
    return Ending(states.INTERNAL_ERROR if ours else failed_state, message)


def _without_failures(tasks: list[TaskRecord]) -> Ending:
    canceled = [task for task in tasks if task.state.canceled]
    if canceled:
        return Ending(states.CANCELED, text("task_canceled", task_key=canceled[0].task_key))
    return Ending(states.SUCCESS)
