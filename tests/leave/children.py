"""Real Prefect workers and `serve` processes, each as if in a terminal of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
POLL_SECONDS = "1"
_PREFECT = "from prefect.cli import app; app()"  # Prefect 2 has no `python -m prefect`
_MARK = "PREFECT_DATABRICKS_RUNS_TEST"
# What is said right before the processes of cancelled flow runs get their signal; Prefect 3 says nothing, but is quick.
_CANCELS = "flow runs awaiting cancellation"


class Child:
    """A process in a session of its own, with all that it starts; a context manager.

    Args:
        command: What is called, after the interpreter.
        api_url: The Prefect server that it uses.
        poll_seconds: How often it asks for flow runs.
    """

    def __init__(self, command: list[str], api_url: str, poll_seconds: str = POLL_SECONDS) -> None:
        self._mark = uuid.uuid4().hex
        self._command = [sys.executable, "-W", "ignore", *command]
        self._environment = {
            **os.environ,
            _MARK: self._mark,
            "PREFECT_API_URL": api_url,
            "PREFECT_RUNNER_POLL_FREQUENCY": poll_seconds,
            "PREFECT_WORKER_QUERY_SECONDS": poll_seconds,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        self._lines: list[tuple[float, str]] = []

    def __enter__(self) -> Child:
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all():
            process.kill()
        self.process.wait()
        self._reader.join()

    @property
    def output(self) -> str:
        """What it and its children have written so far."""
        return "".join(line for _, line in self._lines)

    def cancels_at(self, asked_at: float) -> float:
        """When it told the processes of flow runs that they are cancelled; if it did not say so, when it was asked."""
        said = [at for at, line in self._lines if _CANCELS in line and at >= asked_at]
        return min(said, default=asked_at)

    def ctrl_c(self) -> None:
        """What a terminal does: SIGINT to it and to those of its children that are in its process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def stop(self) -> None:
        """SIGTERM to it alone."""
        self.process.send_signal(signal.SIGTERM)

    def flow_process(self, flow_run_id: str) -> psutil.Process:
        """The process of a flow run that a worker has started."""
        (process,) = [each for each in self._all() if _variable(each, "PREFECT__FLOW_RUN_ID") == flow_run_id]
        return process

    def is_gone(self) -> bool:
        """Whether neither it nor anything that it started is there any more."""
        return self.process.poll() is not None and not any(is_alive(process) for process in self._all())

    def _all(self) -> Iterator[psutil.Process]:
        return (each for each in psutil.process_iter() if _variable(each, _MARK) == self._mark)

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self._lines.append((time.time(), line))


def is_alive(process: psutil.Process) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _variable(process: psutil.Process, name: str) -> str | None:
    try:
        return process.environ().get(name)
    except psutil.Error:
        return None


def worker(work_pool_name: str, api_url: str, poll_seconds: str = POLL_SECONDS) -> Child:
    """A process worker."""
    command = ["-c", _PREFECT, "worker", "start", "--pool", work_pool_name, "--type", "process"]
    return Child(command, api_url, poll_seconds)


def serving(flow: str, name: str, api_url: str, module: str = "tests.leave.deployed_flows") -> Child:
    """A process that serves a flow of a module."""
    script = f"import {module} as flows\nflows.{flow}.serve({name!r})"
    return Child(["-c", script], api_url)
