"""What goes wrong at the token endpoint when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.tokens import TOKEN, ask, exchange

ENDPOINT = f"POST {TOKEN}"


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(client_id="etl", client_secret="dose-1") as workspace:
        workspace.add_federation_policy(client_id="etl", subject="s")
        yield workspace


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"status": 503}, 503),
        ({"status": 429, "retry_after": 1}, 429),
        ({"html": True}, 502),
        ({"status": 200, "body": "no JSON"}, 200),
        ({"status": 400, "body": {"error": "invalid_grant", "error_description": "as a test says"}}, 400),
    ],
)
def test_it_answers_wrongly_as_often_as_it_is_told(
    workspace: LocalWorkspace, fault: dict[str, Any], status: int
) -> None:
    met = workspace.fault(ENDPOINT, times=2, **fault)
    answers = [
        ask(workspace, "etl", "dose-1"),
        exchange(workspace, workspace.issue_identity_token("s"), client_id="etl"),
        ask(workspace, "etl", "dose-1"),
    ]
    assert [each.status_code for each in answers] == [status, status, 200]
    assert "access_token" not in answers[0].text
    assert (answers[0].headers.get("retry-after") == "1") is ("retry_after" in fault)
    assert ("text/html" in answers[0].headers["content-type"]) is ("html" in fault)
    assert met.met == 2
    assert [each.fault is None for each in workspace.requests_to(ENDPOINT)] == [False, False, True]


def test_it_breaks_connections_off(workspace: LocalWorkspace) -> None:
    workspace.fault(ENDPOINT, times=1, reset=True)
    with pytest.raises(httpx.ReadError):
        ask(workspace, "etl", "dose-1")
    assert ask(workspace, "etl", "dose-1").status_code == 200


def test_it_hangs_and_is_slow(workspace: LocalWorkspace) -> None:
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    hang = workspace.fault(ENDPOINT, times=1, hang=True)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(workspace.url + TOKEN, data=form, auth=("etl", "dose-1"), timeout=0.2)
    assert hang.met == 1
    workspace.fault(ENDPOINT, times=1, delay=0.05)
    assert ask(workspace, "etl", "dose-1").elapsed.total_seconds() >= 0.05


def test_a_token_whose_answer_is_lost_is_good_all_the_same(workspace: LocalWorkspace) -> None:
    workspace.fault(ENDPOINT, times=1, truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(workspace, "etl", "dose-1")
    assert ask(workspace, "etl", "dose-1").status_code == 200


def test_a_fault_of_the_api_leaves_it_alone(workspace: LocalWorkspace) -> None:
    workspace.fault("* /api/*", status=503)
    assert ask(workspace, "etl", "dose-1").status_code == 200
