"""Runs are read together where that costs less, and nothing is lost by it; in a time that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import DatabricksError, DatabricksUnreachable, NotFound, Run
from prefect_databricks_runs._prefect.own_faults import OwnFaults
from prefect_databricks_runs._wait.outages import Outages
from prefect_databricks_runs._wait.run_reader import RunReader
from prefect_databricks_runs._wait.watch import Watch
from tests.support.fake_runs import FakeRun, FakeRuns
from tests.support.virtual_loop import LoopClock, run_in_no_time

REFUSED = httpx.Response(403, json={"error_code": "PERMISSION_DENIED", "message": "You may not list runs."})
DOWN = httpx.Response(503, json={"error_code": "TEMPORARILY_UNAVAILABLE", "message": ""})


class Waiting:
    """Waits for runs of a workspace in memory, with one reader.

    Attributes:
        noticed: How many seconds after its end each run was seen to be over.
        results: What each wait gave or raised.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.clock = LoopClock()
        self.workspace = FakeRuns(self.clock, seconds)
        self.reader = RunReader(self.clock)
        self.noticed: dict[int, float] = {}
        self.results: dict[int, Run | DatabricksError] = {}

    @property
    def now(self) -> float:
        return self.clock.time()

    async def wait(self, run_ids: Iterable[int], **options: Any) -> None:
        await asyncio.gather(*(self.wait_for(run_id, **options) for run_id in run_ids))

    async def wait_for(self, run_id: int, **options: Any) -> None:
        async def nothing(_run: Run) -> None:
            pass

        defaults = {"polling_period_seconds": 30.0, "max_wait_seconds": None, "max_outage_seconds": 600.0}
        async with self.workspace.hook() as hook:
            logger = logging.getLogger("tests.run_reader")
            options = {**defaults, **options}
            outages = Outages(logger, self.clock, options["max_outage_seconds"])
            faults = OwnFaults(logging.getLogger("tests"))
            watch = Watch(
                self.reader,
                hook,
                run_id,
                nothing,
                outages=outages,
                faults=faults,
                **options,
            )
            try:
                run = await watch.until_over()
            except DatabricksError as error:
                self.results[run_id] = error
            else:
                self.results[run_id] = run
                self.noticed[run_id] = self.now - run.end_time / 1000


def waiting(main: Callable[[Waiting], Any], **options: Any) -> Waiting:
    """What has become of the waits of `main`; nothing of the reader is left over then."""

    async def run() -> Waiting:
        scene = Waiting(**options)
        await main(scene)
        await asyncio.sleep(0)
        assert scene.reader.is_idle
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return scene

    return run_in_no_time(run())


def test_one_run_is_read_by_itself() -> None:
    async def main(scene: Waiting) -> None:
        await scene.wait([scene.workspace.add(1, scene.now, scene.now + 10.5)])

    scene = waiting(main)
    assert scene.workspace.requests == {"get": 12}
    assert scene.noticed[1] <= 1.01


def test_runs_that_started_together_are_read_by_the_page() -> None:
    async def main(scene: Waiting) -> None:
        lengths = random.Random(5)
        await scene.wait(
            [scene.workspace.add(n, scene.now + n / 1000, scene.now + lengths.uniform(20, 30)) for n in range(1, 101)]
        )

    scene = waiting(main)
    assert len(scene.noticed) == 100
    assert max(scene.noticed.values()) <= 2.6  # a poll at 5 % of the age, and a second
    one_by_one = 100 * 20
    assert scene.workspace.total < one_by_one / 10


def test_what_is_read_for_others_is_not_asked_for_again() -> None:
    """A run that is polled each second stands on a page with 24 that are polled less often."""

    async def main(scene: Waiting) -> None:
        ids = [scene.workspace.add(n, scene.now - 10_000, scene.now + 120) for n in range(1, 25)]
        quick = scene.workspace.add(25, scene.now - 10_000, scene.now + 120)
        await asyncio.gather(scene.wait(ids), scene.wait_for(quick, polling_period_seconds=1.0))

    scene = waiting(main)
    assert len(scene.noticed) == 25
    assert scene.workspace.total <= 125  # as many as the quick one would take alone


def test_runs_among_a_thousand_others_cost_no_more_than_asking_for_each() -> None:
    async def main(scene: Waiting) -> None:
        for n in range(1, 1001):
            scene.workspace.add(n, scene.now - 1001 + n, scene.now + 10_000)
        ids = range(100, 1001, 100)
        for n in ids:
            scene.workspace.runs[n].ends = scene.now + 60
        await scene.wait(ids, polling_period_seconds=1.0)

    scene = waiting(main)
    assert len(scene.noticed) == 10
    polls = 10 * 62
    assert scene.workspace.total <= polls * 1.05
    assert scene.workspace.requests["list"] <= 10


def test_where_many_others_are_over_only_those_that_go_are_listed() -> None:
    async def main(scene: Waiting) -> None:
        for n in range(1, 1001):
            scene.workspace.add(n, scene.now - 1001 + n, scene.now - 1)
        ids = range(50, 1001, 50)
        for n in ids:
            scene.workspace.runs[n].ends = scene.now + 300
        await scene.wait(ids, polling_period_seconds=5.0)

    scene = waiting(main)
    assert len(scene.noticed) == 20
    polls = 20 * 61
    assert scene.workspace.total <= polls / 4
    assert any(query.get("active_only") for query in scene.workspace.lists)


def test_a_run_with_more_tasks_than_a_list_has_is_read_whole() -> None:
    async def main(scene: Waiting) -> None:
        await scene.wait(
            scene.workspace.add(n, scene.now, scene.now + 5.5, tasks=101 if n == 3 else 1) for n in range(1, 6)
        )

    results = waiting(main).results
    assert {run_id: len(run.tasks) for run_id, run in results.items() if isinstance(run, Run)} == {
        1: 1,
        2: 1,
        3: 101,
        4: 1,
        5: 1,
    }


def test_a_run_that_is_deleted_ends_its_own_wait_alone() -> None:
    async def main(scene: Waiting) -> None:
        ids = [scene.workspace.add(n, scene.now, scene.now + 20) for n in range(1, 31)]
        asyncio.get_running_loop().call_later(5.5, scene.workspace.runs.pop, 7)
        await scene.wait(ids)

    scene = waiting(main)
    assert isinstance(scene.results.pop(7), NotFound)
    assert all(isinstance(result, Run) for result in scene.results.values())


def test_lists_that_change_between_their_pages_lose_nobody() -> None:
    async def main(scene: Waiting) -> None:
        numbers, chance = iter(range(1000, 10_000)), random.Random(1)

        def change() -> None:
            """New runs come, old ones are deleted, as on a busy workspace."""
            for _ in range(chance.randrange(4)):
                scene.workspace.add(next(numbers), scene.now, scene.now + 5)
            for run_id in [run_id for run_id in scene.workspace.runs if run_id >= 1000 and chance.random() < 0.2]:
                del scene.workspace.runs[run_id]

        scene.workspace.before_each_list = change
        await scene.wait(
            scene.workspace.add(n, scene.now + n / 1000, scene.now + chance.uniform(20, 30)) for n in range(1, 101)
        )

    scene = waiting(main)
    assert len(scene.noticed) == 100
    assert max(scene.noticed.values()) <= 2.6


def test_who_may_not_list_asks_for_each_run() -> None:
    async def main(scene: Waiting) -> None:
        scene.workspace.faults["list"] = lambda: REFUSED
        await scene.wait(scene.workspace.add(n, scene.now, scene.now + 20) for n in range(1, 31))

    scene = waiting(main)
    assert len(scene.noticed) == 30
    assert scene.workspace.requests["list"] == 1


def test_where_only_lists_fail_each_run_is_asked_for() -> None:
    async def main(scene: Waiting) -> None:
        scene.workspace.faults["list"] = lambda: DOWN
        await scene.wait(
            (scene.workspace.add(n, scene.now, scene.now + 700) for n in range(1, 11)), max_outage_seconds=60
        )

    scene = waiting(main)
    assert len(scene.noticed) == 10
    assert scene.workspace.requests["list"] <= 700 / 15 + 1


def test_a_poll_that_is_sent_late_and_fails_is_an_outage_from_then_on() -> None:
    """Two hundred runs that are asked for one by one, a second each and ten at once: a round takes 20 s."""

    async def main(scene: Waiting) -> None:
        faults = scene.workspace.faults
        faults["list"] = lambda: REFUSED
        ids = [scene.workspace.add(n, scene.now, scene.now + 100) for n in range(1, 201)]
        asyncio.get_running_loop().call_later(50, lambda: faults.update(get=lambda: DOWN))
        asyncio.get_running_loop().call_later(51.5, lambda: faults.pop("get"))
        await scene.wait(ids, max_outage_seconds=10, polling_period_seconds=1)

    scene = waiting(main, seconds=1)
    assert len(scene.noticed) == 200


def test_a_list_that_fails_is_an_outage_of_all_that_it_was_read_for() -> None:
    async def main(scene: Waiting) -> None:
        ids = [scene.workspace.add(n, scene.now, scene.now + 60) for n in range(1, 31)]
        begin, end = asyncio.get_running_loop().call_later, scene.workspace.faults
        begin(10, lambda: end.update(list=lambda: DOWN, get=lambda: DOWN))
        begin(40, end.clear)
        await scene.wait(ids)

    scene = waiting(main)
    assert len(scene.noticed) == 30


def test_a_list_that_fails_for_too_long_ends_all_waits() -> None:
    async def main(scene: Waiting) -> None:
        ids = [scene.workspace.add(n, scene.now, scene.now + 600) for n in range(1, 31)]
        faults = scene.workspace.faults
        asyncio.get_running_loop().call_later(10, lambda: faults.update(list=lambda: DOWN, get=lambda: DOWN))
        await scene.wait(ids, max_outage_seconds=60)

    results = waiting(main).results.values()
    assert {type(result).__name__ for result in results} == {"DatabricksUnreachable"}


def test_an_answer_for_another_run_is_no_answer() -> None:
    async def main(scene: Waiting) -> None:
        run_id = scene.workspace.add(1, scene.now, scene.now + 60)
        other = scene.workspace.add(2, scene.now - 20, scene.now - 10)
        answer = scene.workspace._get
        scene.workspace._get = lambda asked: answer(other if scene.now < began + 30 else asked)
        began = scene.now
        await scene.wait_for(run_id)

    scene = waiting(main)
    assert list(scene.noticed) == [1]
    assert scene.results[1].run_id == 1


def test_two_waits_for_one_run_are_both_answered() -> None:
    async def main(scene: Waiting) -> None:
        run_id = scene.workspace.add(1, scene.now, scene.now + 10)
        await asyncio.gather(scene.wait_for(run_id), scene.wait_for(run_id), scene.wait_for(run_id))

    assert waiting(main).workspace.total <= 12


def test_who_gives_up_does_not_take_the_others_along() -> None:
    async def main(scene: Waiting) -> None:
        ids = [scene.workspace.add(n, scene.now, scene.now + 20) for n in range(1, 31)]
        all_of_them = [asyncio.ensure_future(scene.wait_for(run_id)) for run_id in ids]
        await asyncio.sleep(5.2)
        for task in all_of_them[:20]:
            task.cancel()
        await asyncio.gather(*all_of_them, return_exceptions=True)

    assert sorted(waiting(main).noticed) == list(range(21, 31))


def test_when_requests_are_slow_nobody_waits_for_much_longer_than_the_others() -> None:
    """One request takes 0.4 s here, and a round of all 1,000 runs 40 requests, ten at once."""

    async def main(scene: Waiting) -> None:
        await scene.wait(scene.workspace.add(n, scene.now + n / 1000, scene.now + 60) for n in range(1, 1001))

    scene = waiting(main, seconds=0.4)
    assert len(scene.noticed) == 1000
    after_the_first_round = {
        run_id: [at for at in times if at > 20] for run_id, times in scene.workspace.read_at.items()
    }
    gaps = [max(later - earlier for earlier, later in pairwise(times)) for times in after_the_first_round.values()]
    assert max(gaps) <= 2 * 40 * 0.4 / 10 + 4  # two rounds, and the pause between polls


@pytest.mark.parametrize("number", [1, 30])
def test_a_fault_of_our_own_ends_no_wait(number: int, caplog) -> None:
    async def main(scene: Waiting) -> None:
        page_of, broken = scene.reader._all.page_of, scene.now + 60
        scene.reader._all.page_of = lambda *which: 1 / 0 if scene.now < broken else page_of(*which)
        await scene.wait([scene.workspace.add(n, scene.now, scene.now + 120) for n in range(1, number + 1)])

    assert len(waiting(main).noticed) == number
    assert caplog.text.count("Please report it") == number


def test_a_fault_of_our_own_that_stays_is_an_outage_that_leaves_the_run_running() -> None:
    async def main(scene: Waiting) -> None:
        scene.reader._all.page_of = lambda *_: 1 / 0
        await scene.wait_for(scene.workspace.add(1, scene.now, scene.now + 10_000))

    error = waiting(main).results[1]
    assert isinstance(error, DatabricksUnreachable)
    assert error.answered


def test_one_odd_entry_of_a_list_concerns_its_own_run_only() -> None:
    """It is read by itself, and the others are not asked for again."""

    async def main(scene: Waiting) -> None:
        entries = FakeRun.answer

        def answer(fake: FakeRun, now: float, limit: int | None = None) -> dict[str, Any]:
            odd = (
                {"state": {"life_cycle_state": "TERMINATED", "result_state": {}}} if limit and fake.run_id == 7 else {}
            )
            return {**entries(fake, now, limit), **odd}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FakeRun, "answer", answer)
            await scene.wait([scene.workspace.add(n, scene.now, scene.now + 60) for n in range(1, 21)])

    scene = waiting(main)
    assert len(scene.noticed) == 20
    assert all(run.state.name == "Success" for run in scene.results.values())
