"""Fills in the references of a definition, such as `${var.catalog}`, if they are known before a deployment.

The values of variables without a default, and those of the workspace, are not known: such a string
is `ANYTHING`. So is a string that another program fills in, and one with a placeholder of Prefect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .tree import ANYTHING, Node, changed_texts, nearest

Report: TypeAlias = Callable[[Node, str, str], None]
"""Gets the value that something is wrong with, its path in the job, and what is wrong."""

_NAME = r"[a-zA-Z][\w-]*"
_REFERENCE = re.compile(rf"(?<![\\$])\$\{{({_NAME}(?:\.{_NAME}(?:\[\d+\])*)*)\}}", re.ASCII)
_OTHER = re.compile(r"\$\{|\{\{\s*prefect\.")
_STEPS = 2  # `var.x`
_RESOURCE_STEPS = 3  # `resources.jobs.x`
_MAX_CHAIN = 20
_MAX_TEXT = 100_000


class References:
    """The values that the references of one target of a bundle stand for.

    Args:
        root: The bundle, with its target laid over it.
        target: The target's name; None if there is none.
        variables: The values of variables by their names; `ANYTHING` where it is not known.
        is_complete: Whether all of the bundle is known, so that a name that it does not have is wrong.

    Attributes:
        of_variables: The values in variables whose reference leads nowhere, and what is wrong.
    """

    def __init__(self, root: Node, target: str | None, variables: Mapping[str, Node], *, is_complete: bool) -> None:
        self._root, self._target, self._variables, self._is_complete = root, target, variables, is_complete
        self.of_variables: list[tuple[Node, str]] = []
        self._known: dict[str, Node] = {}
        self._open: list[str] = []

    def filled(self, node: Node, report: Report) -> Node:
        """Return a tree with its references filled in.

        Args:
            node: The tree.
            report: Called with each text whose reference leads nowhere, its path, and what is wrong.
        """
        return changed_texts(node, lambda text, path: self._text(text, path, report))

    def _text(self, node: Node, path: str, report: Report) -> Node:
        text: str = node.value
        if _OTHER.search(text) is None:
            return node
        for found in _REFERENCE.finditer(text):
            if fault := self._fault(found[1]):
                report(node, path, fault)
        whole = _REFERENCE.fullmatch(text)
        return node.with_value(self._value(whole[1]).value if whole else self._joined(text))

    def _joined(self, text: str) -> Any:
        """Return a string with references inside of it, or `ANYTHING` if one is not known or it gets too long."""
        parts: list[str] = []
        size = end = 0
        for found in _REFERENCE.finditer(text):
            parts += (text[end : found.start()], _as_text(self._value(found[1])))
            end = found.end()
            size += len(parts[-1])
            if size > _MAX_TEXT:
                return ANYTHING
        filled = "".join((*parts, text[end:]))
        return ANYTHING if _OTHER.search(filled) else filled

    def _report(self, node: Node, _path: str, fault: str) -> None:
        self.of_variables.append((node, fault))

    def _fault(self, path: str) -> str:
        """Return what is wrong with a reference; empty if nothing is known to be."""
        if not self._is_complete:
            return ""
        steps = re.split(r"[.\[]", path)
        if steps[0] in ("var", "variables") and len(steps) >= _STEPS and steps[1] not in self._variables:
            return f"`${{{path}}}` is not a variable of the bundle; define it in `variables`."
        if steps[0] == "resources" and len(steps) >= _RESOURCE_STEPS:
            kind, name = steps[1:3]
            resources = self._root.get("resources")
            known = resources.object(kind) if resources else {}
            if name not in known and not any("${" in each for each in known):
                return f"`${{{path}}}` is not in the bundle; define {name!r} in `resources.{kind}`."
        return ""

    def _value(self, path: str) -> Node:
        if path not in self._known:
            if path in self._open or len(self._open) >= _MAX_CHAIN:
                return Node(ANYTHING, "")
            self._open.append(path)
            self._known[path] = self._looked_up(path)
            self._open.pop()
        return self._known[path]

    def _looked_up(self, path: str) -> Node:
        steps = path.split(".")
        unknown = Node(ANYTHING, "")
        if path in ("bundle.target", "bundle.environment"):
            return Node(self._target, "") if self._target else unknown
        if path == "bundle.name":
            name = self._root.object("bundle").get("name")
            return self.filled(name, self._report) if name and isinstance(name.value, str) else unknown
        if steps[0] != "var" or len(steps) < _STEPS:
            return unknown
        first, bracket, rest = steps[1].partition("[")
        below = ".".join([bracket + rest, *steps[_STEPS:]]) if bracket else ".".join(steps[_STEPS:])
        variable = self._variables.get(first)
        if variable is None:
            return unknown
        value = self.filled(variable, self._report)
        if not below:
            return value
        return _at(value, below) or unknown


def _at(value: Node, path: str) -> Node | None:
    """Return the value at exactly a path, or None if there is none."""
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        below = nearest(value, step)
        if below is value:
            return None
        value = below
    return value


def _as_text(value: Node) -> str:
    """Return a value as it is inside of a string; `${` if that is not known."""
    if isinstance(value.value, bool):
        return "true" if value.value else "false"
    return str(value.value) if isinstance(value.value, (str, int, float)) else "${"
