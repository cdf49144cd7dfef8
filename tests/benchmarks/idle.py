"""What it costs to wait while nothing happens, and what waiting for very many runs takes.

    python -m tests.benchmarks.idle --json idle.json

Three measurements of `wait_for_runs` in a process of its own, seen from outside:

* the share of one core that it uses while none of 2,000 runs changes and 10 requests a second are sent,
* by how much its memory grows with each request, over 10,000 of them,
* the memory that it takes to wait for 10,000 short runs to their end.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.benchmarks.contenders.parent import OURS, Contender, ContenderProcess
from tests.benchmarks.measuring import Load, Result, measure
from tests.benchmarks.workspace_process import WorkspaceProcess

_KILOBYTE = 1024
_MEGABYTE = 1024 * _KILOBYTE
_FOR_EVER = 10**7
# So short that the limit alone says how often is asked.
_POLLING_PERIOD = 0.05
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Idle:
    """What waiting costs while nothing changes.

    Attributes:
        runs: for how many runs.
        requests: how many were sent meanwhile.
        requests_a_second: so many, on average.
        cpu_share: of one core, 0 to 1.
        cpu_milliseconds_a_request: the same for each request.
        memory: at the end, in MB.
        kilobytes_a_request: by how much the memory has grown, over the number of requests.
        seconds: how long it was looked at.
    """

    runs: int
    requests: int
    requests_a_second: float
    cpu_share: float
    cpu_milliseconds_a_request: float
    memory: float
    kilobytes_a_request: float
    seconds: float


def idle(
    runs: int,
    requests: int,
    *,
    rate: float = 10.0,
    warm_up: int = 300,
    contender: Contender = OURS,
    prefect_api_url: str = "",
) -> Idle:
    """Look at a process that waits for runs which just go on.

    Args:
        runs: how many.
        requests: how many requests to look at.
        rate: how many a second it may send.
        warm_up: how many to let pass first, while caches fill.
        contender: who waits.
        prefect_api_url: a Prefect API; a server of its own without it.
    """
    with ExitStack() as stack:
        workspace = stack.enter_context(WorkspaceProcess())
        api_url = prefect_api_url or stack.enter_context(PrefectServer()).api_url
        waiting = stack.enter_context(ContenderProcess(contender, workspace, api_url))
        run_ids = workspace.submit([_FOR_EVER] * runs)
        waiting.begin(run_ids, _FOR_EVER, requests_per_second=rate, polling_period_seconds=_POLLING_PERIOD)
        process = waiting.process
        first = _wait_for(workspace, warm_up, waiting)
        began, cpu, memory = time.monotonic(), sum(process.cpu_times()[:2]), process.memory_info().rss
        sent = _wait_for(workspace, first + requests, waiting) - first
        seconds, used = time.monotonic() - began, sum(process.cpu_times()[:2]) - cpu
        now = process.memory_info().rss
        return Idle(
            runs=runs,
            requests=sent,
            requests_a_second=round(sent / seconds, 1),
            cpu_share=round(used / seconds, 3),
            cpu_milliseconds_a_request=round(1000 * used / sent, 2),
            memory=round(now / _MEGABYTE, 1),
            kilobytes_a_request=round((now - memory) / _KILOBYTE / sent, 3),
            seconds=round(seconds, 1),
        )


def _wait_for(workspace: WorkspaceProcess, requests: int, waiting: ContenderProcess) -> int:
    """Come back when so many requests were sent; returns how many they are."""
    while (sent := sum(workspace.requests().values())) < requests:
        if not waiting.is_going:
            raise RuntimeError(f"It waits no more:\n{waiting.log}")
        time.sleep(_LOOK_SECONDS)
    return sent


def tables(idles: list[Idle], many: Result) -> list[Table]:
    """What is printed."""
    first = Table("", *(f"{each.runs} runs, {each.requests} requests" for each in idles))
    names = "requests_a_second", "cpu_share", "cpu_milliseconds_a_request", "memory", "kilobytes_a_request", "seconds"
    for name in names:
        first.add_row(name, *(str(getattr(each, name)) for each in idles))
    second = Table("", f"{many.runs} short runs")
    for name in ("noticed", "delay_median", "delay_worst", "requests_in_all", "cpu_seconds", "memory_peak", "note"):
        second.add_row(name, str(getattr(many, name)))
    return [first, second]


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000, help="that go on while nothing changes")
    parser.add_argument("--requests", type=int, default=1000, help="at 10 a second, for the share of a core")
    parser.add_argument("--more-requests", type=int, default=10_000, help="at --rate a second, for the growth")
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--many", type=int, default=10_000, help="short runs, which all end")
    parser.add_argument("--seconds", type=float, nargs=2, default=(20, 120), help="when they end: from, to")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    idles = [
        idle(arguments.runs, arguments.requests),
        idle(arguments.runs, arguments.more_requests, rate=arguments.rate),
    ]
    many = measure(OURS, Load(arguments.many, seconds=tuple(arguments.seconds), limit=3600))
    for table in tables(idles, many):
        Console().print(table)
    if arguments.json:
        numbers = {"idle": [asdict(each) for each in idles], "many": asdict(many)}
        arguments.json.write_text(json.dumps(numbers, indent=1), "utf-8")


if __name__ == "__main__":
    main()
