"""Access to the fields of a request body of any shape, and the faults that many fields share."""
# ruff: noqa: SIM905  -- as literals, the long sets of names would take a line per name

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any, Final, TypeVar

T = TypeVar("T")

UNREADABLE: Final = object()
"""A placeholder in a payload for a value that already has a fault; the checks skip it."""

_LISTS = frozenset(
    "tasks access_control_list environments environment_variables depends_on libraries jar_params python_params "
    "spark_submit_params dbt_commands commands only".split()
)
_MAPS = frozenset(
    ("job_parameters", "notebook_params", "python_named_params", "sql_params", "base_parameters", "named_parameters")
)
_OBJECTS = _MAPS | frozenset(
    "git_source queue run_as health email_notifications webhook_notifications notification_settings new_cluster "
    "pipeline_params".split()
)


def size_of(owner: Mapping[str, Any], path: str, key: str, limit: int) -> Iterator[str]:
    """Yield the fault of a field that is longer than a limit."""
    if not given(owner, key):
        return
    text = dumps({key: owner[key]}, ensure_ascii=False, separators=(",", ":"), skipkeys=True, default=str)
    size = len(text.encode("utf-8", "replace"))
    if size > limit:
        yield f"{at(path, key)}: has {size:,} bytes as JSON, over the limit of {limit:,}; pass a file's path instead."


def timeout_of(owner: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the fault of a negative timeout."""
    seconds = owner.get("timeout_seconds")
    if isinstance(seconds, (int, float)) and seconds < 0:
        yield f"{at(path, 'timeout_seconds')}: {seconds} is negative; use seconds, or 0 for no timeout."


def at_most_one(owner: Mapping[str, Any] | None, path: str, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the fault of fields that exclude each other; an unreadable field may turn out not to be set."""
    found = [key for key in keys if owner is not None and given(owner, key) and owner.get(key) is not UNREADABLE]
    if len(found) > 1:
        yield f"{path or found[0]}: {listed(found, 'and')} exclude each other; set only one of them."


def types_of(owner: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the faults of fields that must be a list or an object in every context but are something else."""
    for key in owner:
        if key in _LISTS:
            yield from type_at(owner, path, key, list)
        elif key in _OBJECTS or is_task_object(key):
            yield from type_at(owner, path, key, dict)


def type_at(owner: Mapping[str, Any], path: str, key: str, expected: type[Any]) -> Iterator[str]:
    """Yield the fault of a field that is of another type."""
    value = owner.get(key)
    if value is not None and value is not UNREADABLE and not isinstance(value, expected):
        yield f"{at(path, key)}: must be {kind_of(expected())}, not {kind_of(value)}."


def kind_of(value: object) -> str:
    """Name a value's type in plain words."""
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "null" if value is None else type(value).__name__)


def is_task_object(key: object) -> bool:
    """Return whether a key is the key of a task object, known or not."""
    return isinstance(key, str) and key.endswith("_task")


def given(owner: object, key: str) -> bool:
    """Return whether a field is set: to the Jobs API an empty string, list or map is not, but an empty object is."""
    value = owner.get(key) if isinstance(owner, Mapping) else None
    return value is not None and value not in ("", []) and not (value == {} and key in _MAPS)


def get(owner: object, key: str, kind: type[T]) -> T | None:
    """Return a field of an object if it has the type."""
    value = owner.get(key) if isinstance(owner, Mapping) else None
    return value if isinstance(value, kind) else None


def at(path: str, key: str) -> str:
    """Return the path of a field."""
    return f"{path}.{key}" if path else key


def listed(names: list[str] | tuple[str, ...], word: str = "or") -> str:
    """Join names for a sentence."""
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
