"""From a path in the workspace to the file below the folder that plays the workspace's files."""

from __future__ import annotations

from pathlib import Path

NOTEBOOK_SUFFIXES = ("", ".py", ".ipynb")


def find_notebook(root: Path, path: str, caller: Path | None = None) -> Path | None:
    """Return the notebook's file, looked for as written, then with `.py`, then with `.ipynb`; None without one.

    Args:
        root: the folder that plays the workspace's files.
        path: a path in the workspace; one that does not begin with `/` is relative to the folder of `caller`.
        caller: the file of the notebook that names the path; None when the path is absolute in any case.
    """
    if caller and not path.startswith("/"):
        path = f"{workspace_path(root, caller.parent)}/{path}"
    return next((file for suffix in NOTEBOOK_SUFFIXES if (file := find_file(root, path + suffix))), None)


def find_file(root: Path, path: str) -> Path | None:
    """Return the file that `path` names; None when there is none, or when a link leads out of `root`.

    Args:
        root: the folder that plays the workspace's files.
        path: an absolute path in the workspace; `/Workspace/x` and `/x` are the same file, as on Databricks.
    """
    root = root.resolve()
    try:
        file = (root / path.removeprefix("/Workspace/").lstrip("/")).resolve()
        return file if file.is_file() and file.is_relative_to(root) else None
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, or links in a circle
        return None


def workspace_path(root: Path, file: Path) -> str:
    """Return the path in the workspace of a file or folder below `root`, without a slash at the end."""
    return f"/{file.relative_to(root.resolve()).as_posix()}".removesuffix("/.")
