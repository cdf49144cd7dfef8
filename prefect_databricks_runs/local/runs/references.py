"""Dynamic value references, such as `{{job.run_id}}`, and the task parameters in which they are resolved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from ..texts import text
from .records import RunRecord, TaskRecord

_REFERENCE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_OTHER_TASK = re.compile(r"tasks\.(?:([\w-]+)|\[([\w-]+)\])\.(.+)", re.ASCII)
# Any name in these namespaces is a reference on Databricks; anything else in braces stays as it is.
_NAME_SPACES = ("job.", "task.", "tasks.", "workspace.", "input.")

_TIMES: dict[str, Callable[[datetime], Any]] = {
    "iso_date": lambda time: time.strftime("%Y-%m-%d"),
    "iso_datetime": lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "iso_weekday": lambda time: time.isoweekday(),
    "is_weekday": lambda time: _json(time.isoweekday() < 6),  # noqa: PLR2004, Saturday
    "year": lambda time: time.year,
    "month": lambda time: time.month,
    "day": lambda time: time.day,
    "hour": lambda time: time.hour,
    "minute": lambda time: time.minute,
    "second": lambda time: time.second,
    "timestamp_ms": lambda time: int(time.timestamp() * 1000),
}


class UnresolvedReferenceError(Exception):
    """A reference that may have a value on Databricks, and has none here."""


class References:
    """The values that a task's strings can refer to.

    Args:
        run: The run.
        task: The attempt whose strings are resolved.
        url: The workspace's address.
        workspace_id: The workspace's id.
    """

    def __init__(self, run: RunRecord, task: TaskRecord, url: str, workspace_id: int) -> None:
        self._run = run
        self._task = task
        self._names: dict[str, Any] = {
            "job.id": run.job_id,
            "job.run_id": run.run_id,
            "job.name": run.run_name,
            "job.repair_count": len(run.history) - 1,
            "job.trigger.type": run.trigger.lower(),
            **_times("job.start_time", run.start_time),
            "task.run_id": task.run_id,
            "task.name": task.task_key,
            "task.execution_count": task.attempt_number + 1,
            "task.notebook_path": task.settings.get("notebook_task", {}).get("notebook_path", ""),
            "workspace.id": workspace_id,
            "workspace.url": url,
            "job_id": run.job_id,
            "run_id": task.run_id,
            "parent_run_id": run.run_id,
            "task_key": task.task_key,
            "task_retry_count": task.attempt_number,
            "start_date": _time(run.start_time).strftime("%Y-%m-%d"),
            "start_time": run.start_time,
            **{f"job.parameters.{name}": value for name, value in run.job_parameters.items()},
        }
        if task.parent is not None:
            self._names |= _input_names(task.input)

    def resolve(self, value: Any) -> Any:
        """Return `value` with every reference in its strings, at any depth, replaced by its value.

        Raises:
            UnresolvedReferenceError: A reference has no value.
        """
        if isinstance(value, str):
            return _REFERENCE.sub(self._replaced, value)
        if isinstance(value, dict):
            return {name: self.resolve(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        return value

    def _replaced(self, match: re.Match[str]) -> str:
        name = match[1]
        if name in self._names:
            return _as_text(self._names[name])
        other = _OTHER_TASK.fullmatch(name)
        if other:
            return self._of_task(other[1] or other[2], other[3], match[0])
        if name.startswith(_NAME_SPACES):
            raise _unresolved(match[0])
        return match[0]

    def _of_task(self, task_key: str, name: str, reference: str) -> str:
        task = self._run.current.get(task_key)
        if task is None or not task.state.is_terminal:
            raise _unresolved(reference)
        if name.startswith("values."):
            key = name.removeprefix("values.")
            if key not in task.output.values:
                raise _unresolved(reference)
            return _as_text(task.output.values[key])
        names: Mapping[str, Any] = {
            "run_id": task.run_id,
            "result_state": (task.state.result_state or "").lower(),
            "error_code": task.state.code if task.state.failed else "",
            "execution_count": task.attempt_number + 1,
            "notebook_path": task.settings.get("notebook_task", {}).get("notebook_path", ""),
            **({"outcome": task.outcome} if task.outcome is not None else {}),
        }
        if name not in names:
            raise _unresolved(reference)
        return _as_text(names[name])


def notebook_parameters(run: RunRecord, task: TaskRecord, references: References) -> dict[str, str]:
    """Return a notebook's widgets: `base_parameters`, replaced by `notebook_params`, replaced by job parameters.

    Raises:
        UnresolvedReferenceError: A reference has no value.
    """
    own: dict[str, str] = task.settings["notebook_task"].get("base_parameters", {})
    given = {**own, **run.overrides.get("notebook_params", {}), **run.job_parameters}
    resolved: dict[str, str] = references.resolve(given)
    return resolved


def python_parameters(run: RunRecord, task: TaskRecord, references: References) -> list[str]:
    """Return a Python file's arguments: the `python_params` of `run-now`, or else its own `parameters`.

    Raises:
        UnresolvedReferenceError: A reference has no value.
    """
    own: list[str] = task.settings["spark_python_task"].get("parameters", [])
    resolved: list[str] = references.resolve(run.overrides.get("python_params") or own)
    return resolved


def _times(name: str, milliseconds: int) -> dict[str, Any]:
    time = _time(milliseconds)
    return {f"{name}.{form}": tell(time) for form, tell in _TIMES.items()}


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def _input_names(value: Any) -> dict[str, Any]:
    """Return `input`, and `input.key` for each key of an input that is an object."""
    keys = {f"input.{key}": item for key, item in value.items()} if isinstance(value, dict) else {}
    return {"input": value, **keys}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value)


def _unresolved(reference: str) -> UnresolvedReferenceError:
    return UnresolvedReferenceError(text("unresolved_reference", reference=reference))
