"""How fast the local workspace answers while many simulated runs are going, and what they cost.

    python -m tests.benchmarks.local_workspace --runs 2000 --tasks 10 --json local_workspace.json

The workspace is a process of its own. All runs are submitted first, with simulated tasks that take some seconds. While
all of them are going, `runs/get` is asked for runs chosen at random.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

_MEGABYTE = 1024 * 1024
_SUBMIT = "/api/2.2/jobs/runs/submit"
_GET = "/api/2.2/jobs/runs/get"
_LIST = "/api/2.2/jobs/runs/list"


@dataclass(frozen=True)
class Result:
    """What was measured: times in ms, memory in MB, CPU in s."""

    runs: int
    tasks: int
    submit_median: float
    get_median: float
    get_p99: float
    list_median: float
    memory: float
    cpu: float
    seconds_until_all_over: float


def measure(runs: int, tasks: int, seconds: float = 20.0, gets: int = 500) -> Result:
    """Runs the benchmark.

    Args:
        runs: how many runs are going at once.
        tasks: how many tasks each has, one after the other in two rows.
        seconds: how long each task runs.
        gets: how many times `runs/get` is asked.
    """
    command = [sys.executable, "-W", "ignore", "-m", "prefect_databricks_runs", "local", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as process:
        try:
            host, token = (_printed(process) for _ in range(2))
            with httpx.Client(base_url=host, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                return _measured(client, psutil.Process(process.pid), runs, tasks, seconds, gets)
        finally:
            process.terminate()


def _printed(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return re.sub(r"^\w+=", "", process.stdout.readline()).strip()


def _measured(
    client: httpx.Client, process: psutil.Process, runs: int, tasks: int, seconds: float, gets: int
) -> Result:
    body = {"tasks": [_task(number, seconds) for number in range(tasks)]}
    submits, ids = [], []
    for _ in range(runs):
        begin = time.perf_counter()
        ids.append(client.post(_SUBMIT, json=body).raise_for_status().json()["run_id"])
        submits.append(time.perf_counter() - begin)
    chosen = random.Random(0)
    times = [_timed(client, _GET, {"run_id": chosen.choice(ids)}) for _ in range(gets)]
    lists = [_timed(client, _LIST, {"active_only": "true", "limit": "25"}) for _ in range(gets // 10)]
    memory = process.memory_info().rss / _MEGABYTE
    begin = time.monotonic()
    while "runs" in client.get(_LIST, params={"active_only": "true", "limit": "1"}).json():
        time.sleep(0.5)
    used = process.cpu_times()
    return Result(
        runs=runs,
        tasks=tasks,
        submit_median=_ms(statistics.median(submits)),
        get_median=_ms(statistics.median(times)),
        get_p99=_ms(sorted(times)[int(len(times) * 0.99)]),
        list_median=_ms(statistics.median(lists)),
        memory=round(max(memory, process.memory_info().rss / _MEGABYTE), 1),
        cpu=round(used.user + used.system, 2),
        seconds_until_all_over=round(time.monotonic() - begin, 1),
    )


def _task(number: int, seconds: float) -> dict[str, Any]:
    """A task of two rows that run side by side."""
    task = {
        "task_key": f"task_{number}",
        "notebook_task": {"notebook_path": "/Shared/nightly", "base_parameters": {"day": "2026-11-24"}},
        "local_course": {"running": seconds, "result": "42 rows"},
    }
    return {**task, "depends_on": [{"task_key": f"task_{number - 2}"}]} if number > 1 else task


def _timed(client: httpx.Client, path: str, query: dict[str, Any]) -> float:
    begin = time.perf_counter()
    client.get(path, params=query).raise_for_status()
    return time.perf_counter() - begin


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each task runs")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    results = [measure(count, arguments.tasks, arguments.seconds) for count in (1, arguments.runs)]
    table = Table("", *(f"{result.runs} x {result.tasks} tasks" for result in results))
    for name in asdict(results[0]):
        table.add_row(name, *(str(getattr(result, name)) for result in results))
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1), "utf-8")


if __name__ == "__main__":
    main()
