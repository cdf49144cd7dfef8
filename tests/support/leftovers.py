"""Whatever ends a process of pytest, nothing that its tests have started or written stays: a small process sees to it.

    python leftovers.py PID MARK FOLDER

It waits until the process PID, which has started it, is gone. Then it ends every process that has the mark in its
environment, and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

VARIABLE = "TESTS_OF_DATABRICKS_RUNS"  # a Prefect server of the tests is given no variable that begins with PREFECT
PREFIX = "prefect-databricks-runs-tests-"
_LOOK_SECONDS = 0.5
_ROUNDS = 20

_started: subprocess.Popen[bytes]


def own_folder() -> Path:
    """Give this process a folder for all that it and its children write, which goes when it is gone, however it ends.

    What pytest keeps for people to look at, the folders of `tmp_path`, stays where it was.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=os.environ["PYTEST_DEBUG_TEMPROOT"])
    os.chmod(folder, 0o711)  # PostgreSQL, which a test starts, runs as another user, and has a folder in this one
    # A pytest that a test starts is among what goes with the outer one: its mark begins with that one's.
    os.environ[VARIABLE] = f"{os.environ.get(VARIABLE, '')}/{Path(folder).name}"
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    command = [sys.executable, __file__, str(os.getpid()), os.environ[VARIABLE], folder]
    global _started  # noqa: PLW0603 - Python warns of a process that nobody keeps and that has not ended
    _started = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends a whole group must not end this
    )
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    return Path(folder)


def main() -> None:
    """Wait, and tidy up."""
    parent, mark, folder = sys.argv[1:]
    while os.getppid() == int(parent):
        time.sleep(_LOOK_SECONDS)
    for _ in range(_ROUNDS):  # what is ended may have started another one, and may still be writing
        killed = _kill(mark)
        shutil.rmtree(folder, ignore_errors=True)
        if not killed and not Path(folder).exists():
            return
        time.sleep(_LOOK_SECONDS / 5)


def _kill(mark: str) -> int:
    import psutil  # late: while the tests run, this is to be small

    killed = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            its = process.environ().get(VARIABLE, "")
            if its == mark or its.startswith(f"{mark}/"):
                process.kill()
                killed += 1
    return killed


if __name__ == "__main__":
    main()
