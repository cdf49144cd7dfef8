"""Reads JSON into a tree."""

from __future__ import annotations

import json
from typing import Any

from .tree import MAX_DEPTH, Node, NotReadable


def json_tree(text: str, file: str) -> tuple[Node, list[tuple[int | None, str]]]:
    """Read a JSON text.

    Args:
        text: The text.
        file: Where it is from.

    Returns:
        The tree, and each key that is there twice; JSON does not say on which line.

    Raises:
        NotReadable: It is not JSON, or too deep.
    """
    doubled: list[tuple[int | None, str]] = []

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                doubled.append((None, key))
            found[key] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=read_object, parse_int=_int)
    except json.JSONDecodeError as error:
        raise NotReadable(f"is not JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise NotReadable(f"is more than {MAX_DEPTH} levels deep") from None
    return _tree(value, file, 0), doubled


def _int(digits: str) -> Any:
    try:
        return int(digits)
    except ValueError:  # thousands of digits
        return digits


def _tree(value: Any, file: str, depth: int) -> Node:
    if isinstance(value, (dict, list)) and depth >= MAX_DEPTH:
        raise NotReadable(f"is more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        value = {key: _tree(each, file, depth + 1) for key, each in value.items()}
    elif isinstance(value, list):
        value = [_tree(each, file, depth + 1) for each in value]
    return Node(value, file)
