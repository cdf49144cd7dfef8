"""The local workspace is the other side of the wire: it shares no code with the client."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from prefect_databricks_runs import local

FOLDER = Path(local.__file__).parent


def imported(folder: Path) -> Iterator[str]:
    """Yields the top-level names that the files of a folder import; `..` for an import from above the folder."""
    for file in folder.rglob("*.py"):
        inside = len(file.relative_to(folder).parts)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name.split(".")[0] for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = ".." if node.level > inside else "."
                yield node.module.split(".")[0] if node.level == 0 and node.module else above


def test_it_imports_only_the_web_server_and_what_makes_certificates() -> None:
    others = set(imported(FOLDER)) - sys.stdlib_module_names - {"."}
    assert others == {"starlette", "trustme", "uvicorn"}


def test_the_child_imports_only_the_standard_library() -> None:
    assert set(imported(FOLDER / "task_child")) - sys.stdlib_module_names == {"."}
