"""The workspace's files: the object at a path, and the file that keeps a notebook."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ..task_child.cells import HEADER
from ..task_child.regular_files import read_regular_file, write_regular_file
from ..texts import text
from ..web.errors import ApiError, invalid
from .paths import place

# More than can be imported. A larger file was put there by other means, and could fill the memory.
MAX_READ_BYTES = 64 * 1024 * 1024
NOTEBOOK, FILE, DIRECTORY = "NOTEBOOK", "FILE", "DIRECTORY"
_MILLISECONDS = 1000


class WorkspaceFiles:
    """The files below one folder.

    A notebook `x` is kept in `x.py`, which begins with the line that marks a notebook, or in `x.ipynb`. All paths come
    from `clean_path`.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, path: str) -> Path:
        """Return the file or folder at a path.

        Raises:
            ApiError: Nothing is there (404), or no file can have this name (400).
        """
        file = self.look(path)
        if file is None:
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", text("no_path", path=path))
        return file

    def look(self, path: str) -> Path | None:
        """Return the file or folder at a path; None when nothing is there.

        Raises:
            ApiError: No file can have this name (400).
        """
        file = place(self._root, path)
        if file.exists():
            return file
        for suffix in (".py", ".ipynb"):
            with contextlib.suppress(ApiError):  # with its suffix, the name is too long or a link out of the workspace
                notebook = place(self._root, path + suffix)
                if notebook.is_file() and kind_of(notebook) == NOTEBOOK:
                    return notebook
        return None

    def read(self, path: str) -> bytes:
        """Return the content of a file or notebook.

        Raises:
            ApiError: Nothing is there (404), or it cannot be read (400).
        """
        with _refused(path):
            return read_regular_file(self.find(path), MAX_READ_BYTES)

    def write(self, path: str, name: str, content: bytes, *, overwrite: bool) -> None:
        """Write a file or a notebook.

        Args:
            path: Its path in the workspace.
            name: The name of the file that keeps it, in the same folder.
            content: Its content.
            overwrite: Whether to replace a file or notebook at this path. A folder is never replaced, nor a file that
                is not a notebook and has another path.

        Raises:
            ApiError: Something else is there (400), the folder does not exist (404), or no file can have this name
                (400).
        """
        target = place(self._root, f"{path.rpartition('/')[0]}/{name}")
        known = self.look(path)
        if known and (known.is_dir() or not overwrite):
            raise already_exists(path)
        stands_elsewhere = target != known and target.exists()
        if stands_elsewhere and (target.is_dir() or kind_of(target) != NOTEBOOK or not overwrite):
            raise already_exists(f"{path.rpartition('/')[0]}/{name}")
        if not target.parent.is_dir():
            parent = path.rpartition("/")[0] or "/"
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", text("no_parent", path=parent))
        with _refused(path):
            write_regular_file(target, content)
            if known and known.resolve() != target.resolve():
                known.unlink()

    def make_folder(self, path: str) -> None:
        """Make a folder, and the folders above it, unless they exist.

        Raises:
            ApiError: A file or notebook is in the way, or no folder can have this name (400).
        """
        target = place(self._root, path)
        for above in [*reversed(PurePosixPath(path).parents), path]:
            known = self.look(str(above))
            if known is None:
                break  # nothing can be below it
            if not known.is_dir():
                raise already_exists(str(above))
        with _refused(path):
            target.mkdir(parents=True, exist_ok=True)

    def delete(self, path: str, *, recursive: bool) -> None:
        """Delete the object at a path; of a link, only the link.

        Raises:
            ApiError: Nothing is there (404); it is the root, or a folder that is not empty and `recursive` is false
                (400).
        """
        file = self.find(path)
        if file.resolve() == self._root.resolve():
            raise invalid("delete_root")
        with _refused(path):
            if file.is_symlink() or not file.is_dir():
                file.unlink()
            elif recursive:
                shutil.rmtree(file)
            elif any(file.iterdir()):
                raise ApiError(400, "DIRECTORY_NOT_EMPTY", text("folder_not_empty", path=path))
            else:
                file.rmdir()

    def children(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the objects in a folder, by name; for a file or notebook, the object itself.

        Raises:
            ApiError: Nothing is there (404).
        """
        found = self.find(path)
        if not found.is_dir():
            yield describe(found, path)
            return
        with _refused(path):
            files = sorted(found.iterdir())
        for file in files:
            # A link to nothing, or out of the workspace, is not an object of the workspace.
            if file.exists() and file.resolve().is_relative_to(self._root.resolve()):
                name = file.stem if kind_of(file) == NOTEBOOK and file.suffix in {".py", ".ipynb"} else file.name
                yield describe(file, f"{path.rstrip('/')}/{name}")


def kind_of(file: Path) -> str:
    """Return the `object_type` of a file or folder."""
    if file.is_dir():
        return DIRECTORY
    if file.suffix == ".ipynb":
        return NOTEBOOK
    # The path may be a pipe, which must not be opened: it would block the whole workspace.
    with contextlib.suppress(OSError):
        if file.is_file():
            with file.open("rb") as opened:
                return NOTEBOOK if is_python_notebook(opened.readline(len(HEADER) + 8)) else FILE
    return FILE


def is_python_notebook(content: bytes) -> bool:
    """Return whether the content begins with the line that marks a notebook in the source format."""
    return content.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip() == HEADER.encode()


def describe(file: Path, path: str) -> dict[str, Any]:
    """Return the answer of `workspace/get-status`.

    Args:
        file: The file or folder.
        path: Its path in the workspace.
    """
    stat = file.stat()
    kind = kind_of(file)
    answer: dict[str, Any] = {"object_type": kind, "path": path, "object_id": stat.st_ino % 2**63}
    if kind == NOTEBOOK:
        answer["language"] = "PYTHON"
    if kind == FILE:
        answer["size"] = stat.st_size
    if kind != DIRECTORY:
        # On Linux, Python cannot read when a file was made.
        answer["created_at"] = int(getattr(stat, "st_birthtime", stat.st_mtime) * _MILLISECONDS)
        answer["modified_at"] = int(stat.st_mtime * _MILLISECONDS)
    return answer


def already_exists(path: str) -> ApiError:
    """Return the 400 for a path that is taken."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", text("path_taken", path=path))


@contextlib.contextmanager
def _refused(path: str) -> Iterator[None]:
    """Turn an error of the file system into a 400."""
    try:
        yield
    except OSError as error:
        raise invalid("file_refused", path=path, reason=error.strerror or type(error).__name__) from None
