"""Reads what a call gives into the template of a request that starts a run."""

# ruff: noqa: SIM905  -- as a literal the long set of names takes a line a name

from collections.abc import Callable, Mapping
from typing import Any

from ..fields import RunNowFields, SubmitRunFields
from .checks import UNREADABLE, check_run_now, check_submit_run
from .plain import Place, Reader, Shape
from .template import Template

_RUN_NOW: dict[str, Any] = {
    "job_id": Shape.ID,
    **dict.fromkeys(("job_parameters", "notebook_params", "python_named_params", "sql_params"), Shape.TEXTS),
    **dict.fromkeys(("jar_params", "python_params", "spark_submit_params", "dbt_commands"), Shape.TEXTS),
}
_TASK: dict[str, Any] = {
    "notebook_task": {"base_parameters": Shape.TEXTS},
    "python_wheel_task": {"parameters": Shape.TEXTS, "named_parameters": Shape.TEXTS},
    "dbt_task": {"commands": Shape.TEXTS},
    "run_job_task": _RUN_NOW,
    "spark_jar_task": {"parameters": Shape.TEXTS},
    "spark_python_task": {"parameters": Shape.TEXTS},
    "spark_submit_task": {"parameters": Shape.TEXTS},
    "sql_task": {"parameters": Shape.TEXTS},
}
_TASK["for_each_task"] = {"task": _TASK}
_SUBMIT_RUN = {"tasks": _TASK}

# Beside the task objects. What a run and a task both have (time-out, notifications, health) stays with the run.
_TASK_FIELDS = frozenset(
    "task_key depends_on run_if disabled new_cluster existing_cluster_id job_cluster_key libraries environment_key "
    "environment_variables_key compute max_retries min_retry_interval_millis retry_on_timeout "
    "disable_auto_optimization".split()
)


def submit_run_template(json: Any, fields: Mapping[str, Any]) -> Template:
    """Read the body of `POST /api/2.2/jobs/runs/submit`.

    Args:
        json: The body as a mapping or as an object with `as_dict()` or `model_dump()`, or None. Keys that are not known
            pass. Never changed.
        fields: Named fields, see `SubmitRunFields`. Each replaces the same key of `json`, unless it is None.

    Returns:
        A template that has `tasks` always: the fields of one task become the task `main`.
    """
    build = _Build()
    body = build.one_task(build.merged(json, fields, SubmitRunFields.__optional_keys__))
    return build.finished(body, _SUBMIT_RUN, check_submit_run, "runs/submit")


def run_now_template(json: Any, fields: Mapping[str, Any]) -> Template:
    """Read the body of `POST /api/2.2/jobs/run-now`.

    Args:
        json: The body as a mapping or as an object with `as_dict()` or `model_dump()`, or None. Keys that are not known
            pass. Never changed.
        fields: Named fields, see `RunNowFields`. Each replaces the same key of `json`, unless it is None;
            `notebook_params` are merged key by key.
    """
    build = _Build()
    body = build.merged(json, fields, RunNowFields.__optional_keys__, merged_key="notebook_params")
    return build.finished(body, _RUN_NOW, check_run_now, "run-now")


class _Build:
    """One body on its way."""

    def __init__(self) -> None:
        self._reader = Reader(scan=True)

    def merged(
        self, json: Any, fields: Mapping[str, Any], names: frozenset[str], merged_key: str = ""
    ) -> dict[str, Any]:
        """Lay the named fields over `json`, key by key in the field `merged_key`."""
        body = {**self._mapping(json, "json")} if json is not None else {}
        for name, value in fields.items():
            if name not in names:
                self._reader.fault(name, "is no parameter of this call; correct the name, or put the field in `json`.")
            elif value is not None:
                merge = name == merged_key and body.get(name) is not None
                body[name] = self._laid_over(body[name], value, name) if merge else value
        return _without_none(body)

    def one_task(self, body: dict[str, Any]) -> dict[str, Any]:
        """Move the fields of one task, as API 2.0 has them at the top level, into `tasks`."""
        names = [key for key in body if isinstance(key, str) and (key in _TASK_FIELDS or key.endswith("_task"))]
        task = {key: body[key] for key in names}
        rest = {key: value for key, value in body.items() if key not in task}
        if task and "tasks" in rest:
            self._reader.fault("tasks", f"cannot go with {', '.join(names)}; put these into the task they are for.")
            return rest
        return {**rest, "tasks": [{"task_key": "main", **task}]} if task else rest

    def finished(
        self, body: dict[str, Any], shape: dict[str, Any], check: Callable[[dict[str, Any]], list[str]], endpoint: str
    ) -> Template:
        """Turn the body into JSON; what was found on the way is said when it is filled."""
        plain = self._reader.plain(body, Place(), shape)
        return Template(plain, tuple(self._reader.slots), tuple(self._reader.faults), check, endpoint)

    def _mapping(self, value: Any, path: str) -> Mapping[Any, Any]:
        found = self._reader.unwrapped(value, path)
        if not isinstance(found, Mapping):
            if found is not UNREADABLE:
                self._reader.fault(
                    path, f"must be a dict or an object with as_dict(), not of type {type(value).__name__}."
                )
            return {}
        return found

    def _laid_over(self, below: Any, value: Any, path: str) -> dict[Any, Any]:
        return {**self._mapping(below, path), **_without_none(self._mapping(value, path))}


def _without_none(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in fields.items() if value is not None}
