"""The shapes of request bodies, and a reader that is as tolerant as Databricks.

An integer may be a string, and a boolean the word `true` or `false` in any case; `null` is the same as a missing field;
a map of strings may have numbers and booleans as values, and may be a list of keys and values; unknown fields are kept
as they are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..web.errors import ApiError, invalid, malformed

INT32_LIMIT = 2**31
INT64_LIMIT = 2**63
# The default of protobuf, with which Databricks reads its JSON. It is far below the depth that Python can write back.
MAX_DEPTH = 100

_ENTRY = ("key", "value")
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class Scalar:
    """A single value.

    Attributes:
        name: The name of the type in errors.
        read: Returns the value as its own type; raises ValueError for a value of another type.
    """

    name: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Choice:
    """One of a few words, in upper case as they are written here."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class ListOf:
    """A list of one kind."""

    item: Kind


@dataclass(frozen=True)
class MapOf:
    """An object with any keys and values of one kind."""

    value: Kind


@dataclass(frozen=True)
class Object:
    """An object with known fields.

    Attributes:
        fields: The kind of each field that is checked.
        required: The required fields.
        filled: The required fields for which an empty string counts as missing.
    """

    fields: Mapping[str, Kind] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()


Kind = Scalar | Choice | ListOf | MapOf | Object


def _read_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _read_integer(limit: int) -> Callable[[Any], int]:
    def read_integer(value: Any) -> int:
        number = _as_integer(value)
        if not -limit <= number < limit:
            raise ValueError
        return number

    return read_integer


def _as_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if isinstance(value, str):
        if _WHOLE.fullmatch(value):
            return int(value)
        if not _DECIMAL.fullmatch(value):
            raise ValueError
        value = float(value)
    if isinstance(value, float) and not value.is_integer():  # also refuses infinity
        raise ValueError
    return int(value)


def _read_text(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return _read_string(value)


def _read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError
    number = float(value)  # an int that is too large for a float raises an error too
    if not math.isfinite(number):
        raise ValueError
    return number


def _read_boolean(value: Any) -> bool:
    word = str(value).lower() if isinstance(value, bool | str) else ""
    if word not in {"true", "false"}:
        raise ValueError
    return word == "true"


STRING = Scalar("string", _read_string)
INT32 = Scalar("integer", _read_integer(INT32_LIMIT))
INTEGER = Scalar("integer", _read_integer(INT64_LIMIT))
# A value of a map: Databricks keeps a number or a boolean there as its JSON string.
TEXT = Scalar("string", _read_text)
FLOAT = Scalar("number", _read_float)
BOOLEAN = Scalar("boolean", _read_boolean)


def read(value: Any, kind: Kind, name: str = "") -> Any:
    """Return `value` as `kind`, with tolerated spellings converted. `value` itself is not changed.

    Args:
        value: The value, as parsed from JSON.
        kind: The kind that it should have.
        name: The field's name, for the error; empty for the whole body.

    Raises:
        ApiError: The value is of another kind, or a whole body is nested too deeply (`MALFORMED_REQUEST`); or a
            required field is missing, or a word is not one of its choices (`INVALID_PARAMETER_VALUE`).
    """
    if not name:
        _check_depth(value)
    if isinstance(kind, Scalar):
        return _read_scalar(value, kind, name)
    if isinstance(kind, Choice):
        return _read_choice(value, kind, name)
    if isinstance(kind, ListOf):
        if not isinstance(value, list):
            raise _wrong_type("array", name, value)
        return [read(item, kind.item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(kind, MapOf) and isinstance(value, list):
        value = dict(_entry(item, name) for item in value)
    if not isinstance(value, dict):
        raise _wrong_type("object", name, value)
    if isinstance(kind, MapOf):
        return {key: read(item, kind.value, f"{name}.{key}") for key, item in value.items() if item is not None}
    return _read_object(value, kind, name)


def _read_scalar(value: Any, kind: Scalar, name: str) -> Any:
    try:
        return kind.read(value)
    except ValueError:
        raise _wrong_type(kind.name, name, value) from None


def _read_choice(value: Any, kind: Choice, name: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type("string", name, value)
    if value not in kind.words:
        raise invalid("bad_choice", field=name, choices=", ".join(kind.words), found=value[:100])
    return value


def _read_object(value: dict[str, Any], kind: Object, name: str) -> dict[str, Any]:
    prefix = f"{name}." if name else ""
    given = {key: item for key, item in value.items() if item is not None}
    for required in kind.required:
        if required not in given or (required in kind.filled and given[required] == ""):
            raise invalid("missing_field", field=prefix + required)
    known = {key: read(given[key], kind.fields[key], prefix + key) for key in given if key in kind.fields}
    return {**given, **known}


def _entry(item: Any, name: str) -> tuple[str, Any]:
    """Return the key and the value of one entry of a map that was sent as a list."""
    entry = item if isinstance(item, dict) else {}
    there = {part: entry[part] for part in _ENTRY if entry.get(part) is not None}
    if len(there) < len(_ENTRY):
        found = " ".join(f"{part}: {json.dumps(given)}" for part, given in there.items())
        raise malformed("not_a_map_entry", field=_last_part(name), found=found)
    return _read_scalar(there["key"], STRING, f"{name}.key"), there["value"]


def _last_part(name: str) -> str:
    return name.rpartition(".")[2]


def _check_depth(body: Any) -> None:
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise malformed("too_deep", limit=MAX_DEPTH)


def _inner(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]


def _wrong_type(expected: str, name: str, value: Any) -> ApiError:
    return malformed("wrong_type", expected=expected, field=name, found=_json_type(value))


def _json_type(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "BOOLEAN"
    names = {str: "STRING", int: "NUMBER", float: "NUMBER", list: "ARRAY", dict: "OBJECT"}
    return names[type(value)]
