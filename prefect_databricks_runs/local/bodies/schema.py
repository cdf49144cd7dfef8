"""The shapes of request bodies, and reading a body as tolerantly as Databricks does.

Integers may come as strings and booleans as the words `true` and `false`, in any case; `null` means that a field is not
there; a map may come as a list of keys and values; fields that are not known pass through as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..web.errors import ApiError, invalid, malformed

INT32_LIMIT = 2**31
INT64_LIMIT = 2**63
# What protobuf, which Databricks reads its JSON with, allows by itself. Far below what Python can write back.
MAX_DEPTH = 100

_ENTRY = ("key", "value")
_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class Scalar:
    """A single value.

    Attributes:
        name: what the error calls it.
        read: returns the value as its own type; raises ValueError when it is not one.
    """

    name: str
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Choice:
    """One of a few words, in capitals as they are written here."""

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
        fields: the kind of each field that is checked.
        required: the fields that must be there.
    """

    fields: Mapping[str, Kind] = field(default_factory=dict)
    required: tuple[str, ...] = ()


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
    if isinstance(value, float) and not value.is_integer():  # infinity is not one either
        raise ValueError
    return int(value)


def _read_boolean(value: Any) -> bool:
    word = str(value).lower() if isinstance(value, bool | str) else ""
    if word not in {"true", "false"}:
        raise ValueError
    return word == "true"


STRING = Scalar("string", _read_string)
INT32 = Scalar("integer", _read_integer(INT32_LIMIT))
INTEGER = Scalar("integer", _read_integer(INT64_LIMIT))
BOOLEAN = Scalar("boolean", _read_boolean)


def read(value: Any, kind: Kind, name: str = "") -> Any:
    """Return `value` as `kind`, with tolerated spellings turned to their own types. `value` itself is not changed.

    Args:
        value: what came, as parsed from JSON.
        kind: what it should be.
        name: the field's name, for the error; empty for the whole body.

    Raises:
        ApiError: it is something else (`MALFORMED_REQUEST`), or a required field is missing or a word is none of those
            that may be there (`INVALID_PARAMETER_VALUE`). A whole body may also be nested too deeply.
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
        if required not in given:
            raise invalid("missing_field", field=prefix + required)
    known = {key: read(given[key], kind.fields[key], prefix + key) for key in given if key in kind.fields}
    return {**given, **known}


def _entry(item: Any, name: str) -> tuple[str, Any]:
    """Return the key and the value of one entry of a map that came as a list."""
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
