"""The temporary folder of a workspace: removed with the workspace or, after a kill, by the next workspace."""

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
    """A folder that only this user can read.

    Its owner holds a lock on a file in it. The system releases the lock however the owner's process ends.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _lock(self.path)
        self.remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def folder(self, name: str) -> Path:
        """Make a folder inside."""
        folder = self.path / name
        folder.mkdir(mode=0o700)
        return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder with its content, even if a task has made it unreadable or very deep."""
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):  # they have no limit of depth, and do not follow links
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - no foreign input
                [*command, "--", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_REMOVE_SECONDS,
                check=False,
            )


def remove_forgotten() -> None:
    """Remove the temporary folders of this user's killed workspaces."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # another process is removing it
                _remove_if_forgotten(folder)


if sys.platform == "win32":  # the workspace cannot be started there

    def _lock(folder: Path) -> int | None:  # noqa: ARG001
        return None

else:
    import fcntl

    def _lock(folder: Path) -> int | None:
        """Lock a new folder. The file gets its name only when it is locked, so no process sees it without its lock."""
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
    if os.getpid() != owner:  # a fork of the owner does not own the folder
        return
    remove_folder(folder)
    if lock is not None:
        os.close(lock)
