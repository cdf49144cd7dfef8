"""Simulated work: a task's course as data, so that thousands of runs cost nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..bodies.bodies import TASK_TYPES
from ..clock import Clock, Timer
from ..texts import text
from ..web.errors import invalid
from . import states
from .attempts import Progress
from .records import Ending, Output, RunRecord, TaskRecord

# A task may state its own course under this name: as a field beside its task type, or among its parameters.
COURSE_FIELD = "local_course"
ANY_TASK = "*"

_ENDS = {
    "SUCCESS": states.SUCCESS,
    "FAILED": states.FAILED,
    "TIMEDOUT": states.TIMEDOUT,
    "CANCELED": states.CANCELED,
    "INTERNAL_ERROR": states.INTERNAL_ERROR,
}
# Tasks that are made of other tasks are simulated only if the script names them.
_COMPOSED = ("for_each_task", "run_job_task", "condition_task")
_PHASES = ("queued", "pending", "running", "terminating")
_LONGEST_PHASE = 10**9
_OPTIONAL_TEXTS = ("result", "error", "error_trace", "logs")
_TEXTS = (*_OPTIONAL_TEXTS, "result_state", "message", "termination_code", "termination_type")


@dataclass(frozen=True)
class SimulatedTask:
    """Describe what one attempt at a task does instead of real work.

    Example:
        Let every task take an hour, fail, and cost nothing:
        ```python
        from prefect_databricks_runs.local import LocalWorkspace, SimulatedTask

        an_hour = SimulatedTask(running=3600, result_state="FAILED", error="No rows today")
        with LocalWorkspace(script={"*": an_hour}, virtual_time=True) as workspace:
            workspace.advance(3600)
        ```

    Attributes:
        queued: Seconds in `QUEUED`.
        pending: Seconds in `PENDING`.
        running: Seconds in `RUNNING`.
        terminating: Seconds in `TERMINATING`, also when the task is cancelled.
        result_state: `SUCCESS`, `FAILED`, `TIMEDOUT`, `CANCELED`, or `INTERNAL_ERROR`, which is the life-cycle state of
            a task without a result state.
        message: The state message at the end; empty = the message of Databricks.
        termination_code: `status.termination_details.code`, such as `CLUSTER_ERROR`; empty = the code of the result.
        termination_type: `status.termination_details.type`, such as `CLOUD_FAILURE`; empty = the type of the result.
        result: The value that the notebook passed to `dbutils.notebook.exit`; None = the notebook did not call it.
        error: The error of `runs/get-output`; None without an error.
        error_trace: The traceback; None without an error.
        logs: The output of a Python file; None = no logs.
        values: The task values that the task sets.
        outcome: The outcome of a condition, `true` or `false`. Empty = the condition is really evaluated.

    Raises:
        ValueError: The value of a field is not valid.
    """

    queued: float = 0.0
    pending: float = 0.0
    running: float = 0.0
    terminating: float = 0.0
    result_state: str = "SUCCESS"
    message: str = ""
    termination_code: str = ""
    termination_type: str = ""
    result: str | None = None
    error: str | None = None
    error_trace: str | None = None
    logs: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""

    def __post_init__(self) -> None:
        for phase in _PHASES:
            seconds = getattr(self, phase)
            is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not is_number or not 0 <= seconds <= _LONGEST_PHASE:
                raise ValueError(f"{phase} must be a number of seconds, 0 to {_LONGEST_PHASE}, it is {seconds!r:.100}")
        for name in _TEXTS:
            value = getattr(self, name)
            if not isinstance(value, str) and not (value is None and name in _OPTIONAL_TEXTS):
                raise ValueError(f"{name} must be a string, it is {value!r:.100}")
        if self.outcome not in {"", "true", "false"}:
            raise ValueError(f"outcome must be 'true' or 'false', it is {self.outcome!r:.100}")
        if self.result_state not in _ENDS:
            raise ValueError(f"result_state must be one of {', '.join(_ENDS)}, it is {self.result_state!r}")
        if not isinstance(self.values, Mapping):
            raise ValueError(f"values must be an object, it is {self.values!r}")

    @classmethod
    def from_fields(cls, fields: object) -> SimulatedTask:
        """Return the course that these fields describe.

        Args:
            fields: A SimulatedTask, or an object with some of its attributes.

        Raises:
            ValueError: A field does not exist, or its value is not valid.
        """
        if isinstance(fields, SimulatedTask):
            return fields
        if not isinstance(fields, Mapping):
            raise ValueError(f"a simulated task is an object with fields such as 'running', not {fields!r}")
        known = {each.name for each in dataclasses.fields(cls)}
        unknown = sorted(str(name) for name in fields if name not in known)
        if unknown:
            raise ValueError(f"a simulated task has no field {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        return cls(**fields)

    @property
    def ending(self) -> Ending:
        """The ending of the task."""
        end = _ENDS[self.result_state]
        end = dataclasses.replace(end, code=self.termination_code or end.code, type=self.termination_type or end.type)
        default = text("workload_failed") if self.result_state == "FAILED" else ""
        output = Output(
            result=self.result,
            values=dict(self.values),
            error=self.error,
            error_trace=self.error_trace,
            logs=self.logs,
        )
        return Ending(end, self.message or default, output)


@dataclass(frozen=True)
class TaskStart:
    """An attempt that begins: the argument of a script that is a function.

    Example:
        Let the first attempt at each task fail:
        ```python
        from prefect_databricks_runs.local import LocalWorkspace, SimulatedTask, TaskStart

        def script(start: TaskStart) -> SimulatedTask:
            return SimulatedTask(result_state="SUCCESS" if start.attempt_number else "FAILED")

        with LocalWorkspace(script=script) as workspace:
            print(workspace.url)
        ```

    Attributes:
        run_id: The id of the job run.
        run_name: The name of the job run.
        task_key: The task's key; for an iteration, the key of the nested task.
        attempt_number: 0 for the first attempt.
        settings: The task as it was submitted.
        input: The input of an iteration.
    """

    run_id: int
    run_name: str
    task_key: str
    attempt_number: int
    settings: Mapping[str, Any]
    input: Any = None


Attempt = SimulatedTask | Mapping[str, Any]
Script = Mapping[str, Attempt | Sequence[Attempt]] | Callable[[TaskStart], Attempt | None]


class Simulation:
    """The tasks to simulate, and their courses.

    Args:
        script: A mapping from a task key to a course, or to a list of courses, one for each attempt (the last course
            is also for all further attempts). The key `*` stands for all other tasks that are not made of tasks. Or a
            function that returns a course, or None for real work; it is not called for for-each and run-job tasks.

    Raises:
        ValueError: A course is not valid.
    """

    def __init__(self, script: Script | None) -> None:
        self._function = script if callable(script) else None
        given = {} if script is None or callable(script) else script
        self._courses = {key: _courses(value) for key, value in given.items()}

    def course(self, run: RunRecord, task: TaskRecord) -> SimulatedTask | None:
        """Return the course of an attempt; None for real work.

        Raises:
            ApiError: The course that the task states is not valid.
        """
        course = self._told(run, task)
        # A condition costs nothing to evaluate, and the tasks after it need its outcome.
        return None if course and "condition_task" in task.settings and not course.outcome else course

    def _told(self, run: RunRecord, task: TaskRecord) -> SimulatedTask | None:
        own = own_courses(task.settings)
        if own:
            return own[min(task.attempt_number, len(own) - 1)]
        if self._function and not any(name in task.settings for name in _COMPOSED[:2]):
            start = TaskStart(run.run_id, run.run_name, task.task_key, task.attempt_number, task.settings, task.input)
            told = self._function(start)
            return None if told is None else SimulatedTask.from_fields(told)
        courses = self._courses.get(task.task_key)
        if courses is None and not any(name in task.settings for name in _COMPOSED):
            courses = self._courses.get(ANY_TASK)
        return courses[min(task.attempt_number, len(courses) - 1)] if courses else None


def own_courses(settings: Mapping[str, Any]) -> list[SimulatedTask]:
    """Return the courses that a task states, one for each attempt; none for most tasks.

    Raises:
        ApiError: A course is not valid.
    """
    told = settings.get(COURSE_FIELD)
    if told is None:
        told = _course_among_parameters(settings)
    if told is None:
        return []
    try:
        return _courses(json.loads(told) if isinstance(told, str) else told)
    except (ValueError, TypeError, RecursionError) as error:
        raise invalid("bad_course", task_key=settings.get("task_key"), error=error) from None


def _course_among_parameters(settings: Mapping[str, Any]) -> Any:
    """Find the course in any map or list of strings of the task type: `name: JSON`, or `--local-course=JSON`."""
    prefix = f"--{COURSE_FIELD.replace('_', '-')}="
    for task_type in TASK_TYPES:
        # The fields of a task that is made of other tasks are meant for the other tasks.
        for value in () if task_type in _COMPOSED else settings.get(task_type, {}).values():
            if isinstance(value, Mapping) and COURSE_FIELD in value:
                return value[COURSE_FIELD]
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, str) and item.startswith(prefix):
                        return item.removeprefix(prefix)
    return None


def _courses(told: Any) -> list[SimulatedTask]:
    courses = [SimulatedTask.from_fields(each) for each in (told if isinstance(told, list | tuple) else [told])]
    if not courses:
        raise ValueError("there must be a course for at least one attempt")
    return courses


class SimulatedWork:
    """Work that only lets the time of its course pass.

    Args:
        clock: The workspace's time.
        course: The course to follow.
        progress: Receives the progress.
    """

    __slots__ = ("_clock", "_course", "_progress", "_steps", "_timer")

    def __init__(self, clock: Clock, course: SimulatedTask, progress: Progress) -> None:
        self._clock = clock
        self._course = course
        self._progress = progress
        self._steps = iter([phase for phase in _PHASES if phase == "running" or getattr(course, phase)])
        self._timer: Timer = clock.call_later(0, self._step)

    def stop(self, *, at_once: bool) -> None:
        """End the work early."""
        self._timer.cancel()
        self._timer = self._clock.call_later(0 if at_once else self._course.terminating, self._end)

    def _step(self) -> None:
        phase = next(self._steps, None)
        if phase is None:
            self._end()
            return
        if phase == "queued":
            self._progress.queued()
        elif phase == "pending":
            self._progress.pending()
        elif phase == "running":
            self._progress.started()
        else:
            self._progress.terminating(self._course.ending)
        self._timer = self._clock.call_later(getattr(self._course, phase), self._step)

    def _end(self) -> None:
        self._progress.ended(self._course.ending)
