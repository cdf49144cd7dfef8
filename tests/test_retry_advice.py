"""What is worth another try: what the platform caused, and not what the user's code caused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow, task

from prefect_databricks_runs import (
    BadRequest,
    DatabricksConnectionError,
    DatabricksCredentials,
    InvalidPayload,
    NotFound,
    RateLimited,
    Run,
    RunCanceled,
    RunFailed,
    RunInternalError,
    RunSkipped,
    RunTimedOut,
    ServerError,
    asubmit_run_and_wait,
    retry_on_platform_failure,
    submit_run_and_wait,
)
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.retry_advice import is_platform_failure
from tests.support.answers import HOST, run
from tests.support.answers import task as task_entry

BODY = {"notebook_task": {"notebook_path": "/n"}}


def failed(code: str, kind: str, result: str = "FAILED") -> dict[str, Any]:
    """A `tasks[]` entry that ended so."""
    details = {"code": code, "type": kind, "message": "because"}
    entry = task_entry("a", "TERMINATED", result)
    return {**entry, "status": {"state": "TERMINATED", "termination_details": details}}


def a_run(*tasks: dict[str, Any], result: str | None = "FAILED", life_cycle: str = "TERMINATED") -> Run:
    return Run.from_api(run(life_cycle, result, tasks=list(tasks)), HOST)


def answered(cls: type, status: int) -> Exception:
    return cls("no", status_code=status, method="GET", path="/x")


USERS = failed("RUN_EXECUTION_ERROR", "CLIENT_ERROR")
CLOUD = failed("CLUSTER_ERROR", "CLOUD_FAILURE")


@pytest.mark.parametrize(
    ("error", "is_worth_it"),
    [
        (RunFailed(a_run(CLOUD)), True),
        (RunFailed(a_run(failed("DRIVER_ERROR", "INTERNAL_ERROR"))), True),
        (RunFailed(a_run(failed("CLUSTER_REQUEST_LIMIT_EXCEEDED", "CLIENT_ERROR"))), True),
        (RunFailed(a_run(USERS)), False),
        (RunFailed(a_run(CLOUD, {**USERS, "task_key": "b", "run_id": 9})), False),
        (RunFailed(a_run()), False),
        (RunInternalError(a_run(life_cycle="INTERNAL_ERROR", result=None)), True),
        (RunSkipped(a_run(life_cycle="SKIPPED", result="MAXIMUM_CONCURRENT_RUNS_REACHED")), True),
        (RunCanceled(a_run(result="CANCELED")), False),
        (RunTimedOut(a_run(failed("CANCELED", "INTERNAL_ERROR", "TIMEDOUT"), result="TIMEDOUT")), False),
        (answered(ServerError, 503), True),
        (answered(RateLimited, 429), True),
        (answered(BadRequest, 400), False),
        (answered(NotFound, 404), False),
        (DatabricksConnectionError("no", host=HOST, method="GET", path="/x"), True),
        (InvalidPayload(["no"], "run-now"), False),
        (ValueError("the user's own"), False),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, Exception) else "",
)
def test_what_the_platform_caused_is_worth_another_try(error: Exception, is_worth_it: bool) -> None:
    assert is_platform_failure(error) is is_worth_it


def sync_flow(databricks: DatabricksCredentials) -> str:
    @task(retries=2, retry_condition_fn=retry_on_platform_failure, persist_result=False)
    def nightly() -> str:
        return submit_run_and_wait(databricks, BODY, polling_period_seconds=0.05).state.name

    @flow
    def parent() -> str:
        return nightly()

    return parent()


def async_flow(databricks: DatabricksCredentials) -> str:
    @task(retries=2, retry_condition_fn=retry_on_platform_failure, persist_result=False)
    async def nightly() -> str:
        return (await asubmit_run_and_wait(databricks, BODY, polling_period_seconds=0.05)).state.name

    @flow
    async def parent() -> str:
        return await nightly()

    return asyncio.run(parent())


LOST_CLUSTER = {"result_state": "FAILED", "termination_code": "CLUSTER_ERROR", "termination_type": "CLOUD_FAILURE"}


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("call", [sync_flow, async_flow])
def test_a_task_whose_cluster_was_lost_is_retried_with_another_run(call: Callable[..., str]) -> None:
    courses = [LOST_CLUSTER, {}]
    with LocalWorkspace(script=lambda _: courses.pop(0)) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        assert call(databricks) == "Success"
        assert len(workspace.runs) == 2


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("call", [sync_flow, async_flow])
def test_a_task_whose_code_raised_is_not_retried(call: Callable[..., str]) -> None:
    with LocalWorkspace(script={"*": {"result_state": "FAILED"}}) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        with pytest.raises(RunFailed):
            call(databricks)
        assert len(workspace.runs) == 1
