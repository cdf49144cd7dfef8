"""A run is the same whether a list told of it or it was asked for: else it would matter how busy the process is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs import DatabricksHook, Run
from prefect_databricks_runs._wait.run_reader import RunReader
from prefect_databricks_runs._wait.watch import states_of
from prefect_databricks_runs.auth import TokenAuth
from tests.local.client import Client
from tests.local.simulated import simulated, task
from tests.local.test_any_course import runs
from tests.report.courses import COURSES, Play
from tests.support.virtual_loop import LoopClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def client() -> Iterator[Client]:
    with simulated(lambda start: None) as client:
        yield client


def listed(client: Client, run_id: int) -> Run:
    (entry,) = [each for each in client.get("runs/list", expand_tasks="true")["runs"] if each["run_id"] == run_id]
    assert not entry.get("has_more")
    return Run.from_api(entry, client.workspace.url)


def same(client: Client, run_id: int) -> None:
    """Asserts that both tell the same; the whole of it is compared but for the raw answers."""
    by_list, by_get = listed(client, run_id), Run.from_api(client.run(run_id), client.workspace.url)
    assert by_list == by_get
    assert states_of(by_list) == states_of(by_get)
    assert [each.iteration_stats for each in by_list.attempts] == [each.iteration_stats for each in by_get.attempts]
    assert [each.outcome_of_condition for each in by_list.attempts] == [
        each.outcome_of_condition for each in by_get.attempts
    ]


@settings(max_examples=60, deadline=None)
@given(tasks=runs(), steps=st.lists(st.sampled_from([0.5, 1, 3]), max_size=6), cancel=st.booleans())
def test_at_every_moment_of_any_run(tasks: list[dict[str, Any]], steps: list[float], cancel: bool) -> None:
    with simulated(lambda start: None) as client:
        run_id = client.submit(*tasks)
        same(client, run_id)
        for step in steps:
            client.workspace.advance(step)
            same(client, run_id)
        if cancel:
            client.post("runs/cancel", run_id=run_id)
            same(client, run_id)
        client.workspace.advance(10**7)
        same(client, run_id)


@pytest.mark.parametrize("name", COURSES)
def test_at_every_step_of_the_courses_that_the_ui_is_tested_with(name: str) -> None:
    course = COURSES[name]
    with simulated(course.script, **course.workspace) as client:
        play = Play(client, course.start)
        for step in course.steps:
            step.happens(play)
            if not play.is_pretended:
                same(client, play.run_id)


@pytest.mark.parametrize("tasks", [1, 99, 100, 101, 250])
async def test_the_reader_gives_all_tasks_either_way(client: Client, tasks: int) -> None:
    """Up to 100 tasks fit into the entry of a list; the rest is asked for."""
    run_ids = [client.submit(*(task(f"t{number}") for number in range(tasks))) for _ in range(2)]
    options = {"retry_limit": 1, "clock": LoopClock()}
    async with DatabricksHook(client.workspace.url, TokenAuth(client.workspace.token), **options) as hook:
        alone = {run_id: await hook.get_run(run_id) for run_id in run_ids}
        reader = RunReader(hook.clock)
        with reader.watching(hook, run_ids[0]) as one, reader.watching(hook, run_ids[1]) as other:
            reading = [other.read(0), one.read(0)]
            together = {run.run_id: run for run in [await each for each in reading]}
    assert together == alone
    assert all(len(run.tasks) == tasks for run in together.values())
