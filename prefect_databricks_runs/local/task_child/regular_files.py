"""Reading and writing regular files, and nothing else that may be in their place: a pipe there would block forever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# Windows has neither pipes in folders nor this flag.
_DO_NOT_WAIT = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def read_regular_file(file: Path, limit: int) -> bytes:
    """Return what is in a file, without waiting for anyone.

    Args:
        file: the file.
        limit: how many bytes it may have.

    Raises:
        OSError: it is not there, is not a regular file, or has more bytes.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | _DO_NOT_WAIT | _BINARY), "rb") as opened:
        _check(opened.fileno(), file)
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit} bytes", str(file))
    return content


def write_regular_file(file: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file, which may be there already, without waiting for anyone.

    Args:
        file: the file.
        content: what is to be in it.
        mode: who may read and write it, if it is new.

    Raises:
        OSError: it cannot be written, or something else is there.
    """
    # It is cut when it is known to be a file, and not by O_TRUNC.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | _DO_NOT_WAIT | _BINARY, mode), "wb") as opened:
        _check(opened.fileno(), file)
        opened.truncate()
        opened.write(content)


def _check(descriptor: int, file: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
