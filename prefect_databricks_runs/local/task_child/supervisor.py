"""The process around a task: when it ends, or the task ends, it ends every process that the task has started.

It forks before the user's code begins, which costs only a few milliseconds. On Linux it adopts ("subreaper") and ends
orphaned processes of the task, even a daemon that forked twice and has its own session. Elsewhere it can end only the
task's process group.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import select
import signal
import sys
import time

from .processes import kill_descendants

END_SECONDS = 3.0
_LOOK_SECONDS = 1.0
_PR_SET_CHILD_SUBREAPER = 36
_FROM_TASK = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that a task may send to its parent, and that must not end the parent."""


def run_under_supervision() -> None:
    """Fork, and return in the new process, which runs the task. This process waits for it and ends in the same way.

    Stdin is a pipe that is never written to. When its other end closes, the task and every process that it started are
    killed. The stdin of the task is a pipe of the same kind from this process, so the task also ends if this process is
    killed.
    """
    _adopt_orphans()
    lifeline, held = os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FROM_TASK)  # the task may send them at once
    task = os.fork()
    if task == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(held)
        os.dup2(lifeline, 0)
        os.close(lifeline)
        with contextlib.suppress(PermissionError):  # the parent has done it already
            os.setpgid(0, 0)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(task, task)  # in both processes: the group must exist before it is killed below
    os.close(lifeline)
    status = _wait_for(task)
    if status is None:
        _end_all(task)
        os._exit(1)  # no process reads this exit code
    _end_all(task)
    _end_as(status)


def _adopt_orphans() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    # The task does not inherit it. On a system without it, a daemon escapes.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for(task: int) -> int | None:
    """Return the wait status of the task; None when it must be stopped."""
    awake, wake = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for each in _FROM_TASK:
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FROM_TASK)
    while True:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == task:
                    return ended[1]
        readable, _, _ = select.select([0, awake], [], [], _LOOK_SECONDS)
        if 0 in readable:
            return None
        with contextlib.suppress(BlockingIOError):
            os.read(awake, 512)


def _end_all(task: int) -> None:
    """Kill the task's group and all other descendants of this process, until none is left."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left
            os.killpg(task, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        kill_descendants(os.getpid())
        time.sleep(0.001)
    print("Processes that the task started could not be ended.", file=sys.stderr)  # noqa: T201, it is the task's log


def _end_as(status: int) -> None:
    """End this process in the same way as the task, so that the workspace sees it."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    faulthandler.disable()  # the task's faulthandler has reported the crash
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # SIGKILL needs no handler
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    os._exit(128 - code)
