"""Find the file of a path in the workspace, below the folder with the workspace's files."""

from __future__ import annotations

from pathlib import Path

NOTEBOOK_SUFFIXES = ("", ".py", ".ipynb")


def find_notebook(root: Path, path: str, caller: Path | None = None) -> Path | None:
    """Return the notebook's file: the path as it is, or else with `.py`, or else with `.ipynb`; None without a file.

    Args:
        root: The folder with the workspace's files.
        path: A path in the workspace. Without a leading `/`, it is relative to the folder of `caller`.
        caller: The file of the notebook that names the path; None for an absolute path.
    """
    if caller and not path.startswith("/"):
        path = f"{workspace_path(root, caller.parent)}/{path}"
    return next((file for suffix in NOTEBOOK_SUFFIXES if (file := find_file(root, path + suffix))), None)


def find_file(root: Path, path: str) -> Path | None:
    """Return the file at `path`; None if it does not exist, or if a link leads out of `root`.

    Args:
        root: The folder with the workspace's files.
        path: An absolute path in the workspace; `/Workspace/x` and `/x` are the same file, as on Databricks.
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
