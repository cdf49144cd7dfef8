"""Finds the files to check: the named files, and files of a folder that may have definitions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from .reading import STDIN

_ENDINGS: Final = (".yml", ".yaml", ".json")
_PASSED_OVER: Final = frozenset(("node_modules", "__pycache__", "venv", "site-packages"))


class Named(NamedTuple):
    """A file to check.

    Attributes:
        name: Its path, or `-` for the standard input.
        is_named: Whether the user has named it, and not only a folder that it is in.
    """

    name: str
    is_named: bool


def files_in(names: Sequence[str]) -> list[Named]:
    """Return the files that some paths lead to, each once.

    Args:
        names: Paths of files and folders, or `-`. Hidden folders inside of a folder are passed over.
    """
    found: dict[str, Named] = {}
    for name in names:
        is_folder = name != STDIN and Path(name).is_dir()
        for each in _in_folder(name) if is_folder else [name]:
            known = os.path.realpath(each) if each != STDIN else STDIN
            if known not in found or not is_folder:
                found[known] = Named(each, not is_folder)
    return list(found.values())


def _in_folder(folder: str) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in _PASSED_OVER)
        found = (os.path.join(path, each) for each in sorted(files) if each.lower().endswith(_ENDINGS))
        yield from (each for each in found if not os.path.exists(each) or os.path.isfile(each))  # not a pipe
