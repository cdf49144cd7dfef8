"""Builds the request bodies that start a run: merge, fill placeholders, turn into JSON, check."""

# ruff: noqa: SIM905  -- as a literal the long set of names takes a line a name

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from pathlib import PurePath
from sys import float_info
from typing import Any
from uuid import UUID

from ..errors import InvalidPayload
from ..fields import RunNowFields, SubmitRunFields
from .checks import UNREADABLE, check_run_now, check_submit_run
from .spelling import misspelt_keys
from .templates import as_text, fill, find, is_lasting


class _Shape(Enum):
    """How the Jobs API types a field, where that changes what is sent."""

    TEXTS = auto()  # a map or list of strings
    LOOSE = auto()  # a value on its way to a string: dates, decimals, … are welcome
    ID = auto()  # an int64, which may come as digits


_RUN_NOW: dict[str, Any] = {
    "job_id": _Shape.ID,
    **dict.fromkeys(("job_parameters", "notebook_params", "python_named_params", "sql_params"), _Shape.TEXTS),
    **dict.fromkeys(("jar_params", "python_params", "spark_submit_params", "dbt_commands"), _Shape.TEXTS),
}
_TASK: dict[str, Any] = {
    "notebook_task": {"base_parameters": _Shape.TEXTS},
    "python_wheel_task": {"parameters": _Shape.TEXTS, "named_parameters": _Shape.TEXTS},
    "dbt_task": {"commands": _Shape.TEXTS},
    "run_job_task": _RUN_NOW,
    "spark_jar_task": {"parameters": _Shape.TEXTS},
    "spark_python_task": {"parameters": _Shape.TEXTS},
    "spark_submit_task": {"parameters": _Shape.TEXTS},
    "sql_task": {"parameters": _Shape.TEXTS},
}
_TASK["for_each_task"] = {"task": _TASK}
_SUBMIT_RUN = {"tasks": _TASK}

# Beside the task objects. What a run and a task both have (time-out, notifications, health) stays with the run.
_TASK_FIELDS = frozenset(
    "task_key depends_on run_if disabled new_cluster existing_cluster_id job_cluster_key libraries environment_key "
    "environment_variables_key compute max_retries min_retry_interval_millis retry_on_timeout "
    "disable_auto_optimization".split()
)
_MAX_DEPTH = 100  # protobuf, which Databricks reads bodies with, stops there too
_MAX_ID_DIGITS = 19


def build_submit_run(json: Any, fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Build the body of `POST /api/2.2/jobs/runs/submit`.

    Args:
        json: The body as a mapping or as an object with `as_dict()` or `model_dump()`, or None. Keys that are not known
            pass. Never changed.
        fields: Named fields, see `SubmitRunFields`. Each replaces the same key of `json`, unless it is None.
        values: Values of `{{ prefect.… }}` placeholders by path, such as `prefect.flow_run.name`.

    Returns:
        A new dict of JSON values, always with `tasks`: the fields of one task become the task `main`.

    Raises:
        InvalidPayload: Naming every fault.
    """
    build = _Build(values)
    body = build.one_task(build.merged(json, fields, SubmitRunFields.__optional_keys__))
    return build.finished(body, _SUBMIT_RUN, check_submit_run, "runs/submit")


def build_run_now(json: Any, fields: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Build the body of `POST /api/2.2/jobs/run-now`.

    Args:
        json: The body as a mapping or as an object with `as_dict()` or `model_dump()`, or None. Keys that are not known
            pass. Never changed.
        fields: Named fields, see `RunNowFields`. Each replaces the same key of `json`, unless it is None;
            `notebook_params` are merged key by key.
        values: Values of `{{ prefect.… }}` placeholders by path, such as `prefect.flow_run.name`.

    Returns:
        A new dict of JSON values.

    Raises:
        InvalidPayload: Naming every fault.
    """
    build = _Build(values)
    body = build.merged(json, fields, RunNowFields.__optional_keys__, merged_key="notebook_params")
    return build.finished(body, _RUN_NOW, check_run_now, "run-now")


def lasting_payload(
    build: Callable[[Any, Mapping[str, Any], Mapping[str, Any]], dict[str, Any]],
    json: Any,
    fields: Mapping[str, Any],
    values: Mapping[str, Any],
    payload: dict[str, Any],
) -> dict[str, Any]:
    """The body as far as it is the same in each attempt at it: placeholders that name the attempt stay as they are.

    Args:
        build: `build_submit_run` or `build_run_now`.
        json: As for these.
        fields: As for these.
        values: As for these.
        payload: What it has built with all values.
    """
    passing = {path: f"{{{{ {path} }}}}" for path in values if not is_lasting(path)}
    if not passing.keys() & placeholders(json, fields):
        return dict(payload)
    try:
        return build(json, fields, {**values, **passing})
    except InvalidPayload:  # a number is asked for where the placeholder is
        return dict(payload)


def placeholders(json: Any, fields: Mapping[str, Any]) -> set[str]:
    """Name the placeholders of Prefect that occur in any string, such as `prefect.variables.cluster`.

    Args:
        json: As for `build_submit_run` and `build_run_now`. What they find faulty is passed over.
        fields: As for these.

    Returns:
        The paths, known or not.
    """
    build = _Build({})
    for part in (json, fields):
        build.plain(part, "")
    return build.paths


class _Build:
    """One body on its way: what is found wrong is collected, and said at the end."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.faults: list[str] = []
        self.paths: set[str] = set()
        self._around: list[int] = []
        self._values = {
            path: self.plain(value, f"`{{{{ {path} }}}}`", _Shape.LOOSE, scan=False) for path, value in values.items()
        }

    def merged(
        self, json: Any, fields: Mapping[str, Any], names: frozenset[str], merged_key: str = ""
    ) -> dict[str, Any]:
        """Lay the named fields over `json`, key by key in the field `merged_key`."""
        body = {**self._mapping(json, "json")} if json is not None else {}
        for name, value in fields.items():
            if name not in names:
                self.faults.append(
                    f"{name}: is no parameter of this call; correct the name, or put the field in `json`."
                )
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
            self.faults.append(f"tasks: cannot go with {', '.join(names)}; put these into the task they are for.")
            return rest
        return {**rest, "tasks": [{"task_key": "main", **task}]} if task else rest

    def finished(
        self, body: dict[str, Any], shape: dict[str, Any], check: Callable[[dict[str, Any]], list[str]], endpoint: str
    ) -> dict[str, Any]:
        """Turn the body into JSON, check it, and raise what was found on the way."""
        payload: dict[str, Any] = self.plain(body, "", shape)
        faults = [*self.faults, *check(payload)]
        if faults:
            misspelt = [each.as_fault() for each in misspelt_keys(payload, endpoint)]  # often the cause
            raise InvalidPayload([*faults, *misspelt], endpoint)
        return payload

    def plain(self, value: Any, path: str, shape: Any = None, *, scan: bool = True) -> Any:
        """A copy of a value in plain JSON; where that cannot be, `UNREADABLE`, and a fault is kept.

        Args:
            value: Anything.
            path: Where it stands, such as `tasks[0].notebook_task`.
            shape: A `_Shape`, a dict of the shapes of its keys (for a list: of its items' keys), or None.
            scan: Whether strings are looked through for placeholders.
        """
        mark = id(value)
        value = self._unwrapped(value, path)
        if scan and isinstance(value, str):
            self.paths.update(find(value))
            value = fill(value, self._values, lambda fault: self._fault(path, fault))
            scan = False  # what was filled in is not looked through
        if shape is _Shape.ID:
            return self._id(value, path)
        if not isinstance(value, (Mapping, list, tuple)):
            return self._scalar(value, path, loose=shape is _Shape.LOOSE)
        if mark in self._around:
            return self._fault(path, "contains itself; give a value without a circle.")
        if len(self._around) >= _MAX_DEPTH:
            return self._fault(path, f"lies more than {_MAX_DEPTH} levels deep; give a flatter value.")
        self._around.append(mark)
        try:
            if isinstance(value, Mapping):
                return self._map(value, path, shape, scan)
            return self._list(value, path, shape, scan)
        finally:
            self._around.pop()

    def _map(self, value: Mapping[Any, Any], path: str, shape: Any, scan: bool) -> dict[str, Any]:
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self._fault(path, f"has a key of type {type(key).__name__}; use text.")
            elif self._scalar(key, path) is not UNREADABLE:
                below = shape.get(key) if isinstance(shape, dict) else shape
                plain = self._item(item, f"{path}.{key}" if path else key, shape, below, scan)
                if plain is not None:  # None says "not set", to us and to the Jobs API
                    result[key] = plain
        return result

    def _list(self, value: Sequence[Any], path: str, shape: Any, scan: bool) -> list[Any]:
        result = [self._item(item, f"{path}[{index}]", shape, shape, scan) for index, item in enumerate(value)]
        if shape is _Shape.TEXTS and None in result:
            self._fault(path, "has a null among its texts; leave it out.")
        return result

    def _item(self, item: Any, path: str, around: Any, shape: Any, scan: bool) -> Any:
        if around is not _Shape.TEXTS:
            return self.plain(item, path, shape, scan=scan)
        plain = self.plain(item, path, _Shape.LOOSE, scan=scan)
        return plain if plain is None or plain is UNREADABLE else as_text(plain)

    def _unwrapped(self, value: Any, path: str) -> Any:
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, (str, Mapping, list, tuple, type)):
            return value
        for name in ("as_dict", "model_dump"):
            method = getattr(value, name, None)
            if callable(method):
                try:
                    return method()
                except Exception as error:
                    kind, reason = type(value).__name__, type(error).__name__
                    return self._fault(path, f"{kind}.{name}() raised {reason}; give a plain dict instead.")
        return value

    def _scalar(self, value: Any, path: str, *, loose: bool = False) -> Any:
        if loose and isinstance(value, date):
            return value.isoformat()
        if loose and isinstance(value, (Decimal, UUID, PurePath)):
            return str(value)
        fault = _not_json(value)
        return self._fault(path, fault) if fault else value

    def _id(self, value: Any, path: str) -> Any:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_ID_DIGITS:
            return int(value)
        if value is None or value is UNREADABLE or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        return self._fault(path, f"must be a whole number, not of type {type(value).__name__}; give the job's number.")

    def _mapping(self, value: Any, path: str) -> Mapping[Any, Any]:
        found = self._unwrapped(value, path)
        if not isinstance(found, Mapping):
            if found is not UNREADABLE:
                self._fault(path, f"must be a dict or an object with as_dict(), not of type {type(value).__name__}.")
            return {}
        return found

    def _laid_over(self, below: Any, value: Any, path: str) -> dict[Any, Any]:
        return {**self._mapping(below, path), **_without_none(self._mapping(value, path))}

    def _fault(self, path: str, fault: str) -> Any:
        self.faults.append(f"{path}: {fault}")
        return UNREADABLE


def _without_none(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _not_json(value: Any) -> str:
    """Say why a value that is no container cannot be sent; empty if it can."""
    if value is None or value is UNREADABLE:
        return ""
    if isinstance(value, str):
        # Half of a surrogate pair is the one thing that a str holds and UTF-8 cannot say.
        return "" if value == value.encode("utf-8", "ignore").decode() else "holds broken text; give text in UTF-8."
    if isinstance(value, (int, float)):
        # The Jobs API reads no longer number, and Python refuses to write an int of thousands of digits.
        return "" if abs(value) <= float_info.max else "is no number of JSON; give a finite one of usual length."
    return f"is of type {type(value).__name__}, which JSON does not have; turn it into text first."
