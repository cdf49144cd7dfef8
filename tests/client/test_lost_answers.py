"""A real workspace loses answers: the hook and the tasks get over it, and nothing is started twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow

from prefect_databricks_runs import (
    DatabricksConnectionError,
    DatabricksCredentials,
    DatabricksError,
    DatabricksHook,
    PermissionDenied,
    RateLimited,
    submit_run,
    submit_run_and_wait,
)
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.clocks import FakeClock

SUBMIT = "POST */jobs/runs/submit"
BODY = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}
LOSSES: dict[str, dict[str, Any]] = {
    "reset": {"reset": True},
    "502 of a proxy": {"html": True},
    "503": {"status": 503},
    "429": {"status": 429, "retry_after": 3},
    "hang": {"hang": True},
    "late": {"delay": 1.0},
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def submit(workspace: LocalWorkspace, clock: FakeClock) -> int:
    async with DatabricksHook(workspace.url, TokenAuth(workspace.token), clock=clock, timeout_seconds=0.5) as hook:
        return await hook.submit_run(BODY)


@pytest.mark.anyio
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
async def test_a_run_whose_answer_is_lost_twice_is_started_once(
    workspace: LocalWorkspace, clock: FakeClock, loss: dict[str, Any], after_effect: bool
) -> None:
    fault = workspace.fault(SUBMIT, **loss, times=2, after_effect=after_effect)
    run_id = await submit(workspace, clock)
    assert fault.met == 2
    assert list(workspace.runs) == [run_id]
    asked = workspace.requests_to(SUBMIT)
    assert len({each.body["idempotency_token"] for each in asked}) == 1
    assert [each.fault is None for each in asked] == [False, False, True]
    assert len(clock.sleeps) == 2


@pytest.mark.anyio
async def test_an_answer_that_is_always_lost_is_an_error_and_starts_one_run(
    workspace: LocalWorkspace, clock: FakeClock
) -> None:
    workspace.fault(SUBMIT, status=429, after_effect=True)
    with pytest.raises(RateLimited, match="answers with status 429"):
        await submit(workspace, clock)
    assert len(workspace.runs) == 1


SAID = "Databricks may have started the run anyway"


# A 429 says that nothing was done.
LEFT_OPEN = {name: loss for name, loss in LOSSES.items() if name != "429"}


@pytest.mark.parametrize("loss", LEFT_OPEN.values(), ids=LEFT_OPEN)
def test_a_start_whose_last_answer_is_lost_says_how_the_run_is_found_again(loss, workspace, run_log) -> None:
    databricks = DatabricksCredentials(host=workspace.url, token=workspace.token, request_timeout_seconds=0.5)
    options = {"databricks_retry_limit": 1, "idempotency_token": "mine"}
    lost = workspace.fault(SUBMIT, **loss, after_effect=True)
    with pytest.raises(DatabricksError) as caught:
        submit_run.fn(databricks, BODY, **options)
    assert caught.value.outcome_unknown
    assert SAID in run_log.text
    assert "the same request with idempotency_token='mine'" in run_log.text
    lost.remove()
    assert [submit_run.fn(databricks, BODY, **options)] == list(workspace.runs)


def test_an_answer_that_was_lost_before_the_last_try_counts_too(workspace, databricks, run_log) -> None:
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=1)
    workspace.fault(SUBMIT, status=403, error_code="PERMISSION_DENIED")
    with pytest.raises(PermissionDenied) as caught:
        submit_run.fn(databricks, BODY, databricks_retry_delay=0.01)
    assert caught.value.outcome_unknown
    assert SAID in run_log.text


def test_a_start_that_was_never_sent_or_is_refused_says_nothing_of_the_kind(workspace, databricks, run_log) -> None:
    nobody = DatabricksCredentials(host="http://127.0.0.1:9", token="dapi")
    with pytest.raises(DatabricksConnectionError) as caught:
        submit_run.fn(nobody, BODY, databricks_retry_delay=0.01)
    assert not caught.value.outcome_unknown
    workspace.fault(SUBMIT, status=403, error_code="PERMISSION_DENIED")
    with pytest.raises(PermissionDenied) as refused:
        submit_run.fn(databricks, BODY)
    assert not refused.value.outcome_unknown
    assert SAID not in run_log.text


def test_a_flow_whose_start_is_not_answered_says_that_its_retry_finds_the_run(workspace, databricks, run_log) -> None:
    workspace.fault(SUBMIT, status=502, html=True, after_effect=True, times=1)

    @flow(retries=1)
    def parent() -> int:
        return submit_run(databricks, BODY, databricks_retry_limit=1)

    assert [parent()] == list(workspace.runs)
    assert f"{SAID}: the answer was lost. A retry of this flow run or task finds it" in run_log.text


@pytest.mark.usefixtures("prefect_server")
def test_a_flow_gets_over_a_run_of_bad_luck(
    workspace: LocalWorkspace,
    databricks: DatabricksCredentials,
    notebook: Callable[..., None],
    prefect_server: PrefectServer,
) -> None:
    notebook("/n", "dbutils.notebook.exit('done')")
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=1)
    workspace.fault("GET */runs/get", truncate=True, times=1)
    workspace.fault("GET */runs/get", html=True, times=1)
    workspace.fault("GET */runs/get-output", status=500, times=1)
    run = submit_run_and_wait(databricks, tasks=BODY["tasks"], polling_period_seconds=0.1, databricks_retry_delay=0.01)
    assert run.tasks["main"].output.result == "done"
    assert list(workspace.runs) == [run.run_id]
    assert all(fault.met == 1 for fault in workspace._faults.all())
