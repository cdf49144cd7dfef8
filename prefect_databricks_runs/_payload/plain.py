"""Turning the user's input into plain JSON, and finding the placeholders in it, in one walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeAlias
from uuid import UUID

from ..errors import DatabricksError
from .forms import SENT, Edited, Late, Place, Shape, bare, is_whole, not_json, text_of
from .looks import UNREADABLE
from .placeholders import fill, find

Faults: TypeAlias = list[tuple[float, str]]  # each with its position among all values that were read
_MAX_DEPTH = 100  # also the limit of protobuf, with which Databricks reads bodies
_MAX_ID_DIGITS = 19
_NULL_AMONG_TEXTS = "has a null among its strings; leave it out."


@dataclass(frozen=True)
class Slot:
    """A string with placeholders, or a map or list with placeholders that becomes a string.

    Attributes:
        content: The string, or the map or list in plain JSON.
        place: Its place.
        shape: The shape as which the filled-in value is read.
        is_text: Whether it must become a string.
        depth: How many levels deep it is.
        order: Its position among all values that were read.
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
        """Replace the placeholders by values, and read the result.

        Args:
            values: Plain JSON by the placeholder's path.
            faults: Collects the faults.
        """
        if self.inner:
            return text_of(filled(self.content, self.inner, values, faults, len(self.place.keys)))
        value = fill(self.content, values, lambda fault: faults.append((self.order, f"{self.place.path}: {fault}")))
        reader = Reader(self.depth)
        plain = reader.plain(value, self.place, self.shape)
        if self.is_text:
            plain = text_of(plain)
            if plain is None and isinstance(self.place.keys[-1], int):
                reader.fault(self.place.around, _NULL_AMONG_TEXTS)
        faults += [(self.order, fault) for _, fault in reader.faults]
        return plain


def filled(body: Any, slots: Iterable[Slot], values: Mapping[str, Any], faults: Faults, depth: int = 0) -> Any:
    """Fill the slots of a body, of which only the containers of the slots are copied.

    Args:
        body: Plain JSON; not changed.
        slots: Its slots.
        values: Plain JSON by the placeholder's path.
        faults: Collects the faults.
        depth: How many keys lead to the body.

    Returns:
        A new body.
    """
    edited = Edited(body)
    for slot in slots:
        *outer, key = slot.place.keys[depth:]
        value, container = slot.fill(values, faults), edited.around(tuple(outer))
        if value is None and isinstance(container, dict):  # None means "not set", here and in the Jobs API
            del container[key]
        else:
            container[key] = value
    return edited.whole


class Reader:
    """Read values of any kind as plain JSON; faults are collected and reported at the end.

    Args:
        depth: How deep the values are inside something else.
        scan: Whether to look for placeholders.

    Attributes:
        faults: The faults, each with its position among all values that were read.
        slots: The strings with placeholders, which stay unchanged.
        late: The values that are sent in another form.
    """

    def __init__(self, depth: int = 0, *, scan: bool = False) -> None:
        self.faults: Faults = []
        self.slots: list[Slot] = []
        self.late: list[Late] = []
        self._depth, self._scan = depth, scan
        self._around: list[int] = []
        self._read = 0

    def plain(self, value: Any, place: Place, shape: Any = None, *, is_text: bool = False) -> Any:
        """Copy a value as plain JSON; a value that cannot be JSON becomes `UNREADABLE`, with a fault.

        Args:
            value: Anything.
            place: Its place.
            shape: A `Shape`, a dict of the shapes of its keys (for a list: of its items' keys), or None.
            is_text: Whether a filled-in value must become a string.
        """
        mark = id(value)
        value = self.unwrapped(value, place.path)
        if self._scan and isinstance(value, str) and next(find(value), None):
            self.slots.append(Slot(value, place, shape, is_text, self._depth + len(self._around), self._next()))
            if isinstance(shape, Shape) and shape in SENT:
                self.late.append(Late(place.keys, shape))
            return value
        if shape is Shape.ID:
            return self._id(value, place.path)
        if isinstance(shape, Shape) and shape in SENT:
            if value is not None and not isinstance(value, SENT[shape]):
                self.late.append(Late(place.keys, shape))
            shape = None if shape is Shape.SENT_WHOLE else Shape.LOOSE
        if not isinstance(value, (Mapping, list, tuple)):
            return self._scalar(value, place.path, loose=shape is Shape.LOOSE)
        return self._container(value, mark, place, shape)

    def _container(
        self, value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], mark: int, place: Place, shape: Any
    ) -> Any:
        if mark in self._around:
            return self.fault(place.path, "contains itself; remove the cycle.")
        if self._depth + len(self._around) >= _MAX_DEPTH:
            return self.fault(place.path, f"is more than {_MAX_DEPTH} levels deep; use a flatter value.")
        self._around.append(mark)
        try:
            return self._map(value, place, shape) if isinstance(value, Mapping) else self._list(value, place, shape)
        finally:
            self._around.pop()

    def _map(self, value: Mapping[Any, Any], place: Place, shape: Any) -> dict[str, Any]:
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self.fault(place.path, f"has a key of type {type(key).__name__}; use a string.")
            elif self._scalar(key, place.path) is not UNREADABLE:
                below = shape.get(key) if isinstance(shape, dict) else shape
                plain = self._item(item, place.below(key), shape, below)
                if plain is not None:  # None means "not set", here and in the Jobs API
                    result[key] = plain
        return result

    def _list(self, value: Sequence[Any], place: Place, shape: Any) -> list[Any]:
        result = [self._item(item, place.below(index), shape, shape) for index, item in enumerate(value)]
        if shape is Shape.TEXTS and None in result:
            self.fault(place.path, _NULL_AMONG_TEXTS)
        return result

    def _item(self, item: Any, place: Place, around: Any, shape: Any) -> Any:
        if around is Shape.SENT_TEXTS:
            return self.plain(item, place, Shape.SENT_VALUE)
        if around is not Shape.TEXTS:
            return self.plain(item, place, shape)
        slots = len(self.slots)
        plain = self.plain(item, place, Shape.LOOSE, is_text=True)
        if isinstance(plain, (dict, list)) and len(self.slots) > slots:
            inner = tuple(self.slots[slots:])
            self.slots[slots:] = [Slot(plain, place, Shape.LOOSE, True, inner[0].depth, inner[0].order, inner)]
            return plain
        return text_of(plain)

    def unwrapped(self, value: Any, path: str) -> Any:
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, (str, Mapping, list, tuple, type)):
            return value
        # `dict` of pydantic 1, of which the models of prefect-databricks are on Prefect 2.
        for name in ("as_dict", "model_dump", *(("dict",) if hasattr(type(value), "__config__") else ())):
            method = getattr(value, name, None)
            if callable(method):
                try:
                    return method()
                except DatabricksError:  # of a `Job`, which reports its own faults
                    raise
                except Exception as error:
                    kind, reason = type(value).__name__, type(error).__name__
                    return self.fault(path, f"{kind}.{name}() raised {reason}; pass a plain dict instead.")
        return value

    def _scalar(self, value: Any, path: str, *, loose: bool = False) -> Any:
        if loose and isinstance(value, (date, Decimal, UUID, PurePath)):
            try:
                return value.isoformat() if isinstance(value, date) else str(value)
            except Exception:  # of a subclass
                kind = type(value).__name__
                return self.fault(path, f"is of type {kind}, which cannot be converted to a string; use a string.")
        fault = not_json(value)
        return self.fault(path, fault) if fault else bare(value)

    def _id(self, value: Any, path: str) -> Any:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_ID_DIGITS:
            return int(value)
        if value is None or value is UNREADABLE or (isinstance(value, int) and not isinstance(value, bool)):
            return bare(value)
        if is_whole(value):
            return int(value)
        return self.fault(path, f"must be a whole number, not of type {type(value).__name__}; use the job's number.")

    def fault(self, path: str, fault: str) -> Any:
        """Record the fault of a value, and return its placeholder."""
        self.faults.append((self._next(), f"{path}: {fault}"))
        return UNREADABLE

    def _next(self) -> int:
        self._read += 1
        return self._read
