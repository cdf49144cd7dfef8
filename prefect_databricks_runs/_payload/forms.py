"""The forms of a value in a request: as it is read, its place, and as it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from enum import Enum, auto
from sys import float_info
from typing import Any, NamedTuple

from .looks import UNREADABLE
from .placeholders import as_text

_WHOLE_FLOATS = 2**53  # from here on, a float may represent another whole number


class Shape(Enum):
    """The type of a field in the Jobs API, if it changes what is sent."""

    TEXTS = auto()  # a map or list of strings
    LOOSE = auto()  # a value that becomes a string: dates, decimals, … are accepted
    ID = auto()  # an int64, which may come as digits
    # These change what is sent but not the request's idempotency token, which an upgrade must not change.
    SENT_TEXTS = auto()  # a map of strings, see `SENT_VALUE`
    SENT_VALUE = auto()  # a string in a map; a map or list is sent as a string, other values unchanged
    SENT_TEXT = auto()  # a string; anything else is sent as a string
    SENT_SCALAR = auto()  # a string; a number or bool is sent as a string, an invalid value unchanged
    SENT_WHOLE = auto()  # a whole number; a float that is whole is sent as an int


# The types that are sent unchanged.
SENT: dict[Shape, tuple[type[Any], ...]] = {
    Shape.SENT_VALUE: (str, bool, int, float),
    Shape.SENT_TEXT: (str,),
    Shape.SENT_SCALAR: (str, dict, list),
    Shape.SENT_WHOLE: (str, bool, int),
}


class Place(NamedTuple):
    """The place of a value.

    Attributes:
        path: The path to show, such as `tasks[0].task_key`.
        keys: The keys from the body to it.
        around: The path of the map or list that it is in.
    """

    path: str = ""
    keys: tuple[str | int, ...] = ()
    around: str = ""

    def below(self, key: str | int) -> Place:
        """Return the place of an item of the map or list at this place."""
        path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}" if self.path else key
        return Place(path, (*self.keys, key), self.path)


@dataclass(frozen=True)
class Late:
    """A value that is sent in another form than in the body that the idempotency token is made of.

    Attributes:
        keys: The keys from the body to it.
        shape: The shape that it is sent in.
    """

    keys: tuple[str | int, ...]
    shape: Shape


def as_sent(body: Any, late: Iterable[Late]) -> Any:
    """Return a body in the form in which it is sent; only the containers of a change are copied."""
    edited = Edited(body)
    for each in late:
        *outer, key = each.keys
        container = edited.around(tuple(outer))
        if key in container:  # only maps have such fields; a filled-in value may be None, and left out
            container[key] = _sent(container[key], each.shape)
    return edited.whole


def _sent(value: Any, shape: Shape) -> Any:
    if shape is Shape.SENT_WHOLE:
        return int(value) if is_whole(value) else value
    is_container = isinstance(value, (dict, list))
    if shape is Shape.SENT_SCALAR:
        return value if is_container else text_of(int(value) if is_whole(value) else value)  # of an id
    return text_of(value) if shape is Shape.SENT_TEXT or is_container else value


class Edited:
    """A body of which only the containers of an edit are copied."""

    def __init__(self, body: Any) -> None:
        self.whole = copy(body)
        self._copied: dict[tuple[str | int, ...], Any] = {(): self.whole}

    def around(self, keys: tuple[str | int, ...]) -> Any:
        """Return the map or list that these keys lead to, for changes."""
        if keys not in self._copied:
            outer = self.around(keys[:-1])
            self._copied[keys] = outer[keys[-1]] = copy(outer[keys[-1]])
        return self._copied[keys]


def is_whole(value: Any) -> bool:
    """Return whether a value is a float that is exactly a whole number, as in YAML and JSON of other programs."""
    return isinstance(value, float) and abs(value) < _WHOLE_FLOATS and value.is_integer()


def text_of(plain: Any) -> Any:
    """Convert plain JSON to a string; a value that is not set or has a fault stays."""
    return plain if plain is None or plain is UNREADABLE else as_text(plain)


def bare(value: Any) -> Any:
    """Convert a string or number of a subclass to the class itself, which can be shown whatever the subclass does."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return value if isinstance(value, bool) else int.__pos__(value)
    if isinstance(value, float):
        return float.__pos__(value)
    return value


def not_json(value: Any) -> str:
    """Return why a value that is not a container cannot be sent; empty if it can."""
    if value is None or value is UNREADABLE:
        return ""
    if isinstance(value, str):
        # Half of a surrogate pair is the only content of a str that UTF-8 cannot encode.
        return "" if value == value.encode("utf-8", "ignore").decode() else "has broken text; use valid UTF-8."
    if isinstance(value, (int, float)):
        # The Jobs API does not read longer numbers, and Python refuses to write an int of thousands of digits.
        return "" if abs(value) <= float_info.max else "is not a JSON number; use a finite number of usual length."
    return f"is of type {type(value).__name__}, which JSON does not have; convert it to a string first."
