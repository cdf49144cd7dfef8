"""How fast requests go to one workspace, in a time that nobody waits for."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from prefect_databricks_runs import DatabricksHook
from prefect_databricks_runs._client.pace import Pace, pace_of
from prefect_databricks_runs.auth import TokenAuth
from tests.support.answers import RUN_ID, run
from tests.support.virtual_loop import LoopClock, run_in_no_time


async def turns(pace: Pace, lane: str, number: int) -> list[float]:
    """When each of them came, all asked for at once."""
    times: list[float] = []

    async def one() -> None:
        await pace.turn(lane)
        times.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(one() for _ in range(number)))
    return times


@pytest.mark.parametrize("rate", [0.5, 1, 10, 250])
def test_no_more_requests_are_sent_than_the_pace_allows(rate: float) -> None:
    at_once = max(1, rate)
    times = run_in_no_time(turns(Pace(rate, LoopClock()), "runs/get", int(at_once) + 40))
    assert times[int(at_once) - 1] < 0.01  # after a quiet second
    assert times[-1] == pytest.approx(40 / rate, rel=0.01)


def test_a_thousand_runs_being_started_do_not_hold_up_the_polls() -> None:
    async def main() -> float:
        pace = Pace(10, LoopClock())
        starting = asyncio.ensure_future(turns(pace, "runs/submit", 1000))
        await asyncio.sleep(5)
        asked = asyncio.get_running_loop().time()
        (came,) = await turns(pace, "runs/list", 1)
        starting.cancel()
        return came - asked

    assert run_in_no_time(main()) <= 0.21  # it is the second in the row at most


def test_too_many_requests_slow_down_everybody_for_as_long_as_databricks_asks() -> None:
    async def main() -> list[float]:
        pace = Pace(10, LoopClock())
        pace.slow_down(7)
        return await turns(pace, "runs/get", 1) + await turns(pace, "runs/submit", 1)

    assert run_in_no_time(main()) == pytest.approx([7, 7], abs=0.01)


def test_without_a_word_how_long_the_pause_doubles_until_a_request_goes_well() -> None:
    async def main() -> list[float]:
        pace = Pace(10, LoopClock())
        pauses = []
        for goes_well in (False, False, False, True, False):
            before = asyncio.get_running_loop().time()
            pace.slow_down(None)
            (at,) = await turns(pace, "runs/get", 1)
            pauses.append(at - before)
            if goes_well:
                pace.went_well()
        return pauses

    assert run_in_no_time(main()) == pytest.approx([1, 2, 4, 8, 1], abs=0.3)


def test_answers_to_requests_that_were_under_way_make_no_pause_longer() -> None:
    async def main() -> list[float]:
        pace = Pace(10, LoopClock())
        for _ in range(10):
            pace.slow_down(None)
        return await turns(pace, "runs/get", 1)

    assert run_in_no_time(main()) == pytest.approx([1], abs=0.01)


def test_a_slower_block_goes_on_with_the_pause_that_there_is() -> None:
    async def main() -> float:
        clock = LoopClock()
        pace_of("https://three.example.com", 10, clock).slow_down(300)
        pace = pace_of("https://three.example.com", 5, clock)
        assert pace_of("https://three.example.com", 20, clock) is pace
        assert pace.requests_per_second == 5
        (at,) = await turns(pace, "runs/get", 1)
        return at

    assert run_in_no_time(main()) == pytest.approx(300, abs=0.01)


def hook_of(answer: httpx.Response | None = None) -> DatabricksHook:
    transport = httpx.MockTransport(lambda _: answer or httpx.Response(200, json=run("RUNNING")))
    options = {"transport": transport, "clock": LoopClock(), "retry_limit": 1}
    return DatabricksHook("https://one.example.com", TokenAuth("t"), requests_per_second=0.01, **options)


def test_all_hooks_of_a_workspace_keep_one_pace() -> None:
    async def main() -> float:
        for _ in range(3):
            async with hook_of() as hook:
                await hook.get_run(RUN_ID)
        return asyncio.get_running_loop().time()

    assert run_in_no_time(main()) == pytest.approx(200, rel=0.01)


def test_a_run_is_cancelled_without_waiting_for_a_turn() -> None:
    async def main() -> float:
        async with hook_of() as hook:
            await hook.get_run(RUN_ID)
            await hook.cancel_run(1)
        return asyncio.get_running_loop().time()

    assert run_in_no_time(main()) < 0.01


def test_one_answer_429_slows_down_the_whole_workspace() -> None:
    too_many = httpx.Response(429, json={"error_code": "REQUEST_LIMIT_EXCEEDED"}, headers={"Retry-After": "5"})

    async def main() -> float:
        options = {"requests_per_second": 1000.0, "clock": LoopClock(), "retry_limit": 1}
        hooks = [
            DatabricksHook("https://two.example.com", TokenAuth(who), transport=httpx.MockTransport(answer), **options)
            for who, answer in (("a", lambda _: too_many), ("b", lambda _: httpx.Response(200, json=run("RUNNING"))))
        ]
        with pytest.raises(Exception, match="429"):
            await hooks[0].get_run(RUN_ID)
        await hooks[1].get_run(RUN_ID)
        return asyncio.get_running_loop().time()

    assert run_in_no_time(main()) == pytest.approx(5, abs=0.01)
