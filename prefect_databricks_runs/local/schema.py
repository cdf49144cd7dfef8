"""The shapes of request bodies, and reading a body as tolerantly as Databricks does.

Integers may come as strings of digits and booleans as the words `true` and `false`, in any case; `null` means that a
field is not there; fields that are not known pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ApiError, invalid, malformed

INT64_LIMIT = 2**63


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


Kind = Scalar | ListOf | MapOf | Object


def _read_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _read_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    number = int(value)
    if (isinstance(value, float) and number != value) or abs(number) >= INT64_LIMIT:
        raise ValueError
    return number


def _read_boolean(value: Any) -> bool:
    word = str(value).lower()
    if not isinstance(value, bool | str) or word not in {"true", "false"}:
        raise ValueError
    return word == "true"


STRING = Scalar("string", _read_string)
INTEGER = Scalar("integer", _read_integer)
BOOLEAN = Scalar("boolean", _read_boolean)


def read(value: Any, kind: Kind, name: str = "") -> Any:
    """Returns `value` as `kind`, with tolerated spellings turned to their own types. `value` itself is not changed.

    Args:
        value: what came, as parsed from JSON.
        kind: what it should be.
        name: the field's name, for the error; empty for the whole body.

    Raises:
        ApiError: it is something else (`MALFORMED_REQUEST`), or a required field is missing.
    """
    if isinstance(kind, Scalar):
        try:
            return kind.read(value)
        except ValueError:
            raise _wrong_type(kind.name, name, value) from None
    if isinstance(kind, ListOf):
        if not isinstance(value, list):
            raise _wrong_type("array", name, value)
        return [read(item, kind.item, f"{name}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        raise _wrong_type("object", name, value)
    if isinstance(kind, MapOf):
        return {key: read(item, kind.value, f"{name}.{key}") for key, item in value.items() if item is not None}
    return _read_object(value, kind, name)


def _read_object(value: dict[str, Any], kind: Object, name: str) -> dict[str, Any]:
    prefix = f"{name}." if name else ""
    given = {key: item for key, item in value.items() if item is not None}
    for required in kind.required:
        if required not in given:
            raise invalid("missing_field", field=prefix + required)
    known = {key: read(given[key], kind.fields[key], prefix + key) for key in given if key in kind.fields}
    return {**given, **known}


def _wrong_type(expected: str, name: str, value: Any) -> ApiError:
    return malformed("wrong_type", expected=expected, field=name, found=_json_type(value))


def _json_type(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "BOOLEAN"
    names = {str: "STRING", int: "NUMBER", float: "NUMBER", list: "ARRAY", dict: "OBJECT"}
    return names[type(value)]
