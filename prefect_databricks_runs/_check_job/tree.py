"""A definition as a tree of values, each of which knows its file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .._payload.looks import UNREADABLE

ANYTHING: Final = UNREADABLE
"""Stands for a value that is not known before the deployment; the checks pass over it."""
MAX_DEPTH: Final = 100
"""The number of levels that a definition may have; Databricks stops there too."""
MAX_NODES: Final = 500_000
"""The number of values that a definition may have, each alias and reference counted as what it stands for."""

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class NotReadable(Exception):
    """A file or document that cannot be read; the message says why.

    Attributes:
        line: Where, if known; from 1.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A value of a definition.

    Attributes:
        value: A dict or list of nodes, a scalar of JSON, or `ANYTHING`.
        file: Where it is from.
        line: The line of its key, or of the value itself where it has none; None if the format does not say.
    """

    value: Any
    file: str
    line: int | None = None

    def with_value(self, value: Any) -> Node:
        """Return a node at the same place."""
        return replace(self, value=value)

    def get(self, key: str) -> Node | None:
        """Return a value of an object, or None if there is none or it is null."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return None if found is None or found.value is None else found

    def object(self, key: str) -> Mapping[str, Node]:
        """Return an object of an object; empty if there is none."""
        found = self.get(key)
        return found.value if found and isinstance(found.value, dict) else {}

    def list(self, key: str) -> list[Node]:
        """Return a list of an object; empty if there is none."""
        found = self.get(key)
        return found.value if found and isinstance(found.value, list) else []

    def text(self, key: str) -> str | None:
        """Return a string of an object, or None if it has none."""
        found = self.get(key)
        return found.value if found and isinstance(found.value, str) else None


def plain(node: Node, budget: list[int] | None = None) -> Any:
    """Return a tree as JSON values.

    Args:
        node: The tree.
        budget: How many values it may have.

    Raises:
        NotReadable: It has more.
    """
    budget = budget if budget is not None else [MAX_NODES]
    budget[0] -= 1
    if budget[0] < 0:
        raise NotReadable(f"has more than {MAX_NODES:,} values, aliases and references filled in", node.line)
    if isinstance(node.value, dict):
        return {key: plain(each, budget) for key, each in node.value.items()}
    if isinstance(node.value, list):
        return [plain(each, budget) for each in node.value]
    return node.value


def nearest(node: Node, path: str) -> Node:
    """Return the value at a path such as `tasks[2].new_cluster`, or the one nearest above it."""
    for key, index in _STEP.findall(path):
        below: Node | None = None
        if key and isinstance(node.value, dict):
            below = node.value.get(key)
        elif index and isinstance(node.value, list) and int(index) < len(node.value):
            below = node.value[int(index)]
        if below is None:
            return node
        node = below
    return node


def changed_texts(node: Node, change: Callable[[Node, str], Node], path: str = "", depth: int = 0) -> Node:
    """Return a tree in which each text is replaced by what `change` returns for it; what is too deep is `ANYTHING`.

    Args:
        node: The tree.
        change: Called with each text and its path, such as `tasks[2].description`.
        path: The path of the tree.
        depth: How deep the tree is in something else.
    """
    if depth > MAX_DEPTH:
        return node.with_value(ANYTHING)
    if isinstance(node.value, dict):
        below = f"{path}." if path else ""
        items = node.value.items()
        return node.with_value({key: changed_texts(each, change, below + key, depth + 1) for key, each in items})
    if isinstance(node.value, list):
        return node.with_value(
            [changed_texts(each, change, f"{path}[{index}]", depth + 1) for index, each in enumerate(node.value)]
        )
    return change(node, path) if isinstance(node.value, str) else node
