"""Run one child process: its lifeline, its output, its end. Needs a POSIX system."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..task_child.processes import kill_session

# Longer than a supervisor ever needs.
END_SECONDS = 5.0
MAX_LOG_BYTES = 5 * 1024 * 1024
_CHUNK = 64 * 1024
# More than any pipe holds. It is bounded, because a process that left the group may keep writing.
_LAST_READS = 64


class Tail:
    """The last bytes of a stream.

    Args:
        limit: The number of bytes to keep.
    """

    def __init__(self, limit: int = MAX_LOG_BYTES) -> None:
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._kept = 0
        self._seen = 0

    def add(self, chunk: bytes) -> None:
        """Add bytes, and drop the oldest bytes above the limit."""
        self._chunks.append(chunk)
        self._kept += len(chunk)
        self._seen += len(chunk)
        while self._kept - len(self._chunks[0]) >= self._limit:
            self._kept -= len(self._chunks.popleft())

    @property
    def truncated(self) -> bool:
        """Whether the beginning is missing."""
        return self._seen > self._limit

    def text(self) -> str:
        """Return the last bytes as a string."""
        return b"".join(self._chunks)[-self._limit :].decode("utf-8", "replace")


async def run_process(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: Tail,
    started: Callable[[], None],
) -> int:
    """Run a process in its own group until it ends, and return its exit code; a negative code is a signal.

    Its stdin is a pipe that nothing is written to. The pipe closes when this call is cancelled or this process ends.
    Then the process must end, with every process that it has started; the rest of its group is killed.

    Args:
        arguments: The program and its arguments.
        folder: The working folder.
        environment: The whole environment.
        output: Receives everything that the process writes to stdout and stderr.
        started: Called when the process has started.

    Raises:
        OSError: The process could not be started.
    """
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as files:
        lifeline, held = os.pipe()
        files.callback(os.close, lifeline)
        held_open = files.enter_context(contextlib.ExitStack())
        held_open.callback(os.close, held)
        output_read, output_write = _pipe(files)
        os.set_blocking(output_read, False)
        loop.add_reader(output_read, _read, output_read, output)
        files.callback(loop.remove_reader, output_read)
        spawning = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *arguments,
                stdin=lifeline,
                stdout=output_write,
                stderr=output_write,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        )
        try:
            process = await asyncio.shield(spawning)
            started()
            await process.wait()
        finally:
            process = await spawning  # the call may be cancelled before the process has started
            held_open.close()
            code = await _end_of(process)
            for _ in range(_LAST_READS):
                if not _read(output_read, output):
                    break
        return code


async def _end_of(process: asyncio.subprocess.Process) -> int:
    """Wait until a stopping process has ended, and kill the rest of its group and session."""
    try:
        code = await asyncio.wait_for(process.wait(), END_SECONDS)
    except asyncio.TimeoutError:
        _kill_group(process.pid)
        code = await process.wait()
    _kill_group(process.pid)
    if code == -signal.SIGKILL:  # it may have had no time to end its own children
        kill_session(process.pid)
    return code


def _pipe(files: contextlib.ExitStack) -> tuple[int, int]:
    """Return the reading and the writing end of a new pipe; `files` closes both."""
    ends = os.pipe()
    for end in ends:
        files.callback(os.close, end)
    return ends


def _read(end: int, output: Tail) -> bool:
    """Read what the pipe holds; return whether there was anything."""
    try:
        chunk = os.read(end, _CHUNK)
    except BlockingIOError:
        return False
    if chunk:
        output.add(chunk)
    return bool(chunk)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left
        os.killpg(group, signal.SIGKILL)
