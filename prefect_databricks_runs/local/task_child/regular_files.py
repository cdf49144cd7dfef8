"""Read and write regular files only. A pipe in the place of a file would block forever."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# Windows has neither pipes in folders nor this flag.
_DO_NOT_WAIT = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def read_regular_file(file: Path, limit: int) -> bytes:
    """Return the content of a file, without blocking.

    Args:
        file: The file.
        limit: The number of bytes that it may have.

    Raises:
        OSError: The file does not exist, is not a regular file, or is too large.
    """
    with os.fdopen(os.open(file, os.O_RDONLY | _DO_NOT_WAIT | _BINARY), "rb") as opened:
        _check(opened.fileno(), file)
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit} bytes", str(file))
    return content


def write_regular_file(file: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a new or an existing file, without blocking.

    Args:
        file: The file.
        content: Its new content.
        mode: The permissions of a new file.

    Raises:
        OSError: The file cannot be written, or something else is in its place.
    """
    # Not with O_TRUNC: truncate it only when it is known to be a file.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | _DO_NOT_WAIT | _BINARY, mode), "wb") as opened:
        _check(opened.fileno(), file)
        opened.truncate()
        opened.write(content)


def _check(descriptor: int, file: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
