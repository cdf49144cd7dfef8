"""What databricks-sdk does when something goes wrong on the way, seen by the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import (
    DatabricksError,
    DeadlineExceeded,
    InternalError,
    PermissionDenied,
    RequestLimitExceeded,
    TemporarilyUnavailable,
    Unknown,
)

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.sdk import SdkTime, simulated_sdk, submit_tasks

SUBMIT = "POST */runs/submit"
GET = "GET */runs/get"


@pytest.fixture
def pair(sdk_time: SdkTime) -> Iterator[tuple[WorkspaceClient, LocalWorkspace]]:
    with simulated_sdk() as pair:
        yield pair


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 0},
        {"status": 503, "retry_after": 0},
        {"status": 503},
        {"reset": True},
        {"status": 500, "message": "Unexpected error"},
        {"status": 400, "message": "RPC token bucket limit has been exceeded"},
    ],
)
def test_a_passing_fault_is_tried_again(
    pair: tuple[WorkspaceClient, LocalWorkspace], sdk_time: SdkTime, fault: dict[str, Any]
) -> None:
    w, workspace = pair
    workspace.fault(SUBMIT, times=2, **fault)
    assert w.jobs.submit(tasks=submit_tasks(1)).result().state.result_state.value == "SUCCESS"
    assert len(workspace.requests_to(SUBMIT)) == 3
    assert len(workspace.runs) == 1
    assert len(sdk_time.slept) == 2


def test_the_wait_is_as_long_as_retry_after_says(
    pair: tuple[WorkspaceClient, LocalWorkspace], sdk_time: SdkTime
) -> None:
    w, workspace = pair
    workspace.fault("GET */jobs/list", status=429, retry_after=7, times=1)
    list(w.jobs.list())
    (seconds,) = sdk_time.slept
    assert 7 <= seconds < 8


@pytest.mark.parametrize(
    ("status", "kind"), [(500, InternalError), (504, DeadlineExceeded), (403, PermissionDenied), (502, Unknown)]
)
def test_a_lasting_fault_is_told_at_once(
    pair: tuple[WorkspaceClient, LocalWorkspace], sdk_time: SdkTime, status: int, kind: type[DatabricksError]
) -> None:
    w, workspace = pair
    workspace.fault("GET */jobs/list", status=status)
    with pytest.raises(DatabricksError) as caught:
        list(w.jobs.list())
    assert type(caught.value) is kind
    assert (len(workspace.requests_to("GET */jobs/list")), sdk_time.slept) == (1, [])


@pytest.mark.parametrize(("status", "kind"), [(429, RequestLimitExceeded), (503, TemporarilyUnavailable)])
def test_a_fault_that_does_not_pass_ends_in_a_time_out(
    sdk_time: SdkTime, status: int, kind: type[DatabricksError]
) -> None:
    with simulated_sdk() as (_, workspace):
        config = Config(host=workspace.url, token=workspace.token, retry_timeout_seconds=1)
        w = WorkspaceClient(config=config)
        sdk_time.passes = sdk_time.skip
        workspace.fault("GET */jobs/list", status=status, retry_after=1)
        with pytest.raises(TimeoutError) as caught:
            list(w.jobs.list())
        assert type(caught.value.__cause__) is kind


def test_a_page_of_a_proxy_is_an_error(pair: tuple[WorkspaceClient, LocalWorkspace]) -> None:
    w, workspace = pair
    workspace.fault("GET */jobs/list", html=True)
    with pytest.raises(DatabricksError, match="Bad Gateway"):
        list(w.jobs.list())


def test_without_a_token_a_lost_answer_makes_a_second_run(pair: tuple[WorkspaceClient, LocalWorkspace]) -> None:
    w, workspace = pair
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=1)
    w.jobs.submit(tasks=submit_tasks(1)).result()
    assert len(workspace.runs) == 2


def test_with_a_token_a_lost_answer_makes_no_second_run(pair: tuple[WorkspaceClient, LocalWorkspace]) -> None:
    w, workspace = pair
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=1)
    run = w.jobs.submit(tasks=submit_tasks(1), idempotency_token="once").result()
    assert list(workspace.runs) == [run.run_id]
    assert len(workspace.requests_to(SUBMIT)) == 2


def test_the_wait_goes_on_over_faults(pair: tuple[WorkspaceClient, LocalWorkspace]) -> None:
    w, workspace = pair
    workspace.fault(GET, status=429, retry_after=0, times=1)
    workspace.fault(GET, reset=True, times=1)
    assert w.jobs.submit(tasks=submit_tasks(1)).result().state.result_state.value == "SUCCESS"
    assert len(workspace.requests_to(GET)) == 3


def test_an_expired_token_is_told_and_not_tried_again(pair: tuple[WorkspaceClient, LocalWorkspace]) -> None:
    w, workspace = pair
    workspace.fault(GET, expired_token=True, times=1)
    waiter = w.jobs.submit(tasks=submit_tasks(1))
    with pytest.raises(PermissionDenied, match="Invalid access token"):
        waiter.result()
    assert waiter.result().run_id == waiter.run_id


@pytest.mark.parametrize("fault", [{"hang": True}, {"reset": True}])
def test_a_request_without_an_answer_is_tried_again(sdk_time: SdkTime, fault: dict[str, Any]) -> None:
    with simulated_sdk() as (_, workspace):
        w = WorkspaceClient(config=Config(host=workspace.url, token=workspace.token, http_timeout_seconds=0.3))
        workspace.fault("GET */jobs/list", times=1, **fault)
        assert list(w.jobs.list()) == []
        assert (len(workspace.requests_to("GET */jobs/list")), len(sdk_time.slept)) == (2, 1)
