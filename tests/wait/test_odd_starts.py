"""Whatever answers a start, a poll or a cancellation: one run is made, and its wait ends as it should."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksError,
    DatabricksHook,
    Run,
    RunFailed,
    WaitTimeout,
    _runtime,
)
from prefect_databricks_runs._connect.call import Call
from prefect_databricks_runs._start.identity import Caller, Step
from prefect_databricks_runs._start.in_flight import handing_over
from prefect_databricks_runs._start.starter import Starter
from prefect_databricks_runs._wait.one_run import OneRun
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.options import StartOptions, WaitOptions, options_of
from tests.support.answers import HOST
from tests.support.odd_answers import answer_of, mutations
from tests.support.odd_workspace import Mutation, OddWorkspace
from tests.support.virtual_loop import LoopClock, run_in_no_time

pytestmark = pytest.mark.timeout(7_200)  # of ten thousands of examples
EXAMPLES = int(os.environ.get("PREFECT_DATABRICKS_RUNS_EXAMPLES", "100"))
ENDPOINTS = ["runs/submit", "run-now"]
FAULTS = st.dictionaries(st.integers(0, 15), mutations(), min_size=1, max_size=8)
DATABRICKS = DatabricksCredentials(host=HOST, token="t")
FLOW_RUN = UUID(int=1)
BODY = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}
ATTEMPTS = 9
LOGGER = logging.Logger("tests.odd_starts")  # of which pytest keeps nothing: it would be gigabytes
LOGGER.addHandler(logging.NullHandler())


@dataclass
class Came:
    """What a flow came to.

    Attributes:
        workspace: Where it ran its work.
        result: What it returned or raised.
        attempts: How many attempts it took.
        denied: The errors that said of a start that may have been done that it was not.
    """

    workspace: OddWorkspace
    result: Any = None
    attempts: int = 0
    denied: list[DatabricksError] = field(default_factory=list)


@pytest.fixture(scope="module", autouse=True)
def in_a_flow_run() -> Iterator[None]:
    """Submit as a flow run does, whose attempts are told apart by the time of the loop, and with no server for it."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prefect.events.emit_event", lambda **_: None)
        patch.setattr("prefect_databricks_runs._start.identity.time", SimpleNamespace(monotonic=now, time=now))
        yield


def submitted_and_waited(faults: dict[int, Mutation], endpoint: str = "runs/submit", **run: Any) -> Came:
    """What becomes of a flow with retries that submits a run and waits for it.

    Args:
        faults: The odd answers, by the number of the request.
        endpoint: What starts the run.
        **run: `seconds` and `result` of the run, and the options of the wait.
    """
    seconds, result = run.pop("seconds", 15.0), run.pop("result", "SUCCESS")
    _runtime.forget()

    async def main() -> Came:
        came = Came(OddWorkspace(LoopClock(), faults, seconds=seconds, result=result))
        while came.attempts < ATTEMPTS:
            came.attempts += 1
            came.result = await attempt(came, endpoint, run)
            if not isinstance(came.result, DatabricksError) or isinstance(came.result, (RunFailed, WaitTimeout)):
                break
            await asyncio.sleep(5)
        return came

    return run_in_no_time(main())


async def attempt(came: Came, endpoint: str, options: dict[str, Any]) -> Any:
    """One attempt of the flow run: what it returns, or the DatabricksError that it raises."""
    workspace = came.workspace
    transport = httpx.MockTransport(workspace.answer)

    def call(kind: Any) -> Call[Any]:
        given = {name: value for name, value in options.items() if name in kind.__annotations__}
        made = Call(DATABRICKS, options_of({"databricks_retry_delay": 0.1, **given}, kind), LOGGER)
        clock, auth = LoopClock(), TokenAuth("t")
        made.__dict__["hook"] = DatabricksHook(HOST, auth, transport=transport, clock=clock, logger=LOGGER)
        return made

    step = Step(FLOW_RUN, came.attempts, asyncio.get_running_loop().time())
    workspace.maybe_started = False
    try:
        with pytest.MonkeyPatch.context() as patch, handing_over(call(StartOptions)):
            patch.setattr("prefect_databricks_runs._start.starter.caller", lambda: Caller((step,), (step,), False))
            found = await Starter(call(StartOptions)).start(endpoint, BODY, BODY)
    except DatabricksError as error:
        if workspace.maybe_started and not error.outcome_unknown:
            came.denied.append(error)
        return error
    wait = OneRun(call(WaitOptions), found.run_id)
    try:
        await wait.until_over()
    except DatabricksError as error:
        await (wait.see_it_end() if await wait.leave(error) else wait.leave_alone())
        return error
    try:
        return wait.end()
    except DatabricksError as error:
        return error


@settings(max_examples=EXAMPLES)
@given(FAULTS, st.sampled_from(ENDPOINTS))
def test_one_run_is_made_and_waited_for_whatever_answers_its_start(faults: dict[int, Mutation], endpoint: str) -> None:
    came = submitted_and_waited(faults, endpoint)
    assert isinstance(came.result, (Run, RunFailed)), came.result
    assert came.denied == []
    assert len(came.workspace.runs) == 1
    assert came.workspace.cancelled == set()


@settings(max_examples=EXAMPLES)
@given(FAULTS, st.sampled_from(ENDPOINTS))
def test_a_run_that_fails_at_once_is_one_run_in_each_attempt_at_most(faults: Any, endpoint: str) -> None:
    came = submitted_and_waited(faults, endpoint, seconds=0.0, result="FAILED")
    assert isinstance(came.result, RunFailed), came.result
    assert came.denied == []
    assert 1 <= len(came.workspace.runs) <= came.attempts
    assert came.workspace.cancelled == set()


@settings(max_examples=EXAMPLES)
@given(FAULTS)
def test_a_wait_that_gives_up_cancels_its_own_run_whatever_answers_that(faults: dict[int, Mutation]) -> None:
    came = submitted_and_waited(faults, max_wait_seconds=3)
    # In a later attempt the run may be over.
    assert isinstance(came.result, (WaitTimeout, RunFailed, Run)), came.result
    assert came.denied == []
    assert len(came.workspace.runs) == 1
    assert came.workspace.cancelled <= set(came.workspace.runs)


ODD_DATES = ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 2024 00:00:00 -2359"]


@pytest.mark.parametrize("date", ODD_DATES)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_date_from_elsewhere_does_not_start_a_second_run(date: str, number: int) -> None:
    def mutate(answer: httpx.Response) -> httpx.Response:
        return answer_of(200, [(b"Date", date.encode())], answer.content)

    came = submitted_and_waited({number: mutate}, seconds=0.0, result="FAILED")
    assert isinstance(came.result, RunFailed)
    assert len(came.workspace.runs) == 1
