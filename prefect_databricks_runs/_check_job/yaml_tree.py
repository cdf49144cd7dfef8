"""Reads YAML into trees, from the parser's events: nothing is constructed, and nothing is unbounded.

Scalars are read as Databricks asset bundles read them, by YAML 1.2: a date, a time and `on` are text. What YAML 1.1
calls a boolean beside `true` and `false` is `ANYTHING`, as bundles take it for a boolean where they want one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .tree import ANYTHING, MAX_DEPTH, MAX_NODES, Node, NotReadable

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_OLD_BOOLEAN = re.compile(r"y|n|yes|no|on|off", re.IGNORECASE)
_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_OTHER_INT = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ODD_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_MERGE = object()


@dataclass
class _Frame:
    """A map or list that is being read."""

    line: int
    anchor: str | None
    is_map: bool
    items: list[Node] = field(default_factory=list)
    size: int = 1


class _Builder:
    """Puts one document together."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.doubled: list[tuple[int, str]] = []
        self.root: Node | None = None
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}

    def open(self, event: Any, *, is_map: bool) -> None:
        line = event.start_mark.line + 1
        if len(self._frames) >= MAX_DEPTH:
            raise NotReadable(f"is more than {MAX_DEPTH} levels deep", line)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._frames.append(_Frame(line, event.anchor, is_map))

    def close(self) -> None:
        frame = self._frames.pop()
        value = self._map(frame) if frame.is_map else frame.items
        self._add(Node(value, self.file, frame.line), frame.size, frame.anchor)

    def scalar(self, event: Any) -> None:
        node = Node(_scalar(event), self.file, event.start_mark.line + 1)
        self._add(node, 1, event.anchor)

    def alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if event.anchor not in self._anchors:
            raise NotReadable(f"has an alias *{event.anchor[:100]} without an anchor before it", line)
        known = self._anchors[event.anchor]
        if known is None:
            raise NotReadable(f"has an alias *{event.anchor[:100]} inside of what it stands for", line)
        self._add(known[0], known[1])

    def _add(self, node: Node, size: int, anchor: str | None = None) -> None:
        if anchor:
            self._anchors[anchor] = (node, size)
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        frame.items.append(node if frame.is_map else node.with_value(_as_value(node.value)))
        frame.size += size
        if frame.size > MAX_NODES:
            raise NotReadable(f"has more than {MAX_NODES:,} values, aliases filled in", node.line)

    def _map(self, frame: _Frame) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in zip(frame.items[::2], frame.items[1::2], strict=True):
            if key.value is _MERGE:
                merged = {**self._merged(value), **merged}
                continue
            if isinstance(key.value, (dict, list)):
                raise NotReadable("has a key that is not text", key.line)
            name = _key(key.value)
            if name in own:
                self.doubled.append((key.line or 0, name))
            own[name] = Node(_as_value(value.value), value.file, key.line)
        return {**merged, **own}

    def _merged(self, node: Node) -> dict[str, Node]:
        """Return the values of `<<`, of which the first of several maps counts."""
        maps = node.value if isinstance(node.value, list) else [node]
        found: dict[str, Node] = {}
        for each in maps:
            if not isinstance(each.value, dict):
                raise NotReadable("has a `<<` that is not a map", node.line)
            found = {**each.value, **found}
        return found


def yaml_trees(text: str, file: str) -> tuple[list[Node], list[tuple[int, str]]]:
    """Read all documents of a YAML text.

    Args:
        text: The text.
        file: Where it is from.

    Returns:
        The documents that are not empty, and the line and name of each key that is there twice.

    Raises:
        NotReadable: It is not YAML, or too deep or too large.
    """
    import yaml

    roots, doubled = [], []
    try:
        for builder in _built(yaml, text, file):
            if builder.root is not None and builder.root.value is not None:
                roots.append(builder.root.with_value(_as_value(builder.root.value)))
            doubled += builder.doubled
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
        raise NotReadable(f"is not YAML: {reason}", mark.line + 1 if mark else None) from None
    return roots, doubled


def _built(yaml: Any, text: str, file: str) -> Iterator[_Builder]:
    builder = _Builder(file)
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.DocumentStartEvent):
            builder = _Builder(file)
        elif isinstance(event, yaml.DocumentEndEvent):
            yield builder
        elif isinstance(event, yaml.AliasEvent):
            builder.alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            builder.scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            builder.open(event, is_map=isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            builder.close()


def _scalar(event: Any) -> Any:
    tag = (event.tag or "").removeprefix(_TAG)
    if event.tag == "!" or tag == "str" or (not tag and not event.implicit[0]):
        return event.value
    if tag not in ("", "null", "bool", "int", "float", "timestamp", "merge"):
        return ANYTHING  # a tag of another program
    return _plain_scalar(event.value)


def _plain_scalar(text: str) -> Any:
    if text == "<<":
        return _MERGE
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    if _OLD_BOOLEAN.fullmatch(text):
        return _OldBoolean(text)
    try:
        return _number(text)
    except ValueError:  # thousands of digits
        return text


def _number(text: str) -> Any:
    """Return a string as a number; as it is, if it is not a number."""
    if _OTHER_INT.fullmatch(text):
        return int(text, 0)
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) or _ODD_FLOAT.fullmatch(text):
        return float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    return text


class _OldBoolean(str):
    """A boolean of YAML 1.1, which is text where it is a key."""

    __slots__ = ()


def _key(value: Any) -> str:
    if value is ANYTHING:
        return "?"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _as_value(value: Any) -> Any:
    """Return a value, which is not a key: `<<` is text there, and a boolean of YAML 1.1 may be a boolean or text."""
    return "<<" if value is _MERGE else ANYTHING if isinstance(value, _OldBoolean) else value
