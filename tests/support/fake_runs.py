"""A workspace in memory that only has runs: as fast as a test needs it, in whatever time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from prefect_databricks_runs import DatabricksHook
from prefect_databricks_runs._clock import Clock
from prefect_databricks_runs.auth import TokenAuth
from tests.support.answers import HOST, state

_PAGE = 25


@dataclass
class FakeRun:
    """A run with one task, by the seconds at which it starts and ends."""

    run_id: int
    started: float
    ends: float
    tasks: int = 1

    def answer(self, now: float, limit: int | None = None) -> dict[str, Any]:
        is_over = now >= self.ends
        its_state = state("TERMINATED", "SUCCESS") if is_over else state("RUNNING")
        tasks = [{"task_key": f"t{n}", "run_id": self.run_id * 1000 + n, "state": its_state} for n in range(self.tasks)]
        more = {"has_more": True} if limit and self.tasks > limit else {}
        ended = {"end_time": int(1000 * self.ends)} if is_over else {}
        fields = {"run_id": self.run_id, "job_id": 1, "run_name": f"run {self.run_id}", "state": its_state}
        return {**fields, "start_time": int(1000 * self.started), "tasks": tasks[:limit], **ended, **more}


class FakeRuns:
    """Answers `runs/get` and `runs/list`.

    Args:
        clock: Its time.
        seconds: How long a request takes.
    """

    def __init__(self, clock: Clock, seconds: float = 0.0) -> None:
        self.clock = clock
        self.seconds = seconds
        self.runs: dict[int, FakeRun] = {}
        self.requests: Counter[str] = Counter()
        self.lists: list[httpx.QueryParams] = []
        self.faults: dict[str, Callable[[], httpx.Response]] = {}
        self.before_each_list: Callable[[], None] = lambda: None
        self.read_at: dict[int, list[float]] = {}

    def hook(self) -> DatabricksHook:
        transport = httpx.MockTransport(self.answer)
        return DatabricksHook(HOST, TokenAuth("t"), transport=transport, clock=self.clock, retry_limit=1)

    def add(self, run_id: int, started: float, ends: float, **more: Any) -> int:
        self.runs[run_id] = FakeRun(run_id, started, ends, **more)
        return run_id

    @property
    def total(self) -> int:
        return sum(self.requests.values())

    async def answer(self, request: httpx.Request) -> httpx.Response:
        kind = request.url.path.rpartition("/")[2]
        self.requests[kind] += 1
        await self.clock.sleep(self.seconds)
        if kind in self.faults:
            return self.faults[kind]()
        return self._list(request.url.params) if kind == "list" else self._get(int(request.url.params["run_id"]))

    def _get(self, run_id: int) -> httpx.Response:
        if run_id not in self.runs:
            body = {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Run {run_id} does not exist."}
            return httpx.Response(400, json=body)
        return httpx.Response(200, json=self._read(self.runs[run_id]))

    def _read(self, run: FakeRun, limit: int | None = None) -> dict[str, Any]:
        self.read_at.setdefault(run.run_id, []).append(self.clock.monotonic())
        return run.answer(self.clock.time(), limit)

    def _list(self, query: httpx.QueryParams) -> httpx.Response:
        self.before_each_list()
        self.lists.append(query)
        now, latest = self.clock.time(), float(query.get("start_time_to", "inf"))
        found = [run for run in self.runs.values() if 1000 * run.started <= latest]
        if query.get("active_only") == "true":
            found = [run for run in found if now < run.ends]
        found.sort(key=lambda run: (run.started, run.run_id), reverse=True)
        # Like the real one, a page begins after the last run of the one before, wherever that is by now.
        after = json.loads(query.get("page_token", "null"))
        if after:
            found = [run for run in found if [run.started, run.run_id] < after]
        page = found[:_PAGE]
        more = {"next_page_token": json.dumps([page[-1].started, page[-1].run_id])} if found[_PAGE:] else {}
        return httpx.Response(200, json={"runs": [self._read(run, 100) for run in page], **more})
