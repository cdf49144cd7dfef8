"""The process around a task: it ends with the task or before, and takes along every process that the task started.

It is forked before the user's code begins, so that it costs a few milliseconds. On Linux it adopts what the task's
processes leave behind ("subreaper"), also a daemon that forked twice and has a session of its own, and ends it.
Elsewhere it can end the task's process group only.
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


def run_under_supervision() -> None:
    """Fork, and return in the new process, which runs the task; this one waits for it and ends as it does.

    Stdin is a pipe that nobody writes to. When its other end is closed, the task and all that it started is killed.
    The stdin of the task is such a pipe from this process, so that the task ends also when this process is killed.
    """
    _adopt_orphans()
    lifeline, held = os.pipe()
    task = os.fork()
    if task == 0:
        os.close(held)
        os.dup2(lifeline, 0)
        os.close(lifeline)
        with contextlib.suppress(PermissionError):  # the parent was faster, and this has begun
            os.setpgid(0, 0)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(task, task)  # here too: whoever is first, what is killed below is its group
    os.close(lifeline)
    status = _wait_for(task)
    if status is None:
        _end_all(task)
        os._exit(1)  # nobody asks how it ended
    _end_all(task)
    _end_as(status)


def _adopt_orphans() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    # Not inherited by the task. A system without it is one where daemons are not held.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for(task: int) -> int | None:
    """Return the wait status of the task; None when it is to be stopped."""
    awake, wake = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # what the task sends to its parent is no reason
        signal.signal(each, signal.SIG_IGN)
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
    """Kill the task's group and everything else that descends from this process, until there is nothing left."""
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
    """End this process as the task has ended, for the workspace to see."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    faulthandler.disable()  # the task's has written all that there is to say
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # SIGKILL needs no handler
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    os._exit(128 - code)
