"""Find the file of a path in the workspace, to read or write it, and never outside of the workspace's folder."""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePosixPath

from ..task_child.paths import NOTEBOOK_SUFFIXES, find_file, find_notebook, workspace_path
from ..web.errors import invalid

__all__ = ["NOTEBOOK_SUFFIXES", "clean_path", "find_file", "find_notebook", "place", "workspace_path"]


def clean_path(path: str) -> str:
    """Return an absolute path of the workspace in one spelling: without `/Workspace`, `.` and doubled slashes.

    Raises:
        ApiError: The path is not absolute, or has `..` in it (400).
    """
    if not path.startswith("/"):
        raise invalid("relative_path", path=path)
    parts = [part for part in PurePosixPath(path).parts if part.strip("/")]
    if ".." in parts:
        raise invalid("path_leaves_workspace", path=path)
    return "/" + "/".join(parts[1:] if parts[:1] == ["Workspace"] else parts)


def place(root: Path, path: str) -> Path:
    """Return the place of a clean path below `root`, whether or not it exists.

    The last part may be a link, so that a link can be deleted instead of its target.

    Args:
        root: The folder with the workspace's files.
        path: A path that `clean_path` returned.

    Raises:
        ApiError: No file can have this name, or a link leads out of `root` (400).
    """
    root = root.resolve()
    name = path.rpartition("/")[2]
    if not name:
        return root
    try:
        target = (root / path[1:]).resolve()
        folder = (root / path[1:]).parent.resolve()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            target.stat()  # refuses a name that is too long
    except OSError as error:
        raise invalid("file_refused", path=path, reason=error.strerror) from None
    except (ValueError, RuntimeError):  # cannot be encoded, a null character, or links in a circle
        raise invalid("bad_path", path=path) from None
    if not (target.is_relative_to(root) and folder.is_relative_to(root)):
        raise invalid("link_leaves_workspace", path=path)
    return folder / name
