"""No answer, however odd, ends a wait or cancels a run that goes on: whole waits, in a time that nobody waits for."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
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
from tests.support.virtual_loop import LoopClock, run_in_no_time

EXAMPLES = 20_000 if os.environ.get("PREFECT_DATABRICKS_RUNS_LONG") else 100
DATABRICKS = DatabricksCredentials(host=HOST, token="t")
LOGGER = logging.getLogger("tests.odd_answers")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["TERMINATED", "RUNNING", "SUCCESS", 10**30, -1, 2**63, 1e300, "\ud800", "\x1b[2J", "x" * 10_000]),
)
ODD = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BODIES = [b"", b"{", b"null", b"1e999", b'{"run_id": 1e999}', b"[" * 100_000, b'{"a":' * 5_000, b"\xff\xfe", b"<html>"]
ODD_TYPES = [f"application/json; charset={name}" for name in ("undefined", "idna", "rot13", "base64")]
DATES = ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "yesterday", "", "9" * 400, "-1", "NaN"]
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry-After", "Content-Type", "X-Request-Id"]), st.sampled_from([*DATES, *ODD_TYPES])
)
STATUSES = st.sampled_from([200, 200, 200, 200, 400, 401, 403, 404, 418, 429, 500, 503])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all that is in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, item in items for each in leaves(item, (*path, key)))]


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[httpx.Response], httpx.Response]:
    """What is done to an answer: another body, or one place of its own body replaced or left out."""
    kind = draw(st.sampled_from(["bytes", "json", "place", "place", "place"]))
    status, headers, odd, choice = draw(STATUSES), draw(HEADERS), draw(ODD), draw(st.integers(0, 10_000))

    def mutate(answer: httpx.Response) -> httpx.Response:
        if kind == "bytes":
            return httpx.Response(status, headers=headers, content=BODIES[choice % len(BODIES)])
        body = odd
        if kind == "place":
            body = deepcopy(answer.json())
            path = leaves(body)[choice % len(leaves(body))]
            if path:
                around = body
                for key in path[:-1]:
                    around = around[key]
                if choice % 7:
                    around[path[-1]] = odd
                else:
                    del around[path[-1]]
        return httpx.Response(status, headers=headers, content=json.dumps(body).encode())

    return mutate


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
        call.__dict__["hook"] = DatabricksHook(HOST, TokenAuth("t"), transport=transport, clock=self.clock)
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
