"""From records to the JSON of the API."""

from __future__ import annotations

from typing import Any

from .bodies import TASK_PARAMETERS
from .records import JobRecord, Output, RunRecord, TaskRecord, Timed
from .states import QUEUED


class Answers:
    """Turns records into answers.

    Args:
        url: the workspace's address, for links.
        workspace_id: the workspace's id, for links.
    """

    def __init__(self, url: str, workspace_id: int) -> None:
        self._url = url
        self._workspace_id = workspace_id

    def run(self, run: RunRecord) -> dict[str, Any]:
        """Returns the answer of `runs/get` for a job run.

        The tasks come in the order of their random ids: Databricks does not keep the order of the body either.
        """
        tasks = sorted(run.tasks, key=lambda task: task.run_id)
        durations = _durations(run.tasks[0]) if len(run.tasks) == 1 else _durations(Timed())
        answer = {
            **self._common(run, run.run_id, run),
            **durations,
            "run_name": run.run_name,
            "run_duration": run.end_time - run.start_time if run.end_time else 0,
            "queue_duration": run.queue_duration,
            "tasks": [self._task(run, task) for task in tasks],
        }
        overriding = {name: run.overrides[name] for name in TASK_PARAMETERS if name in run.overrides}
        if overriding:
            answer["overriding_parameters"] = overriding
        if run.job_parameters:
            answer["job_parameters"] = _job_parameters(run)
        if "job_clusters" in run.settings:
            answer["job_clusters"] = run.settings["job_clusters"]
        return answer

    def task_run(self, run: RunRecord, task: TaskRecord) -> dict[str, Any]:
        """Returns the answer of `runs/get` for a task run."""
        return {
            **self._common(run, task.run_id, task),
            **_durations(task),
            "run_name": task.task_key,
            "job_run_id": run.run_id,
            "tasks": [self._task(run, task)],
        }

    def output(self, run: RunRecord, task: TaskRecord) -> dict[str, Any]:
        """Returns the answer of `runs/get-output` for a task run."""
        output = task.output
        answer: dict[str, Any] = {"metadata": self.task_run(run, task)}
        if "notebook_task" in task.settings:
            answer["notebook_output"] = _notebook_output(output)
        if output.logs is not None:
            answer |= {"logs": output.logs, "logs_truncated": output.logs_truncated}
        if output.error is not None:
            answer["error"] = output.error
        if output.error_trace is not None:
            answer["error_trace"] = output.error_trace
        return answer

    def job(self, job: JobRecord, *, with_tasks: bool) -> dict[str, Any]:
        """Returns a job as `jobs/get` (with its tasks) and `jobs/list` (without, unless asked for) answer it."""
        left_out = () if with_tasks else ("tasks", "job_clusters", "environments")
        settings = {name: value for name, value in job.settings.items() if name not in left_out}
        defaults = {
            "name": "Untitled",
            "format": "MULTI_TASK",
            "max_concurrent_runs": job.max_concurrent_runs,
            "timeout_seconds": 0,
            "email_notifications": {},
            "webhook_notifications": {},
        }
        return {
            "job_id": job.job_id,
            "creator_user_name": job.creator_user_name,
            "created_time": job.created_time,
            "settings": {**defaults, **settings},
        }

    def _common(self, run: RunRecord, run_id: int, timed: Timed) -> dict[str, Any]:
        queued = run.job.max_concurrent_runs if run.job and timed.state is QUEUED else None
        return {
            "job_id": run.job_id,
            "run_id": run_id,
            "number_in_job": run_id,
            "original_attempt_run_id": run_id,
            "attempt_number": 0,
            "creator_user_name": run.creator_user_name,
            "format": "MULTI_TASK",
            "trigger": "ONE_TIME",
            "run_type": "JOB_RUN" if run.job else "SUBMIT_RUN",
            "run_page_url": self._page(run, run_id),
            "start_time": timed.start_time,
            "end_time": timed.end_time,
            **timed.state.answer(timed.message, queued),
        }

    def _task(self, run: RunRecord, task: TaskRecord) -> dict[str, Any]:
        return {
            "run_if": "ALL_SUCCESS",
            "timeout_seconds": 0,
            **task.settings,
            "run_id": task.run_id,
            "run_page_url": self._page(run, task.run_id),
            "attempt_number": 0,
            "start_time": task.start_time,
            "end_time": task.end_time,
            **_durations(task),
            **task.state.answer(task.message),
        }

    def _page(self, run: RunRecord, run_id: int) -> str:
        return f"{self._url}/?o={self._workspace_id}#job/{run.job_id}/run/{run_id}"


def _durations(timed: Timed) -> dict[str, int]:
    return {
        "setup_duration": timed.setup_duration,
        "execution_duration": timed.execution_duration,
        "cleanup_duration": 0,
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
