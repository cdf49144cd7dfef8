"""A local workspace in a process of its own, which a benchmark tells what to do, line by line.

Whoever is measured then shares neither its interpreter nor its CPU time. It serves https, as Databricks does.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from prefect_databricks_runs.local import LocalWorkspace

ROOT = Path(__file__).parents[2]
_USER_AGENT = "benchmark"
_SUBMIT = "/api/2.2/jobs/runs/submit"
_REMEMBERED = 1_000_000
_STOP_SECONDS = 20
_JOBS = "/jobs/"


@dataclass(frozen=True)
class Seen:
    """What a workspace saw.

    Attributes:
        requests: how many came, by endpoint, such as `GET runs/get`; those of the benchmark itself are left out.
        ends: when each run ended, in seconds since 1970, by its id; those that go on are left out.
        cpu_seconds: what the workspace's process has used.
    """

    requests: dict[str, int]
    ends: dict[int, float]
    cpu_seconds: float


class WorkspaceProcess:
    """The workspace as the benchmark sees it; a context manager.

    Attributes:
        url: its address.
        token: what signs in.
        ca_file: the certificate that clients are to trust.
    """

    url: str
    token: str
    ca_file: str

    def __enter__(self) -> WorkspaceProcess:
        command = [sys.executable, "-W", "ignore", "-m", __name__]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = self._read()
        self.url, self.token, self.ca_file = told["url"], told["token"], told["ca_file"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=_STOP_SECONDS)  # it ends by itself when there is nothing more to read
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def environment(self) -> dict[str, str]:
        """What lets a client's process trust this workspace, whatever its HTTP library."""
        return {"SSL_CERT_FILE": self.ca_file, "REQUESTS_CA_BUNDLE": self.ca_file}

    def submit(self, seconds: Sequence[float], tasks: int = 1) -> list[int]:
        """Start runs, the ends of which are so many seconds after this call comes back.

        Args:
            seconds: when each run is to end.
            tasks: how many tasks each has, side by side; the first one takes as long as the run.

        Returns:
            Their ids.
        """
        ids: list[int] = self._ask({"do": "submit", "seconds": list(seconds), "tasks": tasks})
        return ids

    def requests(self) -> dict[str, int]:
        """How many requests came until now, by endpoint."""
        return dict(self._ask({"do": "requests"}))

    def seen(self) -> Seen:
        """All that it saw until now."""
        told = self._ask({"do": "seen"})
        return Seen(told["requests"], {int(run_id): end for run_id, end in told["ends"].items()}, told["cpu_seconds"])

    def requests_to(self, pattern: str) -> list[int]:
        """When each request that a pattern means came in, in ms since 1970; the benchmark's own too."""
        return list(self._ask({"do": "requests_to", "pattern": pattern}))

    def _ask(self, what: dict[str, Any]) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the workspace's process has ended"
        return json.loads(line)


class _Served:
    """The other side: what is done in the workspace's process."""

    # How long a submission takes at most, on average: runs are started with what is left until they are to end.
    seconds_a_submission = 0.006

    def __init__(self, workspace: LocalWorkspace) -> None:
        self._workspace = workspace

    def submit(self, seconds: Sequence[float], tasks: int) -> list[int]:
        workspace = self._workspace
        begin = time.time() + 0.1 + self.seconds_a_submission * len(seconds)
        headers = {"Authorization": f"Bearer {workspace.token}", "User-Agent": _USER_AGENT}
        ids = []
        with httpx.Client(base_url=workspace.url, headers=headers, verify=str(workspace.ca_file)) as client:
            for number, each in enumerate(seconds):
                body = {"run_name": f"run-{number}", "tasks": _tasks(begin + each - time.time(), tasks, number)}
                ids.append(client.post(_SUBMIT, json=body).raise_for_status().json()["run_id"])
        time.sleep(max(0.0, begin - time.time()))
        return ids

    def requests(self) -> dict[str, int]:
        asked = [each for each in self._workspace.requests if each.user_agent != _USER_AGENT]
        return Counter(f"{each.method} {each.path.partition(_JOBS)[2] or each.path}" for each in asked)

    def seen(self) -> dict[str, Any]:
        ends = {run_id: run["end_time"] / 1000 for run_id, run in self._workspace.runs.items() if run.get("end_time")}
        return {"requests": self.requests(), "ends": ends, "cpu_seconds": time.process_time()}

    def requests_to(self, pattern: str) -> list[int]:
        return [each.started_ms for each in self._workspace.requests_to(pattern)]


def _tasks(seconds: float, count: int, seed: int) -> list[dict[str, Any]]:
    chosen = random.Random(seed)
    shares = [1.0, *(chosen.uniform(0.3, 0.9) for _ in range(count - 1))]
    return [
        {
            "task_key": f"task_{number}",
            "notebook_task": {"notebook_path": "/Shared/nightly"},
            "local_course": {"running": max(0.0, seconds * share), "result": "42 rows"},
        }
        for number, share in enumerate(shares)
    ]


def main() -> None:
    """Serve until the benchmark ends it."""
    with LocalWorkspace(tls=True, max_requests=_REMEMBERED) as workspace:
        served = _Served(workspace)
        print(
            json.dumps({"url": workspace.url, "token": workspace.token, "ca_file": str(workspace.ca_file)}), flush=True
        )
        for line in sys.stdin:
            told = json.loads(line)
            print(json.dumps(getattr(served, told.pop("do"))(**told)), flush=True)


if __name__ == "__main__":
    main()
