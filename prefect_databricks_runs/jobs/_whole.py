"""Faults of a whole job, each attributed to the line that added the task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .._payload.api import BODIES, JOB, fields_of
from ._lines import Line
from ._tasks import ForEachTask, JobTask

_VALUE_OF_TASK = re.compile(r"\{\{\s*tasks\.([\w-]+)\.(?:values\.|output\.|result_state\b|error_code\b)")


def check_whole(name: str, tasks: Mapping[str, JobTask], line: Line) -> None:
    """Check what is known only when all tasks are there.

    Args:
        name: The job's name.
        tasks: Its tasks, by their keys.
        line: The line that made the job.
    """
    if not tasks:
        raise line.fault(f"The job {name!r} has no task; add one, such as `job.notebook(…)`.")
    for task in tasks.values():
        if isinstance(task, ForEachTask) and "task" not in task._fields["for_each_task"]:
            raise task._line.fault(
                f"The for-each task {task.key!r} has nothing to do; set its task, such as"
                " `job.for_each(…).notebook(…)`."
            )
        for key in task._needs:
            if key not in tasks:
                raise task._line.fault(
                    f"The task {task.key!r} comes after {key!r}, and the job {name!r} does not have that task."
                    f" It has: {', '.join(tasks)}."
                )
        for key in _seen_by(task._fields):
            if key not in tasks:
                raise task._line.fault(
                    f"A value of the task {task.key!r} refers to {key!r}, and the job {name!r} does not have that task."
                    f" It has: {', '.join(tasks)}."
                )
    try:
        TopologicalSorter({key: task._needs for key, task in tasks.items()}).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        raise tasks[cycle[-1]]._line.fault(
            f"These tasks wait for each other: {' -> '.join(cycle)}. Take out one `after`."
        ) from None


def is_saved(body: Mapping[str, Any]) -> bool:
    """Return whether a job has settings that a one-time run does not have.

    Args:
        body: Its settings.
    """
    return any(key in fields_of(JOB) and key not in fields_of(BODIES["runs/submit"]) for key in body if key != "name")


def _seen_by(value: Any) -> Iterator[str]:
    """Yield the keys of the tasks whose values a string refers to, such as an f-string with a reference in it."""
    if isinstance(value, str):
        yield from _VALUE_OF_TASK.findall(value)
    elif isinstance(value, (Mapping, list, tuple)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _seen_by(each)
