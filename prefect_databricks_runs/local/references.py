"""Dynamic value references: `{{job.run_id}}` and the like inside the string parameters of a task."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .records import RunRecord, TaskRecord
from .texts import text

_REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_TASK_VALUE = re.compile(r"tasks\.([\w-]+)\.values\.(.+)", re.ASCII)
# Anything in these name spaces is a reference on Databricks; other text in braces is only text.
_NAME_SPACES = ("job.", "task.", "tasks.", "workspace.")


class UnresolvedReferenceError(Exception):
    """A reference that Databricks may know, and that has no value here."""


class References:
    """The values that a task's parameters can refer to.

    Args:
        run: the run.
        task: the task whose parameters are resolved.
        values: the task values of the tasks that have ended, by task key.
    """

    def __init__(self, run: RunRecord, task: TaskRecord, values: Mapping[str, Mapping[str, Any]]) -> None:
        self._values = values
        self._names: dict[str, Any] = {
            "job.id": run.job_id,
            "job.run_id": run.run_id,
            "job.name": run.run_name,
            "task.run_id": task.run_id,
            "task.name": task.task_key,
            "job_id": run.job_id,
            "run_id": task.run_id,
            "task_key": task.task_key,
            **{f"job.parameters.{name}": value for name, value in run.job_parameters.items()},
        }

    def resolve(self, string: str) -> str:
        """Returns `string` with every reference replaced by its value.

        Raises:
            UnresolvedReferenceError: a reference has no value.
        """
        return _REFERENCE.sub(self._value, string)

    def _value(self, match: re.Match[str]) -> str:
        name = match[1]
        if name in self._names:
            return str(self._names[name])
        task_value = _TASK_VALUE.fullmatch(name)
        if task_value and task_value[2] in self._values.get(task_value[1], {}):
            value = self._values[task_value[1]][task_value[2]]
            return value if isinstance(value, str) else json.dumps(value)
        if name.startswith(_NAME_SPACES):
            raise UnresolvedReferenceError(text("unresolved_reference", reference=match[0]))
        return match[0]
