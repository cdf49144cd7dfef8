"""Turns what users give into plain JSON, and finds the placeholders in it: one walk for both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from pathlib import PurePath
from sys import float_info
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from .checks import UNREADABLE
from .placeholders import as_text, fill, find

Faults: TypeAlias = list[tuple[float, str]]  # with the place of each among all that was read
_MAX_DEPTH = 100  # protobuf, which Databricks reads bodies with, stops there too
_MAX_ID_DIGITS = 19
_NULL_AMONG_TEXTS = "has a null among its texts; leave it out."


class Shape(Enum):
    """How the Jobs API types a field, where that changes what is sent."""

    TEXTS = auto()  # a map or list of strings
    LOOSE = auto()  # a value on its way to a string: dates, decimals, … are welcome
    ID = auto()  # an int64, which may come as digits


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        path: For people, such as `tasks[0].task_key`.
        keys: From the body to it.
        around: The path of the map or list that it stands in.
    """

    path: str = ""
    keys: tuple[str | int, ...] = ()
    around: str = ""

    def below(self, key: str | int) -> Place:
        """Return the place of an item of a map or list that stands here."""
        path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}" if self.path else key
        return Place(path, (*self.keys, key), self.path)


@dataclass(frozen=True)
class Slot:
    """A text with placeholders in it, or a map or list that has some and becomes a text.

    Attributes:
        content: The text, or the map or list in plain JSON.
        place: Where it stands.
        shape: How what is filled in is read.
        is_text: Whether it must be a text in the end.
        depth: How many levels deep it lies.
        order: Its place among all that was read.
        inner: The slots in a map or list.
    """

    content: Any
    place: Place
    shape: Any
    is_text: bool
    depth: int
    order: float
    inner: tuple[Slot, ...] = ()

    @property
    def placeholders(self) -> Iterator[str]:
        """The paths of its placeholders."""
        return (path for slot in self.inner for path in slot.placeholders) if self.inner else find(self.content)

    def fill(self, values: Mapping[str, Any], faults: Faults) -> Any:
        """Put values in the place of the placeholders, and read the result.

        Args:
            values: Plain JSON by the placeholder's path.
            faults: Gets what is wrong.
        """
        if self.inner:
            return _text_of(filled(self.content, self.inner, values, faults, len(self.place.keys)))
        value = fill(self.content, values, lambda fault: faults.append((self.order, f"{self.place.path}: {fault}")))
        reader = Reader(self.depth)
        plain = reader.plain(value, self.place, self.shape)
        if self.is_text:
            plain = _text_of(plain)
            if plain is None and isinstance(self.place.keys[-1], int):
                reader.fault(self.place.around, _NULL_AMONG_TEXTS)
        faults += [(self.order, fault) for _, fault in reader.faults]
        return plain


def filled(body: Any, slots: Iterable[Slot], values: Mapping[str, Any], faults: Faults, depth: int = 0) -> Any:
    """Fill the slots of a body, of which only what stands around them is copied.

    Args:
        body: Plain JSON; not changed.
        slots: Its slots.
        values: Plain JSON by the placeholder's path.
        faults: Gets what is wrong.
        depth: How many keys lead to it.

    Returns:
        A new body.
    """
    whole = copy(body)
    copied: dict[tuple[str | int, ...], Any] = {(): whole}

    def around(keys: tuple[str | int, ...]) -> Any:
        if keys not in copied:
            outer = around(keys[:-1])
            copied[keys] = outer[keys[-1]] = copy(outer[keys[-1]])
        return copied[keys]

    for slot in slots:
        *outer, key = slot.place.keys[depth:]
        value, container = slot.fill(values, faults), around(tuple(outer))
        if value is None and isinstance(container, dict):  # None says "not set", to us and to the Jobs API
            del container[key]
        else:
            container[key] = value
    return whole


class Reader:
    """Reads values of any kind as plain JSON: what is found wrong is kept, and said at the end.

    Args:
        depth: How deep what is read lies in something else.
        scan: Whether to look for placeholders.

    Attributes:
        faults: What is wrong, and where among all that was read.
        slots: The texts with placeholders in them, which are left as they are.
    """

    def __init__(self, depth: int = 0, *, scan: bool = False) -> None:
        self.faults: Faults = []
        self.slots: list[Slot] = []
        self._depth, self._scan = depth, scan
        self._around: list[int] = []
        self._read = 0

    def plain(self, value: Any, place: Place, shape: Any = None, *, is_text: bool = False) -> Any:
        """Copy a value in plain JSON; where that cannot be it is `UNREADABLE`, and a fault is kept.

        Args:
            value: Anything.
            place: Where it stands.
            shape: A `Shape`, a dict of the shapes of its keys (for a list: of its items' keys), or None.
            is_text: Whether what is filled in must be a text in the end.
        """
        mark = id(value)
        value = self.unwrapped(value, place.path)
        if self._scan and isinstance(value, str) and next(find(value), None):
            self.slots.append(Slot(value, place, shape, is_text, self._depth + len(self._around), self._next()))
            return value
        if shape is Shape.ID:
            return self._id(value, place.path)
        if not isinstance(value, (Mapping, list, tuple)):
            return self._scalar(value, place.path, loose=shape is Shape.LOOSE)
        return self._container(value, mark, place, shape)

    def _container(
        self, value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], mark: int, place: Place, shape: Any
    ) -> Any:
        if mark in self._around:
            return self.fault(place.path, "contains itself; give a value without a circle.")
        if self._depth + len(self._around) >= _MAX_DEPTH:
            return self.fault(place.path, f"lies more than {_MAX_DEPTH} levels deep; give a flatter value.")
        self._around.append(mark)
        try:
            return self._map(value, place, shape) if isinstance(value, Mapping) else self._list(value, place, shape)
        finally:
            self._around.pop()

    def _map(self, value: Mapping[Any, Any], place: Place, shape: Any) -> dict[str, Any]:
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self.fault(place.path, f"has a key of type {type(key).__name__}; use text.")
            elif self._scalar(key, place.path) is not UNREADABLE:
                below = shape.get(key) if isinstance(shape, dict) else shape
                plain = self._item(item, place.below(key), shape, below)
                if plain is not None:  # None says "not set", to us and to the Jobs API
                    result[key] = plain
        return result

    def _list(self, value: Sequence[Any], place: Place, shape: Any) -> list[Any]:
        result = [self._item(item, place.below(index), shape, shape) for index, item in enumerate(value)]
        if shape is Shape.TEXTS and None in result:
            self.fault(place.path, _NULL_AMONG_TEXTS)
        return result

    def _item(self, item: Any, place: Place, around: Any, shape: Any) -> Any:
        if around is not Shape.TEXTS:
            return self.plain(item, place, shape)
        slots = len(self.slots)
        plain = self.plain(item, place, Shape.LOOSE, is_text=True)
        if isinstance(plain, (dict, list)) and len(self.slots) > slots:
            inner = tuple(self.slots[slots:])
            self.slots[slots:] = [Slot(plain, place, Shape.LOOSE, True, inner[0].depth, inner[0].order, inner)]
            return plain
        return _text_of(plain)

    def unwrapped(self, value: Any, path: str) -> Any:
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
                    return self.fault(path, f"{kind}.{name}() raised {reason}; give a plain dict instead.")
        return value

    def _scalar(self, value: Any, path: str, *, loose: bool = False) -> Any:
        if loose and isinstance(value, (date, Decimal, UUID, PurePath)):
            try:
                return value.isoformat() if isinstance(value, date) else str(value)
            except Exception:  # of a subclass
                return self.fault(path, f"is of type {type(value).__name__}, which does not turn into text; give text.")
        fault = _not_json(value)
        return self.fault(path, fault) if fault else _bare(value)

    def _id(self, value: Any, path: str) -> Any:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_ID_DIGITS:
            return int(value)
        if value is None or value is UNREADABLE or (isinstance(value, int) and not isinstance(value, bool)):
            return _bare(value)
        return self.fault(path, f"must be a whole number, not of type {type(value).__name__}; give the job's number.")

    def fault(self, path: str, fault: str) -> Any:
        """Keep what is wrong with a value, and give what stands for it."""
        self.faults.append((self._next(), f"{path}: {fault}"))
        return UNREADABLE

    def _next(self) -> int:
        self._read += 1
        return self._read


def _text_of(plain: Any) -> Any:
    return plain if plain is None or plain is UNREADABLE else as_text(plain)


def _bare(value: Any) -> Any:
    """Give a text or number of a subclass as one of the class itself, which can be shown whatever the subclass does."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return value if isinstance(value, bool) else int.__pos__(value)
    if isinstance(value, float):
        return float.__pos__(value)
    return value


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
