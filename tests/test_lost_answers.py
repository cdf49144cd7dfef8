"""A real workspace loses answers: the hook and the tasks get over it, and nothing is started twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials, DatabricksHook, RateLimited, submit_run_and_wait
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from tests.clocks import FakeClock

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
    with pytest.raises(RateLimited, match="told to answer with status 429"):
        await submit(workspace, clock)
    assert len(workspace.runs) == 1


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
