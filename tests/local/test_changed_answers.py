"""A fault may change the real answer: its JSON, and its headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client

LIST = "GET */jobs/list"
ODD_DATE = "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"


@pytest.fixture(scope="module")
def module_workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace() as workspace:
        yield workspace


@pytest.fixture
def workspace(module_workspace: LocalWorkspace) -> Iterator[LocalWorkspace]:
    yield module_workspace
    module_workspace.clear_faults()


@pytest.fixture
def client(workspace: LocalWorkspace) -> Iterator[httpx.Client]:
    client = Client(workspace)
    yield client.http
    client.close()


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({"settings": {"name": 5}}, {"name": 5, "tags": {"a": "b"}}),
        ({"settings": {"name": None, "tags": {"c": [1, None]}}}, {"tags": {"a": "b", "c": [1, None]}}),
        ({"settings": {"tags": []}}, {"name": "x", "tags": []}),
    ],
    ids=["a type", "a key less, and one more", "a list for an object"],
)
def test_objects_are_merged_and_all_else_is_replaced(
    workspace: LocalWorkspace, client, patch: Any, changed: Any
) -> None:
    job = client.post(f"{API}/create", json={"name": "x", "tags": {"a": "b"}}).json()
    true = client.get(f"{API}/get", params=job).json()
    fault = workspace.fault("GET */jobs/get", merge=patch, times=1)
    answer = client.get(f"{API}/get", params=job)
    settings = answer.json()["settings"]
    assert {key: settings.get(key) for key in changed} == changed
    assert settings.keys() ^ true["settings"].keys() <= {"name"}
    assert answer.json()["job_id"] == true["job_id"]
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert (fault.met, workspace.requests[-1].fault) == (1, "changed")


def test_what_was_asked_for_is_done(workspace: LocalWorkspace, client) -> None:
    workspace.fault("POST */jobs/create", merge={"job_id": None})
    assert client.post(f"{API}/create", json={"name": "made"}).json() == {}
    assert "jobs" in client.get(f"{API}/list", params={"name": "made"}).json()


def test_headers_go_with_the_real_answer_and_its_date_is_replaced(workspace: LocalWorkspace, client) -> None:
    workspace.fault(LIST, merge={}, headers={"Date": ODD_DATE, "X-Odd": "\xe9"}, retry_after="soon")
    answer = client.get(f"{API}/list")
    assert answer.status_code == 200
    assert [value for name, value in answer.headers.multi_items() if name == "date"] == [ODD_DATE]
    assert (answer.headers["X-Odd"], answer.headers["Retry-After"]) == ("\xe9", "soon")
    workspace.clear_faults()
    assert client.get(f"{API}/list").headers["Date"].endswith("GMT")


def test_an_error_and_an_answer_of_ones_own_may_have_another_date(workspace: LocalWorkspace, client) -> None:
    workspace.fault(LIST, status=503, headers={"date": ODD_DATE})
    assert client.get(f"{API}/list").headers.get_list("Date") == [ODD_DATE]


@pytest.mark.parametrize(
    "more",
    [{"status": 200}, {"body": {}}, {"html": True}, {"hang": True}, {"expired_token": True}, {"error_code": "X"}],
    ids=lambda more: next(iter(more)),
)
def test_a_change_goes_with_no_other_answer(workspace: LocalWorkspace, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"only one of these|needs status"):
        workspace.fault(LIST, merge={}, **more)


@pytest.mark.parametrize("patch", [{"a": b"bytes"}, {"a": {1, 2}}, 5, "x"], ids=repr)
def test_a_change_is_an_object_of_json(workspace: LocalWorkspace, patch: Any) -> None:
    with pytest.raises(ValueError, match="merge"):
        workspace.fault(LIST, merge=patch)


def test_a_change_is_set_over_http_too(workspace: LocalWorkspace, client) -> None:
    rule = {"pattern": LIST, "merge": {"has_more": 1e300}}
    assert client.post("/local/faults", json=rule).json()["merge"] == rule["merge"]
    assert client.get(f"{API}/list").json()["has_more"] == 1e300
