"""No answer, however odd, ends a wait or cancels a run that goes on: whole waits, in a time that nobody waits for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksError,
    DatabricksHook,
    DatabricksUnreachable,
    PermissionDenied,
    Run,
    RunFailed,
    RunsFailed,
)
from prefect_databricks_runs._connect.call import Call
from prefect_databricks_runs._wait.many_runs import ManyRuns
from prefect_databricks_runs._wait.one_run import OneRun
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.options import WaitForRunsOptions, WaitOptions, options_of
from tests.support.answers import HOST
from tests.support.fake_runs import FakeRuns
from tests.support.odd_answers import mutations
from tests.support.virtual_loop import LoopClock, run_in_no_time

pytestmark = pytest.mark.timeout(7_200)  # of ten thousands of examples
EXAMPLES = int(os.environ.get("PREFECT_DATABRICKS_RUNS_EXAMPLES", "100"))
DATABRICKS = DatabricksCredentials(host=HOST, token="t")
LOGGER = logging.Logger("tests.odd_answers")  # of which pytest keeps nothing: it would be gigabytes
LOGGER.addHandler(logging.NullHandler())


@pytest.fixture(scope="module", autouse=True)
def no_events() -> Iterator[None]:
    """Prefect would start a server for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prefect.events.emit_event", lambda **_: None)
        yield


FAULTS = st.dictionaries(st.integers(0, 25), mutations(), min_size=1, max_size=6)


class Odd(FakeRuns):
    """A workspace whose answers to some requests are odd; the first one to each run is good."""

    def __init__(self, clock: LoopClock, faults: dict[int, Any]) -> None:
        super().__init__(clock, seconds=0.01)
        self._odd, self.cancelled, self.first_is_good = faults, 0, True

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("runs/cancel"):
            self.cancelled += 1
            return httpx.Response(200, json={})
        number = self.total
        if request.url.path.endswith("get-output"):
            self.requests["get-output"] += 1
            answer = httpx.Response(200, json={"notebook_output": {"result": "done"}, "metadata": {}})
        else:
            answer = await super().answer(request)
        number -= len(self.runs) if self.first_is_good else 0
        mutate = self._odd.get(number)
        return mutate(answer) if mutate and number >= 0 else answer

    def call(self, options: Any) -> Call[Any]:
        call = Call(DATABRICKS, options_of({"databricks_retry_delay": 0.1}, options), LOGGER)
        transport = httpx.MockTransport(self.answer)
        call.__dict__["hook"] = DatabricksHook(
            HOST, TokenAuth("t"), transport=transport, clock=self.clock, logger=LOGGER
        )
        return call


def waited(faults: dict[int, Any], runs: int, *, first_is_good: bool = True) -> tuple[Any, Odd]:
    """What a whole wait has come to."""

    async def main() -> tuple[Any, Odd]:
        clock = LoopClock()
        workspace = Odd(clock, faults)
        workspace.first_is_good = first_is_good
        ids = [workspace.add(n, clock.time() - 1, clock.time() + 15) for n in range(1, runs + 1)]
        if runs == 1:
            wait: Any = OneRun(workspace.call(WaitOptions), ids[0])
        else:
            wait = ManyRuns(workspace.call(WaitForRunsOptions), ids)
        try:
            await wait.until_over()
        except DatabricksError as error:
            await wait.leave(error)
            return error, workspace
        try:
            return wait.end(), workspace
        except DatabricksError as error:
            return error, workspace

    return run_in_no_time(main())


@pytest.mark.parametrize("runs", [1, 5])
def test_a_run_of_which_nothing_is_known_and_that_may_not_be_read_is_never_cancelled(runs: int) -> None:
    refused = httpx.Response(403, json={"error_code": "PERMISSION_DENIED", "message": "No."})
    result, workspace = waited(dict.fromkeys(range(1_000), lambda _: refused), runs, first_is_good=False)
    errors = result.errors.values() if isinstance(result, RunsFailed) else [result]
    assert [type(each) for each in errors] == [PermissionDenied] * runs
    assert workspace.cancelled == 0


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize(
    ("fault", "cancelled"),
    [(httpx.Response(503), True), (httpx.Response(403, html="<p>A proxy"), False), (httpx.Response(200), False)],
    ids=["no answer", "a proxy's page", "nothing"],
)
def test_an_outage_that_lasts_cancels_only_where_nobody_answered(runs: int, fault: Any, cancelled: bool) -> None:
    result, workspace = waited(dict.fromkeys(range(100_000), lambda _: fault), runs)
    assert isinstance(result, DatabricksUnreachable)
    assert result.seconds >= 1800
    assert workspace.cancelled == (runs if cancelled else 0)


@settings(max_examples=EXAMPLES)
@given(FAULTS)
def test_the_wait_for_one_run_ends_with_its_end(faults: dict[int, Any]) -> None:
    result, workspace = waited(faults, 1)
    assert isinstance(result, (Run, RunFailed)), result
    assert workspace.cancelled == 0


@settings(max_examples=EXAMPLES)
@given(FAULTS)
def test_the_wait_for_many_runs_ends_with_the_end_of_each(faults: dict[int, Any]) -> None:
    result, workspace = waited(faults, 5)
    assert isinstance(result, (list, RunsFailed)), result
    failures = result.errors.values() if isinstance(result, RunsFailed) else []
    assert all(isinstance(each, RunFailed) for each in failures), failures
    assert workspace.cancelled == 0
