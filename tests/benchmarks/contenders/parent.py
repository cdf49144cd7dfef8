"""A contender as the benchmark sees it: a process that is ready, is given its order, and tells what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.benchmarks.contenders.child import MARK
from tests.benchmarks.peers import PEERS_PYTHON
from tests.benchmarks.workspace_process import ROOT, WorkspaceProcess

_READY_SECONDS = 120
_OUR_PYTHON = Path(sys.executable)


@dataclass(frozen=True)
class Contender:
    """Somebody who waits for runs.

    Attributes:
        name: what the table calls it.
        module: the module of `tests.benchmarks.contenders` that it is.
        uses_prefect: whether it needs a Prefect server.
        is_peer: whether it needs the environment of the peers.
        options: what its module is told.
    """

    name: str
    module: str
    uses_prefect: bool = True
    is_peer: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def missing(self) -> str:
        """Why it cannot be measured here; empty when it can."""
        if not self.is_peer:
            return ""
        if not PEERS_PYTHON.exists():
            return "needs `python -m tests.benchmarks.peers`"
        return "" if PREFECT_3 else "needs a server of Prefect 3"


OURS = Contender("ours", "ours")
OURS_EACH = Contender("ours-each", "ours_each")
SDK = Contender("sdk", "sdk", uses_prefect=False)
SDK_POLITE = Contender("sdk-polite", "sdk", uses_prefect=False, options=(("requests_per_second", 10.0),))
PREFECT_DATABRICKS = Contender("prefect-databricks", "prefect_databricks_flow", is_peer=True)


@dataclass(frozen=True)
class Told:
    """What a contender told, times in s and memory in MB.

    Attributes:
        notices: when it noticed each end, since 1970.
        cpu_seconds: of its process, without its imports.
        cpu_seconds_of_imports: those before its clock started.
        memory_of_imports: what it had when all was imported.
        memory_peak: the most that it had.
        ended: when all was done, since 1970.
        note: what went wrong.
        extra: what only this one tells.
    """

    notices: dict[int, float]
    cpu_seconds: float
    cpu_seconds_of_imports: float
    memory_of_imports: float
    memory_peak: float
    ended: float
    note: str
    extra: dict[str, Any]


class ContenderProcess:
    """A contender's process; a context manager that comes back when all is imported.

    Args:
        contender: who.
        workspace: the workspace that it is to trust.
        prefect_api_url: the Prefect API that it is to use.
    """

    def __init__(self, contender: Contender, workspace: WorkspaceProcess, prefect_api_url: str = "") -> None:
        self._contender, self._workspace = contender, workspace
        self._prefect_api_url = prefect_api_url

    def __enter__(self) -> ContenderProcess:
        self._home = tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True)
        self._errors = tempfile.TemporaryFile("w+")
        python = PEERS_PYTHON if self._contender.is_peer else _OUR_PYTHON
        module = f"{__package__}.{self._contender.module}"
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", module],
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._tell(_READY_SECONDS)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()
        self._home.cleanup()

    @property
    def process(self) -> psutil.Process:
        """The process, to look at it from outside."""
        return psutil.Process(self._process.pid)

    @property
    def is_going(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """The end of what it has written on stderr."""
        self._errors.seek(0)
        return self._errors.read()[-4000:]

    def begin(self, run_ids: list[int], limit: float, **options: Any) -> None:
        """Start its clock; it gives up after so many seconds."""
        order = {
            "url": self._workspace.url,
            "token": self._workspace.token,
            "run_ids": run_ids,
            "limit": limit,
            "options": {**dict(self._contender.options), **options},
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def end(self, seconds: float) -> Told:
        """What it told when it had ended; it may take so many seconds."""
        told = self._tell(seconds)
        notices = {int(run_id): time for run_id, time in told.pop("notices").items()}
        return Told(notices=notices, **told)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DATABRICKS_"))}
        return {
            **kept,
            **self._workspace.environment,
            "HOME": self._home.name,  # where databricks-sdk looks for a profile
            "PREFECT_HOME": self._home.name,
            "PREFECT_API_URL": self._prefect_api_url,
        }

    def _tell(self, seconds: float) -> dict[str, Any]:
        """The next thing that it says; what else its libraries print is passed over."""
        assert self._process.stdout
        killer = threading.Timer(seconds, self._process.kill)
        killer.start()
        try:
            for line in self._process.stdout:
                if line.startswith(MARK):
                    told: dict[str, Any] = json.loads(line.removeprefix(MARK))
                    return told
        finally:
            killer.cancel()
        raise RuntimeError(f"{self._contender.name} said nothing for {seconds:g} s, or has ended:\n{self.log}")
