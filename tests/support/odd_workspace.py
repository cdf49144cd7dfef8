"""A workspace in memory that starts, shows and cancels runs, each token once, and whose answers are odd by turns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import httpx

from prefect_databricks_runs._fields import as_id
from tests.support.answers import state
from tests.support.fake_runs import FakeRun, FakeRuns
from tests.support.virtual_loop import LoopClock

Mutation = Callable[[httpx.Response], httpx.Response]
_REFUSALS = range(300, 500)


@dataclass
class StartedRun(FakeRun):
    """A run that may fail, or be cancelled."""

    result: str = "SUCCESS"

    def answer(self, now: float, limit: int | None = None) -> dict[str, Any]:
        answer = super().answer(now, limit)
        if now < self.ends:
            return answer
        over = state("TERMINATED", self.result)
        return {**answer, "state": over, "tasks": [{**task, "state": over} for task in answer["tasks"]]}


class OddWorkspace(FakeRuns):
    """Runs that are started with a token.

    Args:
        clock: Its time.
        faults: What is done to the answers to which requests, counted from 0.
        seconds: How long a run takes.
        result: How it ends.

    Attributes:
        cancelled: The runs that were to be cancelled.
        maybe_started: Whether an odd answer to a start does not deny that it was done, and no good one came since.
    """

    def __init__(self, clock: LoopClock, faults: Mapping[int, Mutation], *, seconds: float, result: str) -> None:
        super().__init__(clock, seconds=0.01)
        self._odd, self._run_seconds, self._result = faults, seconds, result
        self._by_token: dict[str, int] = {}
        self.cancelled: set[int] = set()
        self.maybe_started = False

    async def answer(self, request: httpx.Request) -> httpx.Response:
        number, path = self.total, request.url.path
        is_start = path.endswith(("runs/submit", "run-now"))
        true = await self._true_answer(request, path, is_start=is_start)
        true.headers["Date"] = formatdate(self.clock.time(), usegmt=True)
        mutate = self._odd.get(number)
        odd = mutate(true) if mutate else true
        if is_start:
            run_id, said = true.json()["run_id"], await _run_id_of(odd)
            if said not in (run_id, None):
                odd = true  # a good answer with the id of another run is a lie, which nobody can tell
            may_be_done = odd.status_code not in (*_REFUSALS, 501)
            self.maybe_started = said is None and (self.maybe_started or may_be_done)
        return odd

    async def _true_answer(self, request: httpx.Request, path: str, *, is_start: bool) -> httpx.Response:
        if path.endswith("get-output"):
            self.requests["get-output"] += 1
            return httpx.Response(200, json={"notebook_output": {"result": "done"}, "metadata": {}})
        if not is_start and not path.endswith("runs/cancel"):
            return await super().answer(request)
        self.requests["start" if is_start else "cancel"] += 1
        await self.clock.sleep(self.seconds)
        body = json.loads(request.content)
        if is_start:
            return httpx.Response(200, json={"run_id": self._start(body["idempotency_token"]), "number_in_job": 1})
        run = self.runs[body["run_id"]]
        self.cancelled.add(run.run_id)
        assert isinstance(run, StartedRun)
        if self.clock.time() < run.ends:
            run.ends, run.result = self.clock.time() + 1, "CANCELED"
        return httpx.Response(200, json={})

    def _start(self, token: str) -> int:
        if token not in self._by_token:
            run_id = self._by_token[token] = 1_000 + len(self.runs)
            now = self.clock.time()
            self.runs[run_id] = StartedRun(run_id, now, now + self._run_seconds, result=self._result)
        return self._by_token[token]


async def _run_id_of(answer: httpx.Response) -> int | None:
    """The id that a good answer to a start has; None if it is not a good one."""
    copy = httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)
    try:
        content = await copy.aread()
        return as_id(json.loads(content)["run_id"]) if copy.is_success else None
    except Exception:
        return None
