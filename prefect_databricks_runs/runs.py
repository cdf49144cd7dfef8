"""Runs, tasks and outputs as Databricks reports them, as frozen dataclasses.

Times are milliseconds since 1970-01-01 UTC and durations milliseconds, as in the API; 0 means "not yet".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ._fields import are_mappings, as_id, as_int, as_mapping, as_mappings, as_text, as_text_or_none
from .run_states import Outcome, RunState

# For a for-each task: there may be thousands, and most fail alike.
MAX_FAILED_ITERATIONS = 100

_PAGED = ("tasks", "iterations", "job_clusters", "job_parameters", "repair_history")
_PAGE = re.compile(r"/jobs(/\d+)?/runs/\d+")
# Databricks puts this into the state of a failed task. It only points to the error, and adds nothing to it.
POINTER = "see run output for details"
_FAILURES = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERNAL_ERROR})


@dataclass(frozen=True)
class RunOutput:
    """The output of one task, from `runs/get-output`.

    Attributes:
        result: The value that the notebook passed to `dbutils.notebook.exit`, at most 5 MB; None for other tasks, or
            without exit.
        truncated: Whether `result` was cut.
        logs: The last 5 MB of the output of a Python file, wheel or JAR; None for notebooks.
        logs_truncated: Whether `logs` was cut.
        error: The error's own line, or None.
        error_trace: The traceback, or None.
        raw: The whole answer, with the fields of other task types (`sql_output`, `dbt_output`, …).

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

        databricks = DatabricksCredentials.from_environment()
        run = submit_run_and_wait(
            databricks, notebook_task={"notebook_path": "/Shared/nightly"}, fetch_output=True
        )
        print(run.tasks["main"].output.result)
        ```
    """

    result: str | None = None
    truncated: bool = False
    logs: str | None = None
    logs_truncated: bool = False
    error: str | None = None
    error_trace: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_api(cls, answer: Mapping[str, Any]) -> RunOutput:
        """Read the answer of `runs/get-output`.

        Raises:
            ValueError: It has a result in a form that cannot be read.
        """
        notebook = as_mapping(answer.get("notebook_output"))
        if not are_mappings([answer.get("notebook_output") or {}]) or isinstance(notebook.get("result"), (list, dict)):
            raise ValueError("a notebook result that is unreadable")
        return cls(
            result=as_text_or_none(notebook.get("result")),
            truncated=bool(notebook.get("truncated")),
            logs=as_text_or_none(answer.get("logs")),
            logs_truncated=bool(answer.get("logs_truncated")),
            error=as_text_or_none(answer.get("error")),
            error_trace=as_text_or_none(answer.get("error_trace")),
            raw={key: value for key, value in answer.items() if key != "metadata"},
        )


@dataclass(frozen=True)
class RunTask:
    """One attempt at one task of a run.

    Attributes:
        task_key: The task's name in the job.
        run_id: The attempt's own id; not the job run's.
        state: Its state.
        attempt_number: 0 for the first attempt.
        depends_on: The `task_key` of each task that it waits for.
        start_time: Milliseconds UTC; 0 before it started.
        end_time: Milliseconds UTC; 0 before it ended.
        setup_duration: Milliseconds.
        execution_duration: Milliseconds.
        cleanup_duration: Milliseconds.
        queue_duration: Milliseconds.
        url: The attempt's page in the workspace.
        output: Its output, if it was fetched.
        run_job: For a run-job task that failed: the run that it started, with the causes of its failed tasks. Else
            None.
        failed_iterations: For a for-each task: the failed attempts at its iterations with their outputs, if they were
            fetched; at most 100.
        raw: The whole `tasks[]` entry.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

        databricks = DatabricksCredentials.from_environment()
        run = submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
        for task in run.tasks.values():
            print(task.task_key, task.state.name, task.took)
        ```
    """

    task_key: str
    run_id: int
    state: RunState
    attempt_number: int = 0
    depends_on: tuple[str, ...] = ()
    start_time: int = 0
    end_time: int = 0
    setup_duration: int = 0
    execution_duration: int = 0
    cleanup_duration: int = 0
    queue_duration: int = 0
    url: str = ""
    output: RunOutput | None = None
    run_job: Run | None = None
    failed_iterations: tuple[RunTask, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_failed(self) -> bool:
        """Whether it failed itself, not because of a task before it."""
        return self.state.outcome in _FAILURES

    @property
    def is_for_each(self) -> bool:
        """Whether it is a for-each task."""
        return "for_each_task" in self.raw

    @property
    def retries_iterations(self) -> bool:
        """Whether it is a for-each task whose iterations are retried when they fail."""
        nested = as_mapping(as_mapping(self.raw.get("for_each_task")).get("task"))
        return bool(nested.get("max_retries"))

    @property
    def is_run_job(self) -> bool:
        """Whether it is a run-job task."""
        return "run_job_task" in self.raw

    @property
    def run_job_run_id(self) -> int | None:
        """For a run-job task whose output was read: the `run_id` of the run that it started. Else None."""
        run_id = as_mapping((self.output.raw if self.output else {}).get("run_job_output")).get("run_id")
        return as_int(run_id) or None

    @property
    def run_job_url(self) -> str:
        """The page of the run that a run-job task started; empty if it is not known."""
        if not self.run_job_run_id:
            return ""
        job_id = as_int(as_mapping(self.raw.get("run_job_task")).get("job_id"))
        return _PAGE.sub(run_url("", job_id, self.run_job_run_id), self.url, count=1)

    @property
    def reason(self) -> str:
        """The best explanation of its end that Databricks sent: its error, or the errors of its parts."""
        words = [(self.output.error if self.output else None) or self.state.explanation, *self.iteration_errors]
        if self.run_job:
            words += [f"{task.task_key}: {task.reason}" for task in self.run_job.failed_tasks]
        return "; ".join(dict.fromkeys(text for text in words if text))

    @property
    def iteration_errors(self) -> tuple[str, ...]:
        """For a for-each task: the most frequent errors of its iterations, such as `ValueError: no rows (3 times)`."""
        stats = as_mapping(as_mapping(self.raw.get("for_each_task")).get("stats")).get("error_message_stats")
        return tuple(
            f"{as_text(each['error_message'])} ({as_int(each.get('count', 1))} times)"
            for each in as_mappings(stats)
            if as_text(each.get("error_message"))
        )

    @property
    def took(self) -> int:
        """The time from its start to its end, in milliseconds; 0 while it runs."""
        return self.end_time - self.start_time if self.start_time and self.end_time else 0

    @property
    def result(self) -> str:
        """The value that its notebook passed to `dbutils.notebook.exit`; empty if there is none, or it was not read."""
        result = self.output.result if self.output else None
        return "" if result is None else str(result)

    @property
    def outcome_of_condition(self) -> str:
        """For a condition task: `true` or `false` once it is decided. Else empty."""
        return as_text(as_mapping(self.raw.get("condition_task")).get("outcome"))

    @property
    def iterations_done(self) -> str:
        """For a for-each task: its progress, such as `7/40 iterations, 2 failed`. Else empty."""
        stats = self.iteration_stats
        if not stats.get("total_iterations"):
            return ""
        failed = f", {stats['failed_iterations']} failed" if stats.get("failed_iterations") else ""
        return f"{stats.get('completed_iterations', 0)}/{stats['total_iterations']} iterations{failed}"

    @property
    def state_in_words(self) -> str:
        """The state's name, with the outcome of a condition or the progress of a for-each task: `Success (true)`."""
        detail = self.outcome_of_condition or self.iterations_done
        return f"{self.state.name} ({detail})" if detail else self.state.name

    @property
    def iteration_stats(self) -> Mapping[str, int]:
        """For a for-each task: the number of its iterations by state, such as `completed_iterations`. Else empty."""
        stats = as_mapping(as_mapping(as_mapping(self.raw.get("for_each_task")).get("stats")).get("task_run_stats"))
        return {name: as_int(count) for name, count in stats.items()}


@dataclass(frozen=True)
class Run:
    """A job run, as read with `runs/get` (all its pages).

    Attributes:
        run_id: The job run's id.
        job_id: The job's id; a run of `runs/submit` has one too.
        run_name: Its name; may be empty.
        state: The run's own state.
        tasks: The latest attempt of each task, by `task_key`; each task comes after the tasks that it depends on.
        attempts: Every attempt of every task, in the same order, oldest first within a task.
        start_time: Milliseconds UTC.
        end_time: Milliseconds UTC; 0 while it is active.
        run_duration: Milliseconds, repairs included; 0 while it is active.
        queue_duration: Milliseconds.
        url: The run's page in the workspace.
        raw: The whole answer.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

        databricks = DatabricksCredentials.from_environment()
        run = submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
        print(run.state.name, run.run_duration, run.url)
        ```
    """

    run_id: int
    job_id: int | None
    run_name: str
    state: RunState
    tasks: Mapping[str, RunTask]
    attempts: tuple[RunTask, ...] = ()
    start_time: int = 0
    end_time: int = 0
    run_duration: int = 0
    queue_duration: int = 0
    url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_api(cls, answer: Mapping[str, Any], host: str) -> Run:
        """Read the answer of `runs/get`.

        Args:
            answer: The answer, with the lists of all its pages joined.
            host: The workspace's address, such as `https://adb-1.2.azuredatabricks.net`.

        Raises:
            ValueError: It has no `run_id`, or it is of a finished run whose end cannot be read.
        """
        workspace_id = _workspace_id(answer.get("run_page_url"))
        run_id, job_id = as_id(answer["run_id"]), as_int(answer.get("job_id")) or None
        attempts = _in_order([_task(each, host, job_id, workspace_id) for each in as_mappings(answer.get("tasks"))])
        state = RunState.from_api(answer)
        said = as_mapping(answer.get("state")).get("result_state")
        if state.is_terminal and not state.result_state and said not in (None, ""):
            raise ValueError("a finished run whose result is not a name")
        if state.is_terminal and not are_mappings(answer.get("tasks")):
            raise ValueError("a finished run with unreadable tasks")
        return cls(
            run_id=run_id,
            job_id=job_id,
            run_name=as_text(answer.get("run_name")),
            state=state,
            tasks={task.task_key: task for task in attempts},
            attempts=tuple(attempts),
            url=run_url(host, job_id, run_id, workspace_id),
            raw=answer,
            **_numbers(answer, "start_time", "end_time", "run_duration", "queue_duration"),
        )

    @property
    def host(self) -> str:
        """The workspace's address."""
        return _PAGE.split(self.url)[0]

    @property
    def explanation(self) -> str:
        """The best explanation that Databricks sent for its state; empty if that only points to an error of `tasks`."""
        text = self.state.explanation
        is_known = any(task.output and task.output.error for task in self.failures.values())
        return "" if is_known and POINTER in text else text

    @property
    def latest_repair_id(self) -> int | None:
        """The latest repair of a run that was read with its history; None if the run was never repaired."""
        ids = [as_int(each.get("id")) for each in as_mappings(self.raw.get("repair_history"))]
        return next((each for each in reversed(ids) if each), None)

    @property
    def failed_tasks(self) -> tuple[RunTask, ...]:
        """The tasks that failed themselves, not because of a task before them."""
        return tuple(task for task in self.tasks.values() if task.is_failed)

    @property
    def failures(self) -> Mapping[str, RunTask]:
        """The failed tasks by `task_key`; those of runs that run-job tasks started by `task_key/task_key`."""
        found: dict[str, RunTask] = {}
        for task in self.failed_tasks:
            found[task.task_key] = task
            if task.run_job:
                found |= {f"{task.task_key}/{key}": each for key, each in task.run_job.failures.items()}
        return found

    @property
    def iterations(self) -> tuple[RunTask, ...]:
        """For a for-each task that was read by its own `run_id`: the attempts at its iterations. Else empty."""
        workspace_id = _workspace_id(self.raw.get("run_page_url"))
        found = as_mappings(self.raw.get("iterations"))
        return tuple(_task(entry, self.host, self.job_id, workspace_id) for entry in found)

    @property
    def failed_attempts(self) -> tuple[RunTask, ...]:
        """The attempts that failed themselves, including attempts whose retry succeeded."""
        return tuple(attempt for attempt in self.attempts if attempt.is_failed)

    def with_outputs(self, outputs: Mapping[int, RunOutput]) -> Run:
        """Return the same run with these outputs in its attempts.

        Args:
            outputs: The answers of `runs/get-output`, by the `run_id` of the attempt.
        """
        return self.with_attempts(
            [replace(each, output=outputs.get(each.run_id, each.output)) for each in self.attempts]
        )

    def with_attempts(self, attempts: Iterable[RunTask]) -> Run:
        """Return the same run with these attempts.

        Args:
            attempts: All its attempts, in the same order.
        """
        attempts = tuple(attempts)
        return replace(self, attempts=attempts, tasks={attempt.task_key: attempt for attempt in attempts})


def run_url(host: str, job_id: int | None, run_id: int, workspace_id: str | None = None) -> str:
    """Return the page of a run. The API's own `run_page_url` is an old form that only admins can open.

    Args:
        host: The workspace's address.
        job_id: The job's id.
        run_id: The id of the job run, or of a task's attempt.
        workspace_id: The workspace, needed if one address serves several workspaces.
    """
    job = f"/jobs/{job_id}" if job_id and str(job_id).isdecimal() else "/jobs"  # an odd answer may have anything here
    return f"{host}{job}/runs/{run_id}" + (f"?o={workspace_id}" if workspace_id else "")


def _workspace_id(run_page_url: Any) -> str | None:
    found = re.search(r"[?&]o=(\d+)", run_page_url) if isinstance(run_page_url, str) else None
    return found[1] if found else None


def _task(entry: Mapping[str, Any], host: str, job_id: int | None, workspace_id: str | None) -> RunTask:
    run_id = as_int(entry.get("run_id"))
    return RunTask(
        task_key=as_text(entry.get("task_key")),
        run_id=run_id,
        state=RunState.from_api(entry),
        depends_on=tuple(as_text(other.get("task_key")) for other in as_mappings(entry.get("depends_on"))),
        url=run_url(host, job_id, run_id, workspace_id),
        raw=entry,
        **_numbers(
            entry,
            "attempt_number",
            "start_time",
            "end_time",
            "setup_duration",
            "execution_duration",
            "cleanup_duration",
            "queue_duration",
        ),
    )


def _in_order(attempts: list[RunTask]) -> list[RunTask]:
    """Sort by dependencies, and oldest first within a task: the API returns them in any order."""
    depths = _depths({task.task_key: set(task.depends_on) for task in attempts})
    return sorted(attempts, key=lambda task: (depths[task.task_key], task.task_key, task.attempt_number, task.run_id))


def _depths(waits_for: Mapping[str, set[str]]) -> dict[str, int]:
    """Count the tasks before each one. Tasks in a circle, and tasks that wait for them, are the deepest."""
    depths: dict[str, int] = {}
    waiters: dict[str, list[str]] = {}
    left = {key: len(others & waits_for.keys()) for key, others in waits_for.items()}
    for key, others in waits_for.items():
        for other in others:
            waiters.setdefault(other, []).append(key)
    ready = [key for key, others in left.items() if not others]
    depth = 0
    while ready:
        depths.update(dict.fromkeys(ready, depth))
        depth += 1
        following: list[str] = []
        for waiter in [waiter for key in ready for waiter in waiters.get(key, ())]:
            left[waiter] -= 1
            if not left[waiter]:
                following.append(waiter)
        ready = following
    return {**dict.fromkeys(waits_for, depth), **depths}


def _numbers(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: as_int(answer.get(name)) for name in names}


def merge_pages(pages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the pages of one `runs/get`: the first page's fields, and the paged lists of all pages.

    The run changes while its pages are read. An end that only the last pages know of is ignored: otherwise the tasks of
    the first pages would never be seen to end.

    Args:
        pages: The answers in the order of the pages.
    """
    whole: dict[str, Any] = {}
    for page in pages:
        paged = {name: [*whole.get(name, ()), *as_mappings(page.get(name))] for name in _PAGED}
        whole = {**page, **whole, **{name: items for name, items in paged.items() if items}}
    whole.pop("next_page_token", None)
    return whole
