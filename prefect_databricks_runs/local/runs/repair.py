"""The tasks that a repair runs again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..bodies.limits import check_unique
from ..web.errors import invalid, invalid_state
from . import states
from .records import RunRecord, TaskRecord

_FINE = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES", "EXCLUDED", "DISABLED"})


def tasks_to_repair(run: RunRecord, settings: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Return the keys of the tasks that a repair runs, in the order of the run.

    Args:
        run: The run.
        settings: The current settings of its job.
        asked: The body of `runs/repair`.

    Raises:
        ApiError: The run or the body does not allow a repair.
    """
    _check_run(run, asked.get("latest_repair_id"))
    given, all_failed = asked.get("rerun_tasks"), asked.get("rerun_all_failed_tasks", False)
    if given and all_failed:
        raise invalid("repair_with_both")
    if not given and not all_failed:
        raise invalid("repair_without_tasks")
    known = {task["task_key"] for task in settings.get("tasks", [])} & run.current.keys()
    check_unique(given or (), "rerun_tasks")
    for key in given or ():
        if key not in known:
            raise invalid("repair_unknown_task", task_key=key)
    chosen = set(given or (key for key in known if run.current[key].state.result_state not in _FINE))
    downstream = _downstream(run.current.values(), chosen)
    if not asked.get("rerun_dependent_tasks", False):
        downstream = {key for key in downstream if _was_left_out(run.current[key])}
    return [key for key in run.current if key in (chosen | downstream) & known]


def _check_run(run: RunRecord, latest_repair_id: int | None) -> None:
    if not run.state.is_terminal:
        raise invalid_state("repair_active_run", run_id=run.run_id)
    if run.state is states.SUCCESS:
        raise invalid_state("repair_successful_run", run_id=run.run_id)
    if latest_repair_id != run.history[-1].repair_id:
        raise invalid("latest_repair_needed")


def _was_left_out(task: TaskRecord) -> bool:
    """Return whether a task was skipped because of the tasks before it: after a repair of them, it may run."""
    return task.state in {states.UPSTREAM_FAILED, states.UPSTREAM_CANCELED, states.EXCLUDED}


def _downstream(tasks: Iterable[TaskRecord], chosen: set[str]) -> set[str]:
    """Return the tasks that depend on the chosen tasks, at any distance, without the chosen tasks."""
    found: set[str] = set()
    tasks = list(tasks)
    while more := {
        task.task_key
        for task in tasks
        if task.task_key not in found | chosen and not (found | chosen).isdisjoint(task.upstream)
    }:
        found |= more
    return found
