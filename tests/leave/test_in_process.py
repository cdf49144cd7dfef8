"""When a wait ends early, the Databricks run is cancelled, unless only the process is being stopped."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
import pytest
from prefect import flow, task

from prefect_databricks_runs import (
    DatabricksHook,
    DatabricksUnreachable,
    InvalidOption,
    WaitTimeout,
    asubmit_run,
    asubmit_run_and_wait,
    submit_run,
    submit_run_and_wait,
    wait_for_run,
)
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs.flows import submitting
from prefect_databricks_runs.hook import StartedRun
from prefect_databricks_runs.local import LocalWorkspace
from tests.leave.databricks_side import polls, states
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

LONG = {"notebook_task": {"notebook_path": "/long"}}
QUICK = 0.05


@pytest.fixture(autouse=True)
def long_notebook(notebook) -> None:
    notebook("/long", "import time; time.sleep(120)")


CANCELED = [("TERMINATED", "CANCELED")]


def drawn(prefect_api, flow_name: str) -> list[dict[str, tuple[str, str]]]:
    """The mirrored task runs of each run of a flow."""
    return [prefect_api.mirrored(flow_run["id"]) for flow_run in prefect_api.flow_runs_named(flow_name)]


DRAWN_AS_CANCELED = {"main": ("CANCELLED", "Canceled")}


def test_max_wait_seconds_cancels_the_run_and_says_so(databricks, workspace, run_log, prefect_api) -> None:
    timed = submit_run_and_wait.with_options(name="timed-wait")
    with pytest.raises(WaitTimeout, match=r"still RUNNING after max_wait_seconds=0\.5, so it is being cancelled"):
        timed(databricks, LONG, polling_period_seconds=QUICK, max_wait_seconds=0.5)
    assert states(workspace) == CANCELED
    (run_id,) = workspace.runs
    because = "the wait reached max_wait_seconds=0.5"
    assert f"Cancelling Databricks run {run_id}: {because}." in run_log.text
    assert re.search(rf"Databricks run {run_id} '.*' is Canceled", run_log.text)
    (artifact,) = prefect_api.artifacts(prefect_api.flow_runs_named("timed-wait")[0]["id"])
    assert "**Canceled**" in artifact["data"]


def test_the_flows_own_time_out_cancels_the_run(databricks, workspace, prefect_api, run_log) -> None:
    timed = submit_run_and_wait.with_options(name="timed-out-by-its-own-limit", timeout_seconds=8)
    with pytest.raises(TimeoutError):
        timed(databricks, LONG, polling_period_seconds=QUICK)
    assert states(workspace) == CANCELED
    assert drawn(prefect_api, "timed-out-by-its-own-limit") == [DRAWN_AS_CANCELED]
    assert ": the wait was cancelled or timed out." in run_log.text


def test_asyncio_wait_for_cancels_the_run(databricks, workspace, prefect_api) -> None:
    @flow
    async def parent() -> str:
        waits = asubmit_run_and_wait.with_options(name="waited-for")
        try:
            await asyncio.wait_for(waits(databricks, LONG, polling_period_seconds=QUICK), 8)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            return "timed out"
        return "ended"

    assert asyncio.run(parent()) == "timed out"
    wait_until(lambda: states(workspace) == CANCELED)
    wait_until(lambda: drawn(prefect_api, "waited-for") == [DRAWN_AS_CANCELED])


Coroutine = Callable[[], Awaitable[object]]


async def in_an_anyio_task_group(*coroutines: Coroutine) -> None:
    async with anyio.create_task_group() as group:
        for each in coroutines:
            group.start_soon(each)


async def in_an_asyncio_task_group(*coroutines: Coroutine) -> None:
    async with asyncio.TaskGroup() as group:
        for each in coroutines:
            group.create_task(each())


@pytest.mark.parametrize(
    "together",
    [
        in_an_anyio_task_group,
        pytest.param(
            in_an_asyncio_task_group,
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio has task groups from 3.11 on"),
        ),
    ],
)
def test_a_failed_sibling_in_a_task_group_cancels_the_run(together, databricks, workspace, prefect_api) -> None:
    name = f"sibling-{together.__name__}"

    async def waits() -> None:
        await asubmit_run_and_wait.with_options(name=name)(databricks, LONG, polling_period_seconds=QUICK)

    async def fails() -> None:
        await asyncio.to_thread(wait_until, lambda: polls(workspace) > 5)
        raise ValueError("a sibling")

    @flow
    async def parent() -> str:
        try:
            await together(waits, fails)
        except Exception as error:
            return repr(error)
        return "ended"

    assert "ValueError('a sibling')" in asyncio.run(parent())
    wait_until(lambda: states(workspace) == CANCELED)
    wait_until(lambda: drawn(prefect_api, name) == [DRAWN_AS_CANCELED])


def test_a_submission_whose_answer_nobody_awaits_any_more_is_cancelled(databricks, workspace, monkeypatch) -> None:
    """The request has been sent and the run is there, but its id has not come back: it must not be lost."""
    there = threading.Event()
    start_run = DatabricksHook.start_run

    async def answered_late(self: DatabricksHook, endpoint: str, payload: dict) -> StartedRun:
        started = await start_run(self, endpoint, payload)
        there.set()
        await anyio.sleep(0.3)
        return started

    monkeypatch.setattr(DatabricksHook, "start_run", answered_late)

    async def interrupted() -> None:
        submitting = asyncio.create_task(asubmit_run.fn(databricks, LONG))
        await asyncio.to_thread(there.wait)
        submitting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submitting

    asyncio.run(interrupted())
    wait_until(lambda: states(workspace) == CANCELED)


@pytest.mark.parametrize("in_a_flow", [True, False], ids=["in a flow", "outside"])
def test_an_interrupted_submission_that_is_not_answered_says_so_and_what_finds_the_run(
    in_a_flow, databricks, workspace, run_log, monkeypatch
) -> None:
    monkeypatch.setattr(portal, "_SETTLE_SECONDS", 0.01)
    there, answer = threading.Event(), anyio.Event()
    start_run = DatabricksHook.start_run

    async def answered_late(self: DatabricksHook, endpoint: str, payload: dict) -> StartedRun:
        started = await start_run(self, endpoint, payload)
        there.set()
        await answer.wait()
        return started

    async def answers() -> None:
        answer.set()

    monkeypatch.setattr(DatabricksHook, "start_run", answered_late)

    async def interrupted() -> None:
        submitting = asyncio.create_task(asubmit_run.fn(databricks, LONG))
        await asyncio.to_thread(there.wait)
        submitting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submitting

    asyncio.run((flow(interrupted) if in_a_flow else interrupted)())
    assert "Databricks may have started the run, but has not answered yet" in run_log.text
    token = workspace.requests_to("POST */runs/submit")[0].body["idempotency_token"]
    assert f"the same request with idempotency_token={token!r}" in run_log.text
    assert ("A retry of this flow run or task finds it" in run_log.text) == in_a_flow
    assert ("`prefect-databricks-runs orphans` lists it" in run_log.text) == in_a_flow
    portal.call(answers)
    wait_until(lambda: states(workspace) == CANCELED)


def test_a_flow_interrupted_between_submitting_and_waiting_cancels_the_run(databricks, workspace, monkeypatch) -> None:
    def submitted_and_interrupted(*args, **parameters) -> int:
        submit_run(*args, **parameters)
        raise TimeoutError("the flow's time is up")

    monkeypatch.setattr(submitting, "submit_run", submitted_and_interrupted)
    with pytest.raises(TimeoutError):
        submit_run_and_wait(databricks, LONG)
    wait_until(lambda: states(workspace) == CANCELED)


def test_a_wait_in_another_thread_is_reached_by_its_time_out(databricks, workspace, prefect_api) -> None:
    @task(timeout_seconds=3)
    def waits() -> None:
        submit_run_and_wait.fn(databricks, LONG, polling_period_seconds=QUICK)

    @flow(name="waits-in-a-thread")
    def parent() -> str:
        state = waits.submit().wait()
        return "unfinished" if state is None else "ended"

    began = time.monotonic()
    with suppress(TimeoutError):
        parent()
    assert time.monotonic() - began < 60
    wait_until(lambda: states(workspace) == CANCELED)
    wait_until(lambda: drawn(prefect_api, "waits-in-a-thread") == [DRAWN_AS_CANCELED])


@pytest.mark.long
def test_six_waits_that_are_cancelled_together_are_all_left_at_once(databricks, workspace, prefect_api) -> None:
    @flow
    async def parent() -> str:
        waits = asubmit_run_and_wait.with_options(name="six")
        together = asyncio.gather(*(waits(databricks, LONG, polling_period_seconds=QUICK) for _ in range(6)))
        await asyncio.to_thread(wait_until, lambda: [len(each) for each in drawn(prefect_api, "six")] == [1] * 6)
        together.cancel()
        with suppress(asyncio.CancelledError):
            await together
        return "left"

    assert asyncio.run(parent()) == "left"
    wait_until(lambda: states(workspace) == CANCELED * 6)
    wait_until(lambda: drawn(prefect_api, "six") == [DRAWN_AS_CANCELED] * 6)


@pytest.mark.parametrize(
    "options",
    [
        {"polling_period_seconds": 0},
        {"polling_period_seconds": float("nan")},
        {"max_wait_seconds": -1},
        {"max_outage_seconds": -1},
        {"databricks_retry_limit": 0},
        {"databricks_retry_delay": -1},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused_before_anything_is_sent(options, databricks, workspace) -> None:
    with pytest.raises(InvalidOption, match=next(iter(options))):
        submit_run_and_wait(databricks, LONG, **options)
    with pytest.raises(InvalidOption, match=next(iter(options))):
        wait_for_run(databricks, 7, **options)
    assert workspace.requests == ()


def test_a_workspace_that_goes_away_ends_the_wait_after_the_outage_and_says_what_is_not_known(
    databricks, notebook, run_log
) -> None:
    with LocalWorkspace() as gone:
        (gone.root / "long.py").write_text("# Databricks notebook source\nimport time; time.sleep(60)\n")
        elsewhere = type(databricks)(host=gone.url, token=gone.token)

        class StopsIt:
            """Stops the workspace as soon as the flow has seen the run."""

            def filter(self, record) -> bool:
                if "is Running" in record.getMessage():
                    gone.stop()
                return True

        run_log.addFilter(StopsIt())
        with pytest.raises(DatabricksUnreachable, match="may still be active"):
            submit_run_and_wait(
                elsewhere, LONG, polling_period_seconds=QUICK, max_outage_seconds=0.3, databricks_retry_delay=0.01
            )
    assert "which may still be active" in run_log.text
