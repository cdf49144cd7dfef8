"""When to ask, on a clock that nobody waits for."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import httpx
import pytest

from prefect_databricks_runs import DatabricksHook, DatabricksUnreachable, NotFound, Run, WaitTimeout
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.watcher import Watch
from tests.answers import HOST, RUN_ID, run, task
from tests.clocks import FakeClock

pytestmark = pytest.mark.anyio


class Databricks:
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
        if isinstance(what, Exception):
            raise what
        return what if isinstance(what, httpx.Response) else httpx.Response(200, json=what)

    async def on_change(self, got: Run) -> None:
        self.seen.append(got)

    async def wait(self, **options: Any) -> Run:
        defaults = {"polling_period_seconds": 30.0, "max_wait_seconds": None, "max_outage_seconds": 600.0}
        transport = httpx.MockTransport(self.answer)
        async with DatabricksHook(HOST, TokenAuth("t"), transport=transport, clock=self.clock, retry_limit=1) as hook:
            watch = Watch(hook, RUN_ID, self.on_change, logger=logging.getLogger("tests"), **{**defaults, **options})
            return await watch.until_over()


def at(clock_start: float, **more: Any) -> dict[str, Any]:
    return {"start_time": int(clock_start * 1000), **more}


def ends_after(seconds: float):
    return lambda now: run("TERMINATED", "SUCCESS") if now >= seconds else run("RUNNING")


async def test_a_short_run_is_noticed_within_a_second_of_its_end() -> None:
    databricks = Databricks(ends_after(7.5))
    await databricks.wait()
    assert databricks.polled_at == [0, 1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_long_run_is_asked_for_at_the_polling_period() -> None:
    databricks = Databricks(ends_after(3600))
    await databricks.wait()
    gaps = [later - earlier for earlier, later in zip(databricks.polled_at, databricks.polled_at[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 30
    assert len(gaps) < 200


async def test_a_run_that_has_been_going_for_long_is_not_taken_for_a_young_one() -> None:
    began = FakeClock().now - 7200
    databricks = Databricks(
        lambda now: run(*(("TERMINATED", "SUCCESS") if now >= 60 else ("RUNNING",)), **at(began)),
    )
    await databricks.wait()
    assert databricks.polled_at == [0, 30, 60]


async def test_changes_are_told_and_polls_are_not() -> None:
    def course(now: float) -> dict[str, Any]:
        if now < 3:
            return run("PENDING")
        tasks = [task("a", "RUNNING" if now < 5 else "TERMINATED", None if now < 5 else "SUCCESS")]
        return run("RUNNING" if now < 8 else "TERMINATED", None if now < 8 else "SUCCESS", tasks=tasks)

    databricks = Databricks(course)
    assert (await databricks.wait()).state.name == "Success"
    assert [(each.state.name, [t.state.name for t in each.attempts]) for each in databricks.seen] == [
        ("Pending", []),
        ("Running", ["Running"]),
        ("Running", ["Success"]),
        ("Success", ["Success"]),
    ]


async def test_the_wait_ends_at_its_limit_not_at_the_next_poll() -> None:
    databricks = Databricks(ends_after(3600))
    with pytest.raises(WaitTimeout, match=f"run {RUN_ID} was RUNNING, not over, after max_wait_seconds=10.5"):
        await databricks.wait(max_wait_seconds=10.5)
    assert databricks.polled_at[-1] == 10.5


OUTAGES = {
    "refused": httpx.ConnectError("refused"),
    "hangs": httpx.ReadTimeout(""),
    "503": httpx.Response(503, json={"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"}),
    "429": httpx.Response(429, json={"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow"}),
    "proxy page": httpx.Response(200, html="<h1>Proxy</h1>"),
    "cut JSON": httpx.Response(200, text='{"run_id": 1, "sta'),
}


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES)
async def test_a_failed_poll_is_not_a_failed_run(fault) -> None:
    def course(now: float):
        return fault if 5 <= now < 300 else ends_after(400)(now)

    databricks = Databricks(course)
    assert (await databricks.wait()).state.name == "Success"


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES)
async def test_an_outage_that_lasts_ends_the_wait_and_says_that_the_run_may_still_be_going(fault) -> None:
    databricks = Databricks(lambda now: fault if now >= 5 else run("RUNNING"))
    with pytest.raises(DatabricksUnreachable, match="may still be going. See https://.*/jobs/42/runs/481516") as caught:
        await databricks.wait(max_outage_seconds=60)
    assert 60 <= caught.value.seconds < 95
    assert caught.value.__cause__ is not None


async def test_two_short_outages_are_not_one_long_one() -> None:
    def course(now: float):
        return httpx.ConnectError("refused") if 10 < now < 60 or 70 < now < 120 else ends_after(150)(now)

    databricks = Databricks(course)
    assert (await databricks.wait(max_outage_seconds=80)).state.name == "Success"


async def test_a_run_that_is_deleted_meanwhile_ends_the_wait_at_once() -> None:
    gone = {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Run {RUN_ID} does not exist."}
    databricks = Databricks(lambda now: httpx.Response(400, json=gone) if now >= 5 else run("RUNNING"))
    with pytest.raises(NotFound, match="may have been deleted"):
        await databricks.wait()
    assert databricks.polled_at[-1] == 5


async def test_a_workspace_that_asks_for_time_gets_it() -> None:
    slow_down = {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow"}
    answer = httpx.Response(429, json=slow_down, headers={"Retry-After": "120"})
    databricks = Databricks(lambda now: answer if 5 <= now < 300 else ends_after(400)(now))
    await databricks.wait()
    assert [at for at in databricks.polled_at if 5 <= at < 370] == [5, 125, 245, 365]


async def test_a_poll_that_hangs_does_not_outlast_the_limit() -> None:
    """In real time, because it is the network that hangs."""

    async def hang(_request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async with DatabricksHook(HOST, TokenAuth("t"), transport=httpx.MockTransport(hang), retry_limit=1) as hook:
        watch = Watch(
            hook,
            RUN_ID,
            Databricks(None).on_change,
            polling_period_seconds=30,
            max_wait_seconds=0.05,
            max_outage_seconds=600,
            logger=logging.getLogger("tests"),
        )
        with anyio.fail_after(10), pytest.raises(WaitTimeout, match="was not readable, not over"):
            await watch.until_over()
