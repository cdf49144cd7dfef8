"""What it costs to watch many suspended flow runs with one watcher, beside processes that wait.

    python -m tests.benchmarks.suspended --count 1000
    python -m tests.benchmarks.suspended --count 180     # on Prefect 2

It suspends so many flow runs, whose Databricks runs take 2 to 5 minutes from when all are watched, watches them with
the command `watch` in its own process, and prints what that process has asked and used, and how long after the end
of its run each flow run was resumed. `--processes 10` lets so many flow runs wait with a process each, and multiplies.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil

from prefect_databricks_runs.local import LocalWorkspace

SUBMIT = "/api/2.2/jobs/runs/submit"
_STARTS_AT_ONCE = 8
_START_SECONDS = 0.1
# What runs of 200 seconds have. Here they are watched for longer than they last, because their time stands still.
_PERIOD, _PERIOD_FROM_SECONDS = 10.0, 200.0
_LONG_SECONDS = 3600.0
_CALM_SECONDS, _CALM_CALLS = 10, 12
_BLOCK = "suspended-benchmark"
_FLOW = """
import sys
from prefect_databricks_runs import DatabricksCredentials, wait_for_run
_, block, run_id, period = sys.argv
wait_for_run(DatabricksCredentials.load(block), int(run_id), polling_period_seconds=float(period))
"""


@dataclass(frozen=True)
class Cost:
    """What a watcher, or waiting processes, cost.

    Attributes:
        who: Which.
        count: For how many flow runs.
        databricks_a_minute: Requests to Databricks a minute, while nothing changed.
        prefect_a_minute: Requests to Prefect a minute, while nothing changed.
        megabytes: Resident memory, of all processes.
        resumed: How many flow runs were resumed.
        delay_median: Seconds from the end of a run to `Resuming`.
        delay_worst: The same, of all.
    """

    who: str
    count: int
    databricks_a_minute: float
    prefect_a_minute: float
    megabytes: float
    resumed: int = 0
    delay_median: float = math.nan
    delay_worst: float = math.nan


class Bench:
    """A workspace, a Prefect server, and flow runs that are suspended.

    Args:
        stack: What stops them.
        seconds: How long the runs take.
        seed: Chooses within these.
    """

    def __init__(self, stack: ExitStack, seconds: tuple[float, float], seed: int = 0) -> None:
        from prefect.settings import PREFECT_API_URL, temporary_settings

        from prefect_databricks_runs import DatabricksCredentials
        from prefect_databricks_runs.demo.servers import PrefectServer
        from tests.support.prefect_api import PrefectApi
        from tests.support.prefect_proxy import PrefectProxy

        chooser = random.Random(seed)
        self._stack = stack
        self._seconds = seconds
        script = lambda _start: {"running": chooser.uniform(*self._seconds)}  # noqa: E731 - as short as it is
        # Its time stands still until all are suspended and watched, which takes minutes on a slow machine.
        self.workspace = stack.enter_context(LocalWorkspace(script=script, concurrency=10_000, virtual_time=True))
        self._began = math.nan
        self._server = stack.enter_context(PrefectServer())
        self._proxy = stack.enter_context(PrefectProxy(self._server.api_url))
        self._api = PrefectApi(self._server)
        with temporary_settings({PREFECT_API_URL: self._server.api_url}):
            block = DatabricksCredentials(host=self.workspace.url, token=self.workspace.token)
            self._block_id = str(block.save(_BLOCK))

    def watched(self, count: int, quiet_seconds: float, limit: float) -> Cost:
        """Suspend flow runs, watch them, and measure."""
        from tests.leave.children import Child

        started = self._suspend(count)
        command = ["-m", "prefect_databricks_runs", "watch", "--block", _BLOCK]
        with Child(command, self._proxy.api_url) as watcher:
            process = psutil.Process(watcher.process.pid)
            self._until(lambda: f"**{count} suspended flow runs**" in self._page(), limit)
            self._until(self._is_calm, limit)
            quiet = self._quiet(quiet_seconds)
            self._let_time_pass()
            memory = process.memory_info().rss / 1e6
            resumed = self._until_resumed(started, limit)
            memory = max(memory, process.memory_info().rss / 1e6)
        delays = sorted(resumed.values())
        return Cost(
            "one watcher",
            count,
            *quiet,
            round(memory, 1),
            len(delays),
            round(delays[len(delays) // 2], 2) if delays else math.nan,
            round(delays[-1], 2) if delays else math.nan,
        )

    def waiting(self, processes: int, count: int, quiet_seconds: float) -> Cost:
        """Let some flow runs wait with a process each, and multiply what they cost."""
        from tests.leave.children import Child

        self._seconds = (_LONG_SECONDS, _LONG_SECONDS)  # none ends while it is measured
        children = []
        for _ in range(processes):
            run_id = self._start()
            child = Child(["-c", _FLOW, _BLOCK, str(run_id), str(_PERIOD)], self._proxy.api_url)
            children.append(self._stack.enter_context(child))
        youngest = time.monotonic()
        self._until(lambda: time.monotonic() - youngest > _PERIOD_FROM_SECONDS, math.inf)
        self._until(self._is_calm, 600)
        databricks, prefect = self._quiet(quiet_seconds)
        times = count / processes
        memory = sum(psutil.Process(each.process.pid).memory_info().rss for each in children) / 1e6
        return Cost(
            f"{processes} processes, times {times:g}", count, databricks * times, prefect * times, memory * times
        )

    def _let_time_pass(self) -> None:
        """Let a second of the workspace take a second from here on."""
        over = threading.Event()

        def advance() -> None:
            before = self._began
            while not over.wait(0.2):
                now = time.time()
                self.workspace.advance(now - before)
                before = now

        self._began = time.time()
        thread = threading.Thread(target=advance)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(over.set)

    def _suspend(self, count: int) -> dict[str, int]:
        from prefect_databricks_runs._start.pause_key import PauseKey

        flow_id = self._api._post("/flows/", {"name": "suspended-benchmark"})["id"]
        body = {"name": f"benchmark-{uuid4()}", "flow_id": flow_id}
        deployment_id = self._api._post("/deployments/", body)["id"]
        started: dict[str, int] = {}
        for _ in range(count):
            scheduled = {"state": {"type": "SCHEDULED"}}
            flow_run = self._api._post(f"/deployments/{deployment_id}/create_flow_run", scheduled)
            started[flow_run["id"]] = 0
        with ThreadPoolExecutor(_STARTS_AT_ONCE) as pool:
            run_ids = list(pool.map(lambda _: self._start(), started))
        for flow_run_id, run_id in zip(started, run_ids, strict=True):
            started[flow_run_id] = run_id
            key = PauseKey(self.workspace.url, UUID(self._block_id), (run_id,), polling_period_seconds=_PERIOD)
            details = {"pause_key": str(key), "pause_reschedule": True, "pause_timeout": "2100-01-01T00:00:00+00:00"}
            self._set(flow_run_id, {"type": "RUNNING", "name": "Running"})
            self._set(flow_run_id, {"type": "PAUSED", "name": "Suspended", "state_details": details})
            metadata = {"databricks_host": self.workspace.url, "databricks_run_id": str(run_id)}
            artifact = {"key": f"databricks-run-{run_id}", "type": "markdown", "data": "", "metadata_": metadata}
            self._api._post("/artifacts/", {**artifact, "flow_run_id": flow_run_id})
        return started

    def _start(self) -> int:
        # One after the other, as fast as Databricks takes them: runs of one millisecond would be on no page of a list.
        self.workspace.advance(_START_SECONDS)
        headers = {"Authorization": f"Bearer {self.workspace.token}", "User-Agent": "benchmark"}
        body = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}
        answer = httpx.post(f"{self.workspace.url}{SUBMIT}", json=body, headers=headers, timeout=60)
        return int(answer.raise_for_status().json()["run_id"])

    def _set(self, flow_run_id: str, state: dict[str, Any]) -> None:
        self._api._post(f"/flow_runs/{flow_run_id}/set_state", {"state": state, "force": True})

    def _page(self) -> str:
        found = self._api._post("/artifacts/filter", {"artifacts": {"key": {"like_": "databricks-watcher-%"}}})
        return str([each["data"] for each in found])

    def _is_calm(self) -> bool:
        """Whether all that was found at the start is drawn."""
        before = len(self._proxy.calls)
        time.sleep(_CALM_SECONDS)
        return len(self._proxy.calls) - before <= _CALM_CALLS

    def _quiet(self, seconds: float) -> tuple[float, float]:
        """Requests a minute to Databricks and to Prefect."""
        databricks, prefect = len(self.workspace.requests), len(self._proxy.calls)
        time.sleep(seconds)
        minutes = seconds / 60
        return (
            round((len(self.workspace.requests) - databricks) / minutes, 1),
            round((len(self._proxy.calls) - prefect) / minutes, 1),
        )

    def _until(self, what: Any, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            if time.monotonic() > deadline:
                raise TimeoutError("It did not come to that.")
            time.sleep(1)

    def _until_resumed(self, started: dict[str, int], limit: float) -> dict[str, float]:
        """Return how long after the end of its run each flow run was resumed."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            body = {"flow_runs": {"state": {"name": {"any_": ["Suspended"]}}}, "limit": 1}
            if not self._api._post("/flow_runs/filter", body):
                break
            time.sleep(2)
        delays: dict[str, float] = {}
        runs = self.workspace.runs
        stood_still_at = max(runs[run_id]["start_time"] for run_id in started.values())
        for flow_run_id, run_id in started.items():
            states = self._api._request("GET", "/flow_run_states/", params={"flow_run_id": flow_run_id}).json()
            resuming = [each["timestamp"] for each in states if each["name"] == "Resuming"]
            if resuming:
                ended = self._began + (runs[run_id]["end_time"] - stood_still_at) / 1000
                delays[flow_run_id] = _seconds(resuming[0]) - ended
        return delays


def _seconds(timestamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=0)
    parser.add_argument("--seconds", type=float, nargs=2, default=(120.0, 300.0), help="how long a run takes")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        warnings.catch_warnings(),
        ExitStack() as stack,
    ):
        warnings.simplefilter("ignore")
        os.environ["PREFECT_HOME"] = home  # before Prefect is imported, which reads it then
        bench = Bench(stack, tuple(arguments.seconds))
        costs = [bench.watched(arguments.count, 60, 1800)]
        if arguments.processes:
            costs.append(bench.waiting(arguments.processes, arguments.count, 60))
        print(json.dumps([asdict(each) for each in costs], indent=1))


if __name__ == "__main__":
    sys.exit(main())
