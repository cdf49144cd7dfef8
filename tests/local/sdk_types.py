"""An answer held against the dataclasses of databricks-sdk: every key, and every value with its type."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Any

from databricks.sdk.service import jobs

# Keys that answers of Databricks have and the SDK has not, by their class.
UNKNOWN_TO_SDK: dict[type, set[str]] = {jobs.Run: {"format"}, jobs.BaseRun: {"format"}}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def misfits(value: Any, kind: Any, place: str = "") -> Iterator[str]:
    """What does not fit: keys that the class does not have, and values of another type than it says."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        yield from misfits(value, next(each for each in args if each is not type(None)), place)
    elif origin in (list, dict):
        if isinstance(value, origin):
            for key, each in value.items() if origin is dict else enumerate(value):
                yield from misfits(each, args[-1], f"{place}[{key}]")
        else:
            yield f"{place}: {value!r} is not of type {origin.__name__}"
    elif dataclasses.is_dataclass(kind):
        yield from _of_class(value, typing.cast("type", kind), place)
    elif inspect.isclass(kind) and issubclass(kind, Enum):
        if value not in {each.value for each in kind}:
            yield f"{place}: {value!r} is not one of {kind.__name__}"
    elif kind is not Any and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        yield f"{place}: {value!r} is not of type {kind.__name__}"


def _of_class(value: Any, kind: type, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is not an object"
        return
    hints = _hints(kind)
    for key, each in value.items():
        if key in hints:
            yield from misfits(each, hints[key], f"{place}.{key}")
        elif key not in UNKNOWN_TO_SDK.get(kind, set()):
            yield f"{place}.{key}: {kind.__name__} has no such field"
    for field in dataclasses.fields(kind):
        if field.default is dataclasses.MISSING and field.name not in value:
            yield f"{place}.{field.name}: is missing"
