"""Reads one file: its bytes, its text, and the documents in it."""

from __future__ import annotations

import codecs
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .findings import Finding, Severity
from .json_tree import json_tree
from .tree import Node, NotReadable
from .yaml_tree import yaml_trees

STDIN: Final = "-"
MAX_BYTES: Final = 10_000_000
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Source:
    """The content of a file.

    Attributes:
        file: Its name, as it is shown.
        path: Where it is; None for the standard input.
        documents: Its documents that are not empty.
        doubled: The line, if known, and the name of each key that an object has twice.
    """

    file: str
    path: Path | None
    documents: list[Node]
    doubled: list[tuple[int | None, str]]


def read_source(name: str) -> Source:
    """Read a file.

    Args:
        name: Its path, or `-` for the standard input.

    Raises:
        NotReadable: It cannot be read, or it is neither YAML nor JSON.
    """
    path = None if name == STDIN else Path(name)
    file = _shown(path)
    documents, doubled = _documents(_text(_bytes(path)), file, path)
    return Source(file, path, documents, doubled)


def not_read(path: Path | None, error: NotReadable, severity: Severity) -> Finding:
    """Return the finding of a file that cannot be read."""
    return Finding(_shown(path), error.line, "", "", severity, f"The file {error}.")


def _shown(path: Path | None) -> str:
    """Return the name of a file: its path from the current folder if it is in there, else the whole path."""
    if path is None:
        return "stdin"
    try:
        relative = os.path.relpath(path)
    except ValueError:  # on another drive
        return str(path)
    return os.path.abspath(path) if relative.startswith(os.pardir) else relative


def _bytes(path: Path | None) -> bytes:
    try:
        if path is None:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotReadable(f"cannot be read: {error.strerror or type(error).__name__}") from None
    if len(content) > MAX_BYTES:
        raise NotReadable(f"has more than {MAX_BYTES // 1_000_000} MB")
    return content


def _text(content: bytes) -> str:
    encoding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise NotReadable("is not text in UTF-8") from None
    if "\0" in text:
        raise NotReadable("is not text")
    return text


def _documents(text: str, file: str, path: Path | None) -> tuple[list[Node], list[tuple[int | None, str]]]:
    is_json = path.suffix.lower() == ".json" if path else text.lstrip()[:1] in ("{", "[")
    if not text.strip():
        return [], []
    if is_json:
        try:
            tree, doubled = json_tree(text, file)
        except NotReadable:
            if path:
                raise
        else:
            return [tree], doubled
    trees, doubled_lines = yaml_trees(text, file)
    return trees, [*doubled_lines]
