"""The tasks of a job that is being written: what other tasks refer to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ._lines import Line, fault
from ._methods import TaskMethods

if TYPE_CHECKING:
    from ._job import Job

KEY = re.compile(r"[\w-]{1,100}", re.ASCII)


class Reference(str):
    """A string that stands for a value of a task, which is known when the job runs.

    Attributes:
        task: The task.
    """

    __slots__ = ("task",)
    task: JobTask

    @classmethod
    def to(cls, task: JobTask, path: str) -> Reference:
        """Return the reference to a value of a task."""
        found = cls(f"{{{{tasks.{task.key}.{path}}}}}")
        found.task = task
        return found


class JobTask:
    """A task of a `Job`, as the methods of the job return it. Pass it to `after=` of the tasks that come after it.

    Attributes:
        key: Its task key.
        job: The job that it is part of.

    Example:
        ```python
        from prefect_databricks_runs import Job

        job = Job("nightly-report")
        collect = job.notebook("/Shared/collect")
        job.notebook("/Shared/report", after=collect)
        ```
    """

    def __init__(self, job: Job, key: str, line: Line, fields: dict[str, Any]) -> None:
        self.key, self.job = key, job
        self._line, self._fields = line, fields

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key!r} of the job {self.job.name!r}>"

    @property
    def _needs(self) -> list[str]:
        """The keys of the tasks that it comes after."""
        return [each["task_key"] for each in self._fields.get("depends_on", ())]

    def value(self, name: str) -> str:
        """Return the reference to a value that this task sets, with `dbutils.jobs.taskValues.set(name, …)`.

        Args:
            name: The name of the value.

        Example:
            ```python
            from prefect_databricks_runs import Job

            job = Job("nightly-report")
            collect = job.notebook("/Shared/collect")
            job.notebook("/Shared/clean", parameters={"path": collect.value("path")}, after=collect)
            ```
        """
        if not isinstance(name, str) or not name or set(name) & set("{}"):
            raise fault(f"The name of a task's value must be a string without braces, not {name!r}.")
        return Reference.to(self, f"values.{name}")

    @property
    def result_state(self) -> str:
        """The reference to how this task ends, such as `success` or `failed`."""
        return Reference.to(self, "result_state")


class ConditionTask(JobTask):
    """A condition of a `Job`. Tasks come after one of its outcomes: `after=condition.is_true`.

    Example:
        ```python
        from prefect_databricks_runs import Job

        job = Job("nightly-report")
        collect = job.notebook("/Shared/collect")
        enough = job.condition("enough", collect.value("rows"), ">", 0, after=collect)
        job.notebook("/Shared/report", after=enough.is_true)
        ```
    """

    @property
    def is_true(self) -> ConditionOutcome:
        """The outcome of a condition that holds."""
        return ConditionOutcome(self, "true")

    @property
    def is_false(self) -> ConditionOutcome:
        """The outcome of a condition that does not hold."""
        return ConditionOutcome(self, "false")


class ConditionOutcome:
    """An outcome of a condition.

    Attributes:
        task: The condition.
        outcome: `true` or `false`.

    Example:
        ```python
        from prefect_databricks_runs import Job

        job = Job("nightly-report", parameters={"day": ""})
        whole = job.condition("whole", job.parameter("day"), "==", "")
        job.notebook("/Shared/everything", after=whole.is_true)
        job.notebook("/Shared/one_day", after=whole.is_false)
        ```
    """

    def __init__(self, task: ConditionTask, outcome: str) -> None:
        self.task, self.outcome = task, outcome

    def __repr__(self) -> str:
        return f"<outcome {self.outcome} of {self.task.key!r}>"


class ForEachTask(JobTask, TaskMethods["ForEachTask"]):
    """A for-each task of a `Job`. Its methods, such as `notebook`, set the task that runs for each input.

    Attributes:
        input: The reference to the input of an iteration.

    Example:
        ```python
        from prefect_databricks_runs import Job

        job = Job("nightly-report")
        regions = job.for_each("regions", ["north", "south"])
        regions.notebook("/Shared/report", parameters={"region": regions.input})
        ```
    """

    input = "{{input}}"

    def input_of(self, name: str) -> str:
        """Return the reference to one key of the input of an iteration, for inputs that are objects.

        Args:
            name: The key.

        Example:
            ```python
            from prefect_databricks_runs import Job

            job = Job("nightly-report")
            shops = job.for_each("shops", [{"city": "Ulm", "size": 3}])
            shops.notebook("/Shared/report", parameters={"city": shops.input_of("city")})
            ```
        """
        return f"{{{{input.{name}}}}}"

    def _add(self, key: str, after: Any, fields: dict[str, Any]) -> ForEachTask:
        inner = self._fields["for_each_task"]
        if "task" in inner:
            raise fault(f"The for-each task {self.key!r} has a task already, {inner['task']['task_key']!r}.")
        if after != ():
            raise fault("The task of a for-each task runs for each input; put `after` into the for-each task.")
        inner["task"] = {"task_key": checked_key(key), **self.job._read(fields)}
        return self


After: TypeAlias = "JobTask | ConditionOutcome | str | Iterable[JobTask | ConditionOutcome | str]"
"""The predecessors of a task: tasks, outcomes of conditions, or keys of tasks."""


def checked_key(key: Any) -> str:
    """Return a task key if it is one."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise fault(f"{key!r} is not a task key; use 1 to 100 ASCII letters, digits, `_` and `-`.")
    return key


def dependencies(after: After, job: Job) -> list[dict[str, str]]:
    """Return `depends_on` of a task.

    Args:
        after: The tasks, outcomes or task keys that it comes after.
        job: The job that it is part of.
    """
    several = (
        [after] if isinstance(after, (JobTask, ConditionOutcome, str)) or not isinstance(after, Iterable) else after
    )
    found = []
    for each in several:
        task = each.task if isinstance(each, ConditionOutcome) else each
        if isinstance(task, JobTask):
            if task.job is not job:
                raise fault(
                    f"`after` names the task {task.key!r} of another job, {task.job.name!r}; a task depends on tasks"
                    " of its own job."
                )
        elif not isinstance(task, str):
            raise fault(f"`after` takes tasks, outcomes of conditions and keys of tasks, not {type(task).__name__}.")
        key = task.key if isinstance(task, JobTask) else task
        found.append({"task_key": key, **({"outcome": each.outcome} if isinstance(each, ConditionOutcome) else {})})
    return found


def check_references(value: Any, job: Job) -> None:
    """Check that a value refers to no task of another job."""
    for task in _tasks_in(value):
        if task.job is not job:
            raise fault(
                f"A value refers to the task {task.key!r} of another job, {task.job.name!r}; a task sees values of"
                " tasks of its own job."
            )


def _tasks_in(value: Any) -> Iterator[JobTask]:
    if isinstance(value, Reference):
        yield value.task
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tasks_in(item)
