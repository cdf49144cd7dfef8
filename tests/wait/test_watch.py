"""When to ask, on a clock that nobody waits for."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import httpx
import pytest

from prefect_databricks_runs import DatabricksHook, NotFound, WaitTimeout
from prefect_databricks_runs._prefect.own_faults import OwnFaults
from prefect_databricks_runs._wait.outages import Outages
from prefect_databricks_runs._wait.run_reader import RunReader
from prefect_databricks_runs._wait.watch import Watch
from prefect_databricks_runs.auth import TokenAuth
from tests.support.answers import HOST, RUN_ID, run, task
from tests.support.clocks import FakeClock
from tests.support.polled import Polled, ends_after

pytestmark = pytest.mark.anyio


def at(clock_start: float, **more: Any) -> dict[str, Any]:
    return {"start_time": int(clock_start * 1000), **more}


async def test_a_short_run_is_noticed_within_a_second_of_its_end() -> None:
    polled = Polled(ends_after(7.5))
    await polled.wait()
    assert polled.polled_at == [0, 1, 2, 3, 4, 5, 6, 7, 8]


async def test_a_long_run_is_asked_for_at_the_polling_period() -> None:
    polled = Polled(ends_after(3600))
    await polled.wait()
    gaps = [later - earlier for earlier, later in zip(polled.polled_at, polled.polled_at[1:], strict=False)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 30
    assert len(gaps) < 200


async def test_a_run_that_has_been_going_for_long_is_not_taken_for_a_young_one() -> None:
    began = FakeClock().now - 7200
    polled = Polled(
        lambda now: run(*(("TERMINATED", "SUCCESS") if now >= 60 else ("RUNNING",)), **at(began)),
    )
    await polled.wait()
    assert polled.polled_at == [0, 30, 60]


async def test_changes_are_told_and_polls_are_not() -> None:
    def course(now: float) -> dict[str, Any]:
        if now < 3:
            return run("PENDING")
        tasks = [task("a", "RUNNING" if now < 5 else "TERMINATED", None if now < 5 else "SUCCESS")]
        return run("RUNNING" if now < 8 else "TERMINATED", None if now < 8 else "SUCCESS", tasks=tasks)

    polled = Polled(course)
    assert (await polled.wait()).state.name == "Success"
    assert [(each.state.name, [t.state.name for t in each.attempts]) for each in polled.seen] == [
        ("Pending", []),
        ("Running", ["Running"]),
        ("Running", ["Success"]),
        ("Success", ["Success"]),
    ]


async def test_the_wait_ends_at_its_limit_not_at_the_next_poll() -> None:
    polled = Polled(ends_after(3600))
    with pytest.raises(WaitTimeout, match=f"run {RUN_ID} was still RUNNING after max_wait_seconds=10.5"):
        await polled.wait(max_wait_seconds=10.5)
    assert polled.polled_at[-1] == 10.5


async def test_a_run_that_is_deleted_meanwhile_ends_the_wait_at_once() -> None:
    gone = {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Run {RUN_ID} does not exist."}
    polled = Polled(lambda now: httpx.Response(400, json=gone) if now >= 5 else run("RUNNING"))
    with pytest.raises(NotFound, match="may have been deleted"):
        await polled.wait()
    assert polled.polled_at[-1] == 5


async def test_a_poll_that_hangs_does_not_outlast_the_limit() -> None:
    """In real time, because it is the network that hangs."""

    async def hang(_request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    async with DatabricksHook(HOST, TokenAuth("t"), transport=httpx.MockTransport(hang), retry_limit=1) as hook:
        watch = Watch(
            RunReader(hook.clock),
            hook,
            RUN_ID,
            Polled(None).on_change,
            polling_period_seconds=30,
            max_wait_seconds=0.05,
            max_outage_seconds=600,
            outages=Outages(logging.getLogger("tests"), hook.clock, 600),
            faults=OwnFaults(logging.getLogger("tests")),
        )
        with anyio.fail_after(10), pytest.raises(WaitTimeout, match="was still not readable after"):
            await watch.until_over()
