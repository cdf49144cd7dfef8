"""The temporary folder of a workspace: it goes with it or, where that was killed, when the next one starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path

PREFIX = "databricks-local-"
_OWNER = "owner"
_REMOVE_SECONDS = 10.0


class TemporaryFolder:
    """A folder that only this user can look into.

    Its owner is known by a lock on a file in it, which the system opens however the owner's process ends.

    Attributes:
        path: the folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _lock(self.path)
        self.remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def folder(self, name: str) -> Path:
        """Make a folder in it."""
        folder = self.path / name
        folder.mkdir(mode=0o700)
        return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, also what a task has made unreadable or very deep."""
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):  # they know no limit of depth, and follow no links
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - nothing in it is of others
                [*command, "--", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_REMOVE_SECONDS,
                check=False,
            )


def remove_forgotten() -> None:
    """Remove the temporary folders of this user's workspaces that were killed."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # another one removes it at this moment
                _remove_if_forgotten(folder)


if sys.platform == "win32":  # where the workspace cannot be started

    def _lock(folder: Path) -> int | None:  # noqa: ARG001
        return None

else:
    import fcntl

    def _lock(folder: Path) -> int | None:
        """Lock a new folder. The file has its name only once it is locked, so that none is there without its lock."""
        unnamed = folder / f".{_OWNER}"
        lock = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(folder / _OWNER)
        return lock

    def _remove_if_forgotten(folder: Path) -> None:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return
        lock = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while the owner lives
            remove_folder(folder)
        finally:
            os.close(lock)


def _remove(folder: Path, lock: int | None, owner: int) -> None:
    if os.getpid() != owner:  # a copy of the owner, by a fork: the folder is not its own
        return
    remove_folder(folder)
    if lock is not None:
        os.close(lock)
