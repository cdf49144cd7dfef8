"""One child process: its lifeline, its output, its end. Needs a POSIX system."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..task_child.processes import kill_session

# Longer than a supervisor needs at most.
END_SECONDS = 5.0
MAX_LOG_BYTES = 5 * 1024 * 1024
_CHUNK = 64 * 1024
# More than any pipe holds; bounded, because a process that left the group may go on writing.
_LAST_READS = 64


class Tail:
    """The last bytes of a stream.

    Args:
        limit: how many bytes are kept.
    """

    def __init__(self, limit: int = MAX_LOG_BYTES) -> None:
        self._limit = limit
        self._chunks: deque[bytes] = deque()
        self._kept = 0
        self._seen = 0

    def add(self, chunk: bytes) -> None:
        """Keep the end of what came so far."""
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
        """Return the text that was kept."""
        return b"".join(self._chunks)[-self._limit :].decode("utf-8", "replace")


async def run_process(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: Tail,
    started: Callable[[], None],
) -> int:
    """Run a process in a group of its own until it ends, and return its exit code; a negative one is a signal.

    Its stdin is a pipe that nothing is written to. It closes when this call is cancelled or this process ends; then
    the process has to end, with all that it has started. What is left of its group is killed.

    Args:
        arguments: program and arguments.
        folder: its working folder.
        environment: its whole environment.
        output: where what it writes to stdout and stderr goes.
        started: called when it is there.

    Raises:
        OSError: it could not be started.
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
            process = await spawning  # a cancel may come before the process is there
            held_open.close()
            code = await _end_of(process)
            for _ in range(_LAST_READS):
                if not _read(output_read, output):
                    break
        return code


async def _end_of(process: asyncio.subprocess.Process) -> int:
    """Wait until a process has ended that was asked to, and kill what is left of its group and session."""
    try:
        code = await asyncio.wait_for(process.wait(), END_SECONDS)
    except asyncio.TimeoutError:
        _kill_group(process.pid)
        code = await process.wait()
    _kill_group(process.pid)
    if code == -signal.SIGKILL:  # it may have had no time to end what it had started
        kill_session(process.pid)
    return code


def _pipe(files: contextlib.ExitStack) -> tuple[int, int]:
    """Return the reading and the writing end of a new pipe; `files` closes both."""
    ends = os.pipe()
    for end in ends:
        files.callback(os.close, end)
    return ends


def _read(end: int, output: Tail) -> bool:
    """Take what is there; return whether there was anything."""
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
