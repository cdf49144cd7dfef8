"""The local workspace answers as fast when many runs are going as when one is; the numbers are in the benchmark."""

from __future__ import annotations

import statistics
import time

from tests.benchmarks.local_workspace import measure
from tests.local.client import API, Client
from tests.local.simulated import simulated, task

TEN_TASKS = [task(f"task_{number}") for number in range(10)]


def median_of_gets(client: Client, run_id: int, count: int = 100) -> float:
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        client.http.get(f"{API}/runs/get", params={"run_id": run_id})
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def test_a_run_is_answered_as_fast_when_hundreds_are_going() -> None:
    with simulated({"*": {"running": 60}}) as client:
        first = client.submit(*TEN_TASKS)
        alone = median_of_gets(client, first)
        for _ in range(300):
            client.submit(*TEN_TASKS)
        among_many = median_of_gets(client, first)
        client.workspace.advance(60)
        assert client.get("runs/list", active_only="true") == {}
    # They are the same but for noise; an answer that looked at all runs would take hundreds of times as long.
    assert among_many < 10 * alone


def test_the_benchmark_itself_runs() -> None:
    result = measure(runs=3, tasks=2, seconds=0.2, gets=10)
    assert result.memory > 0
    assert result.get_median > 0
