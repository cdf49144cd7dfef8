"""What clients asked can be read back, without secrets, and does not grow for ever."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace, RecordedRequest
from prefect_databricks_runs.local.web.request_log import RequestLog
from tests.local.client import API, Client


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(token="dapi-secret") as workspace:
        yield workspace


@pytest.fixture
def client(workspace: LocalWorkspace) -> Iterator[Client]:
    client = Client(workspace)
    client.http.headers["User-Agent"] = "me/1"
    yield client
    client.close()


def test_requests_are_remembered_in_order(workspace: LocalWorkspace, client: Client) -> None:
    client.post("create", name="x")
    client.get("list", name="X")
    client.http.post(f"{API}/create", content="{")
    httpx.get(f"{workspace.url}{API}/list", headers={"User-Agent": ""})
    assert workspace.requests == (
        RecordedRequest("POST", f"{API}/create", {}, {"name": "x"}, 200, "me/1", "Bearer"),
        RecordedRequest("GET", f"{API}/list", {"name": "X"}, None, 200, "me/1", "Bearer"),
        RecordedRequest("POST", f"{API}/create", {}, None, 400, "me/1", "Bearer"),
        RecordedRequest("GET", f"{API}/list", {}, None, 401, "", ""),
    )


def test_they_can_be_read_when_the_workspace_has_stopped(workspace: LocalWorkspace, client: Client) -> None:
    client.get("list")
    workspace.stop()
    assert len(workspace.requests) == 1


def test_they_tell_when(workspace: LocalWorkspace, client: Client) -> None:
    before = int(time.time() * 1000)
    client.get("list")
    after = int(time.time() * 1000)
    (request,) = workspace.requests
    assert before <= request.started_ms <= request.answered_ms <= after


@pytest.mark.parametrize(
    ("authorization", "scheme"),
    [
        ("Bearer dapi-secret", "Bearer"),
        ("bearer  dapi-secret", "Bearer"),
        ("Basic " + base64.b64encode(b"token:dapi-secret").decode(), "Basic"),
        ("dapi-secret", "other"),
        ("dapi-secret x", "other"),
        ("Digest username=dapi-secret", "other"),
    ],
)
def test_they_tell_how_a_client_signed_in_but_not_with_what(
    workspace: LocalWorkspace, authorization: str, scheme: str
) -> None:
    httpx.get(f"{workspace.url}{API}/list", headers={"Authorization": authorization})
    (request,) = workspace.requests
    assert request.auth_scheme == scheme
    assert "dapi-secret" not in repr(request)
    assert "dG9rZW4" not in repr(request)


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"grant_type": "client_credentials", "client_secret": "hunter2"}},
        {"files": {"content": ("n.py", b"hunter2")}},
        {"json": {"client_secret": "hunter2"}},
        {"params": {"access_token": "hunter2"}},
        {"content": '"hunter2"', "headers": {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}},
    ],
    ids=["form", "file", "JSON", "query", "JSON that is called a form"],
)
def test_what_may_hold_a_secret_is_not_remembered(workspace: LocalWorkspace, client: Client, sent) -> None:
    for path in ("/oidc/v1/token", f"{API}/create"):
        workspace.clear_requests()
        client.http.post(path, **sent)
        (request,) = workspace.requests
        assert request.path == path
        assert "hunter2" not in repr(request)


def test_nothing_of_what_is_sent_to_sign_in_is_remembered(workspace: LocalWorkspace, client: Client) -> None:
    client.http.post("/oidc/v1/token", json={"nested": {"secret": "hunter2"}})
    assert workspace.requests[0].body is None


def test_a_job_parameter_that_is_called_password_can_be_read(workspace: LocalWorkspace, client: Client) -> None:
    job_id = client.post("create", name="x")["job_id"]
    client.refused("run-now", job_id=job_id, job_parameters={"password": "x"})
    assert workspace.requests[-1].body["job_parameters"] == {"password": "x"}


def test_only_the_last_ones_are_kept() -> None:
    with LocalWorkspace(max_requests=3) as workspace:
        client = Client(workspace)
        for number in range(5):
            client.get("list", name=str(number))
        client.close()
        assert [(each.query["name"], each.status) for each in workspace.requests] == [
            ("2", 200),
            ("3", 200),
            ("4", 200),
        ]
    with pytest.raises(ValueError, match="max_requests must be at least 1"):
        LocalWorkspace(max_requests=0)


def test_an_answer_to_a_request_that_is_forgotten_does_no_harm() -> None:
    with LocalWorkspace(max_requests=1) as workspace:
        client = Client(workspace)
        slow = workspace.fault(f"GET {API}/list", delay=0.2)
        with socket.create_connection(("127.0.0.1", int(workspace.url.rpartition(":")[2]))) as early:
            early.settimeout(10)
            early.sendall(f"GET {API}/list HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            while not slow.met:
                time.sleep(0.01)
            client.post("create", name="x")
            assert early.recv(12) == b"HTTP/1.1 401"
        client.close()
        assert [(each.path, each.status) for each in workspace.requests] == [(f"{API}/create", 200)]


def test_they_can_be_forgotten(workspace: LocalWorkspace, client: Client) -> None:
    client.get("list")
    workspace.clear_requests()
    assert workspace.requests == ()
    client.post("create", name="x")
    assert [each.path for each in workspace.requests] == [f"{API}/create"]


def test_some_of_them_can_be_asked_for(workspace: LocalWorkspace, client: Client) -> None:
    client.post("create", name="x")
    client.get("list")
    client.post("create", name="y")
    assert [each.body["name"] for each in workspace.requests_to("POST */create")] == ["x", "y"]
    assert [each.path for each in workspace.requests_to("get /api/2.*/jobs/list")] == [f"{API}/list"]
    assert workspace.requests_to("* *") == workspace.requests
    assert workspace.requests_to("POST *") == workspace.requests_to("POST */create")
    assert workspace.requests_to("* /jobs/create") == ()
    with pytest.raises(ValueError, match="must be a method and a path"):
        workspace.requests_to("create")


def test_what_controls_the_workspace_is_left_out(workspace: LocalWorkspace, client: Client) -> None:
    assert client.http.get("/local/faults").status_code == 200
    assert client.http.get("/local/elsewhere").status_code == 404
    assert workspace.requests == ()


def test_bodies_are_remembered_up_to_a_number_of_bytes() -> None:
    log = RequestLog()
    for number in range(10):
        log.add(RecordedRequest("POST", f"/{number}", {}, None, 200, ""), size=3_000_000)
    assert [request.path for request in log.all()] == ["/4", "/5", "/6", "/7", "/8", "/9"]
    log.add(RecordedRequest("POST", "/huge", {}, None, 200, ""), size=10**9)
    assert [request.path for request in log.all()] == ["/huge"]
