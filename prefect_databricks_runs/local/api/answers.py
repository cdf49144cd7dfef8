"""Turn the records of runs into the JSON of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..bodies.bodies import TASK_PARAMETERS, TASK_TYPES
from ..bodies.old_form import MULTI_TASK, SINGLE_TASK, has_old_form
from ..runs.composed import latest_iterations
from ..runs.records import Output, RepairRecord, RunRecord, TaskRecord, Timed
from ..web.errors import invalid
from ..web.paging import Page, turn_to

TASKS_PER_PAGE = 100
_MAX_ERROR_STATS = 3
_LAST_PLACE = 10**6
# The fields of a task type in `resolved_values`; a for-each task has none there.
_RESOLVED = {"condition_task": ("left", "right"), "run_job_task": ("job_parameters",)}


class Answers:
    """The maker of answers from runs.

    Args:
        url: The workspace's address, for links.
        workspace_id: The workspace's id, for links.
    """

    def __init__(self, url: str, workspace_id: int) -> None:
        self._url = url
        self._workspace_id = workspace_id

    def run(self, run: RunRecord, version: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of `runs/get` for a job run.

        Args:
            run: The run.
            version: The API's version.
            asked: The query: `page_token`, `include_history`, `include_resolved_values`.

        Raises:
            ApiError: The run has more tasks than this version can answer, or the page token is not valid.
        """
        if version != "2.2" and len(run.tasks) > TASKS_PER_PAGE:
            raise invalid("too_many_tasks_for_version", limit=TASKS_PER_PAGE, count=len(run.tasks))
        token = asked.get("page_token", "")
        page = turn_to(_in_order(run.tasks), _run_id, limit=TASKS_PER_PAGE, page_token=token)
        answer = self._run(run)
        resolved = asked.get("include_resolved_values", False)
        answer["tasks"] = [self._task(run, task, resolved=resolved) for task in page.items]
        if asked.get("include_history", False):
            answer["repair_history"] = [_repair(repair) for repair in run.history]
        return _paged({**answer, **_old_form(run, version)}, page)

    def whole_run(self, run: RunRecord) -> dict[str, Any]:
        """Return a run with all its tasks."""
        return {**self._run(run), "tasks": [self._task(run, task) for task in _in_order(run.tasks)]}

    def listed_run(self, run: RunRecord, version: str, *, with_tasks: bool) -> dict[str, Any]:
        """Return a run as `runs/list` answers it; with `with_tasks`, its first 100 tasks too."""
        answer = {**self._run(run), **_old_form(run, version)}
        if with_tasks and (version == "2.2" or len(run.tasks) <= TASKS_PER_PAGE):
            answer["tasks"] = [self._task(run, task) for task in _in_order(run.tasks)[:TASKS_PER_PAGE]]
        if version == "2.2" and len(run.tasks) > TASKS_PER_PAGE:
            answer["has_more"] = True
        return answer

    def task_run(self, run: RunRecord, task: TaskRecord, asked: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer of `runs/get` for a task run.

        Args:
            run: The job run.
            task: The attempt.
            asked: The query; None for the metadata of an output.

        Raises:
            ApiError: The page token is not valid.
        """
        asked = asked if asked is not None else {}
        answer = {
            **self._common(run, task.run_id, task),
            **_durations(task),
            "original_attempt_run_id": task.original_attempt_run_id,
            "attempt_number": task.attempt_number,
            "run_name": task.task_key,
            "job_run_id": run.run_id,
            "tasks": [self._task(run, task, resolved=asked.get("include_resolved_values", False))],
        }
        if not task.iterations:
            return answer
        # Pages put the highest number first, and the first iteration comes first.
        places = {record.run_id: _LAST_PLACE - index for index, record in enumerate(task.iterations)}
        token = asked.get("page_token", "")
        page = turn_to(task.iterations, lambda each: places[each.run_id], limit=TASKS_PER_PAGE, page_token=token)
        answer["iterations"] = [self._task(run, record) for record in page.items]
        return _paged(answer, page)

    def output(self, run: RunRecord, task: TaskRecord) -> dict[str, Any]:
        """Return the answer of `runs/get-output` for a task run."""
        output = task.output
        answer: dict[str, Any] = {"metadata": self.task_run(run, task)}
        if "notebook_task" in task.settings:
            answer["notebook_output"] = _notebook_output(output)
        if task.child_run_id is not None:
            answer["run_job_output"] = {"run_id": task.child_run_id}
        if output.logs is not None:
            answer |= {"logs": output.logs, "logs_truncated": output.logs_truncated}
        if output.error is not None:
            answer["error"] = output.error
        if output.error_trace is not None:
            answer["error_trace"] = output.error_trace
        return answer

    def output_of_run(self, run: RunRecord) -> dict[str, Any]:
        """Return the answer of `runs/get-output` for a run in the form of version 2.0."""
        return {**self.output(run, run.tasks[-1]), "metadata": self.run(run, "2.0", {})}

    def _run(self, run: RunRecord) -> dict[str, Any]:
        """Return the fields of a run without its tasks."""
        answer = {
            **self._common(run, run.run_id, run),
            **(_durations(run.tasks[0]) if len(run.tasks) == 1 else _durations(Timed())),
            "original_attempt_run_id": run.run_id,
            "attempt_number": 0,
            "run_name": run.run_name,
            "run_duration": _run_duration(run),
            "queue_duration": run.queue_duration,
        }
        overriding = {name: run.overrides[name] for name in TASK_PARAMETERS if name in run.overrides}
        if overriding:
            answer["overriding_parameters"] = overriding
        if run.job_parameters:
            answer["job_parameters"] = _job_parameters(run)
        if "job_clusters" in run.settings:
            answer["job_clusters"] = run.settings["job_clusters"]
        if run.parent:
            answer["trigger_info"] = {"run_id": run.parent.run_id}
        return answer

    def _common(self, run: RunRecord, run_id: int, timed: Timed) -> dict[str, Any]:
        return {
            "job_id": run.job_id,
            "run_id": run_id,
            "number_in_job": run_id,
            "creator_user_name": run.creator_user_name,
            "format": MULTI_TASK,
            "trigger": run.trigger,
            "run_type": run.run_type,
            "run_page_url": self._page(run, run_id),
            "start_time": timed.start_time,
            "end_time": timed.end_time,
            **timed.state.answer(timed.message),
        }

    def _task(self, run: RunRecord, task: TaskRecord, *, resolved: bool = False) -> dict[str, Any]:
        answer = {
            "run_if": "ALL_SUCCESS",
            "timeout_seconds": 0,
            **task.settings,
            "run_id": task.run_id,
            "run_page_url": self._page(run, task.run_id),
            "attempt_number": task.attempt_number,
            "start_time": task.start_time,
            "end_time": task.end_time,
            "queue_duration": task.queue_duration,
            **_durations(task),
            **task.state.answer(task.message),
        }
        if task.outcome is not None:
            answer["condition_task"] = {**answer["condition_task"], "outcome": task.outcome}
        if task.iterations is not None:
            answer["for_each_task"] = {**answer["for_each_task"], "stats": _stats(task)}
        if resolved and task.resolved is not None:
            answer |= _resolved_values(task.resolved, task.settings)
        return answer

    def _page(self, run: RunRecord, run_id: int) -> str:
        return f"{self._url}/?o={self._workspace_id}#job/{run.job_id}/run/{run_id}"


def _run_duration(run: RunRecord) -> int:
    """Return the time that a run and its repairs took outside of a queue, in ms; 0 while the run is active."""
    took = sum(each.end_time - each.start_time for each in run.history)
    return took - run.queue_duration if run.end_time else 0


def _old_form(run: RunRecord, version: str) -> dict[str, Any]:
    """Return the additional top-level fields of a run of a single task in version 2.0; none in other versions."""
    if version != "2.0" or len(run.current) != 1:
        return {}
    settings = run.tasks[-1].settings
    compute = ("existing_cluster_id", "new_cluster", "libraries")
    return {
        "format": SINGLE_TASK if has_old_form(run.settings) else MULTI_TASK,
        "task": {name: settings[name] for name in TASK_TYPES if name in settings},
        "cluster_spec": {name: settings[name] for name in compute if name in settings},
    }


def _run_id(task: TaskRecord) -> int:
    return task.run_id


def _in_order(tasks: Sequence[TaskRecord]) -> list[TaskRecord]:
    """Return tasks in the order of their random ids: Databricks does not keep the order of the body."""
    return sorted(tasks, key=_run_id, reverse=True)


def _paged(answer: dict[str, Any], page: Page[TaskRecord]) -> dict[str, Any]:
    """Add the token of the next page; `runs/get` has no token of the previous one."""
    if page.next_page_token is None:
        return answer
    return {**answer, "has_more": True, "next_page_token": page.next_page_token}


def _resolved_values(resolved: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        task_type: {name: resolved[name] for name in names if name in resolved}
        for task_type, names in _RESOLVED.items()
        if task_type in settings
    }
    return {"resolved_values": values} if values else {}


def _durations(timed: Timed) -> dict[str, int]:
    return {
        "setup_duration": timed.setup_duration,
        "execution_duration": timed.execution_duration,
        "cleanup_duration": timed.cleanup_duration,
    }


def _notebook_output(output: Output) -> dict[str, Any]:
    answer: dict[str, Any] = {"truncated": output.result_truncated}
    if output.result is not None:
        answer["result"] = output.result
    return answer


def _job_parameters(run: RunRecord) -> list[dict[str, str]]:
    defaults, overrides = run.parameter_defaults, run.parameter_overrides
    return [
        {"name": name}
        | ({"default": defaults[name]} if name in defaults else {})
        | ({"value": overrides[name]} if name in overrides else {})
        for name in run.job_parameters
    ]


def _repair(repair: RepairRecord) -> dict[str, Any]:
    kind = {"type": "ORIGINAL"} if repair.repair_id is None else {"type": "REPAIR", "id": repair.repair_id}
    return {
        **kind,
        "start_time": repair.start_time,
        "end_time": repair.end_time,
        "task_run_ids": [task.run_id for task in repair.tasks],
        **repair.state.answer(repair.message),
    }


def _stats(task: TaskRecord) -> dict[str, Any]:
    last = latest_iterations(task)
    failed = [iteration for iteration in last if iteration.state.failed]
    succeeded = sum(iteration.state.succeeded for iteration in last)
    completed = sum(iteration.state.is_terminal for iteration in last)
    errors: dict[str, int] = {}
    for iteration in failed:
        message = iteration.output.error or iteration.message
        errors[message] = errors.get(message, 0) + 1
    counted = sorted(errors.items(), key=lambda item: -item[1])[:_MAX_ERROR_STATS]
    return {
        "task_run_stats": {
            "total_iterations": len(task.inputs or []),
            "scheduled_iterations": len(last),
            "active_iterations": len(last) - completed,
            "completed_iterations": completed,
            "succeeded_iterations": succeeded,
            "failed_iterations": len(failed),
        },
        "error_message_stats": [
            {"count": count, "error_message": message, "termination_category": "RUN_EXECUTION_ERROR"}
            for message, count in counted
        ],
    }
