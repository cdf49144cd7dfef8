"""From a path in the workspace to the file below the folder that plays the workspace's files."""

from __future__ import annotations

from pathlib import Path

NOTEBOOK_SUFFIXES = ("", ".py", ".ipynb")


def find_notebook(root: Path, path: str) -> Path | None:
    """Returns the notebook's file, looked for as written, then with `.py`, then with `.ipynb`; None without one."""
    return next((file for suffix in NOTEBOOK_SUFFIXES if (file := find_file(root, path + suffix))), None)


def find_file(root: Path, path: str) -> Path | None:
    """Returns the file that `path` names; None when there is none, or when a link leads out of `root`.

    Args:
        root: the folder that plays the workspace's files.
        path: an absolute path in the workspace; `/Workspace/x` and `/x` are the same file, as on Databricks.
    """
    root = root.resolve()
    try:
        file = (root / path.removeprefix("/Workspace/").lstrip("/")).resolve()
        return file if file.is_file() and file.is_relative_to(root) else None
    except (OSError, ValueError):  # a name that no file can have: too long, or not text
        return None
