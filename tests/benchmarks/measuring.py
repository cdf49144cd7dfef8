"""One measurement of one contender: it waits for so many runs, with a workspace and a Prefect server of its own."""

from __future__ import annotations

import math
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.benchmarks.contenders.parent import Contender, ContenderProcess, Told
from tests.benchmarks.workspace_process import Seen, WorkspaceProcess
from tests.support.prefect_proxy import PrefectProxy

# What a contender that gives up has until it must have said so.
_SPARE_SECONDS = 60


@dataclass(frozen=True)
class Load:
    """What is waited for.

    Attributes:
        runs: how many runs.
        tasks: how many tasks each has.
        seconds: how long after the clock has started each of them ends: from, to.
        seed: chooses within these; the same runs for every contender.
        limit: after how many seconds a contender is stopped.
    """

    runs: int
    tasks: int = 1
    seconds: tuple[float, float] = (20.0, 30.0)
    seed: int = 0
    limit: float = 300.0

    @property
    def ends(self) -> list[float]:
        """When each run ends, in seconds after the clock has started."""
        chosen = random.Random(self.seed)
        return [chosen.uniform(*self.seconds) for _ in range(self.runs)]


@dataclass(frozen=True)
class Result:
    """What one contender cost.

    Attributes:
        contender: who.
        runs: for how many runs.
        tasks: of so many tasks.
        noticed: how many of them it noticed the end of.
        delay_median: seconds from a run's end, by Databricks, to its notice; None when fewer were noticed.
        delay_p99: the same, of 99 in 100.
        delay_worst: the same, of all.
        requests: to Databricks, by endpoint.
        requests_in_all: their number.
        requests_a_second: on average, while it waited.
        prefect_calls: HTTP calls to Prefect that were answered.
        prefect_calls_failed: those that were not, or with an error of the server.
        prefect_messages: events, over a websocket.
        cpu_seconds: of its process, user and system, without its imports.
        memory_peak: of its process, in MB.
        memory_over_imports: what of this it did not have after its imports.
        seconds: from the start of the clock to its end.
        workspace_cpu_seconds: of the workspace's process, in this time.
        note: what went wrong.
    """

    contender: str
    runs: int
    tasks: int
    noticed: int
    delay_median: float | None
    delay_p99: float | None
    delay_worst: float | None
    requests: dict[str, int]
    requests_in_all: int
    requests_a_second: float
    prefect_calls: int
    prefect_calls_failed: int
    prefect_messages: int
    cpu_seconds: float
    memory_peak: float
    memory_over_imports: float
    seconds: float
    workspace_cpu_seconds: float
    note: str


def measure(contender: Contender, load: Load, prefect_api_url: str = "", **options: Any) -> Result:
    """Let one contender wait for runs that have been started already.

    Args:
        contender: who.
        load: for what.
        prefect_api_url: a Prefect API; without it a contender that needs one has a server of its own.
        options: what it is told beside its own options.
    """
    with ExitStack() as stack:
        workspace = stack.enter_context(WorkspaceProcess())
        proxy = None
        if contender.uses_prefect:
            server_api_url = prefect_api_url or stack.enter_context(PrefectServer()).api_url
            proxy = stack.enter_context(PrefectProxy(server_api_url))
        process = stack.enter_context(ContenderProcess(contender, workspace, proxy.api_url if proxy else ""))
        run_ids = workspace.submit(load.ends, load.tasks)
        before = workspace.seen()
        began = time.time()
        process.begin(run_ids, load.limit, **options)
        told = process.end(load.limit + _SPARE_SECONDS)
        return _result(contender, load, told, workspace.seen(), proxy, began, before.cpu_seconds)


def _result(
    contender: Contender,
    load: Load,
    told: Told,
    seen: Seen,
    proxy: PrefectProxy | None,
    began: float,
    workspace_cpu_seconds: float,
) -> Result:
    delays = sorted(
        told.notices[run_id] - end if run_id in told.notices else math.inf for run_id, end in seen.ends.items()
    )
    seconds = told.ended - began
    calls = proxy.calls if proxy else []
    failed = sum(call.status is None or call.status >= 500 for call in calls)
    requests = sum(seen.requests.values())
    return Result(
        contender=contender.name,
        runs=load.runs,
        tasks=load.tasks,
        noticed=len(told.notices),
        delay_median=_quantile(delays, 0.5),
        delay_p99=_quantile(delays, 0.99),
        delay_worst=_quantile(delays, 1),
        requests=dict(sorted(seen.requests.items())),
        requests_in_all=requests,
        requests_a_second=round(requests / seconds, 2),
        prefect_calls=len(calls) - failed,
        prefect_calls_failed=failed,
        prefect_messages=proxy.websocket_messages if proxy else 0,
        cpu_seconds=round(told.cpu_seconds, 2),
        memory_peak=told.memory_peak,
        memory_over_imports=round(told.memory_peak - told.memory_of_imports, 1),
        seconds=round(seconds, 1),
        workspace_cpu_seconds=round(seen.cpu_seconds - workspace_cpu_seconds, 2),
        note=told.note,
    )


def _quantile(ordered: list[float], share: float) -> float | None:
    """The least of these that so many are not above; None when that is not known."""
    value = ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf
    return None if math.isinf(value) else round(value, 2)
