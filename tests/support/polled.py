"""A run that is polled on a clock that nobody waits for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx

from prefect_databricks_runs import DatabricksHook, Run
from prefect_databricks_runs._prefect.own_faults import OwnFaults
from prefect_databricks_runs._wait.outages import Outages
from prefect_databricks_runs._wait.run_reader import RunReader
from prefect_databricks_runs._wait.watch import Watch
from prefect_databricks_runs.auth import TokenAuth
from tests.support.answers import HOST, RUN_ID, run
from tests.support.clocks import FakeClock

REQUEST_SECONDS = 60.0  # how long a hook waits for an answer by itself


class Polled:
    """Answers each `runs/get` by what `course` says of that moment, and tells whom it told."""

    def __init__(self, course: Any) -> None:
        self.clock = FakeClock()
        self.began = self.clock.now
        self.course = course
        self.polled_at: list[float] = []
        self.seen: list[Run] = []

    def answer(self, _request: httpx.Request) -> httpx.Response:
        seconds = self.clock.now - self.began
        self.polled_at.append(seconds)
        what = self.course(seconds)
        if isinstance(what, httpx.TimeoutException):
            self.clock.now += REQUEST_SECONDS
        if isinstance(what, Exception):
            raise what
        return what if isinstance(what, httpx.Response) else httpx.Response(200, json=what)

    async def on_change(self, got: Run) -> None:
        self.seen.append(got)

    async def wait(self, **options: Any) -> Run:
        defaults = {"polling_period_seconds": 30.0, "max_wait_seconds": None, "max_outage_seconds": 600.0}
        transport = httpx.MockTransport(self.answer)
        async with DatabricksHook(HOST, TokenAuth("t"), transport=transport, clock=self.clock, retry_limit=1) as hook:
            options = {**defaults, **options}
            outages = Outages(logging.getLogger("tests"), self.clock, options["max_outage_seconds"])
            faults = OwnFaults(logging.getLogger("tests"))
            watch = Watch(
                RunReader(self.clock),
                hook,
                RUN_ID,
                self.on_change,
                outages=outages,
                faults=faults,
                **options,
            )
            return await watch.until_over()


def ends_after(seconds: float) -> Callable[[float], dict[str, Any]]:
    """The course of a run that takes so long."""
    return lambda now: run("TERMINATED", "SUCCESS") if now >= seconds else run("RUNNING")
