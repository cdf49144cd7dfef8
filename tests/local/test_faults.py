"""Faults: each of them as a client meets it, whether the effect is there, and which requests it happens to."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client, error, notebook_task
from tests.support.processes import wait_until

SUBMIT = "POST /api/2.*/jobs/runs/submit"


@pytest.fixture(scope="module")
def module_workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(token="dapi-secret") as workspace:
        yield workspace


@pytest.fixture
def workspace(module_workspace: LocalWorkspace) -> Iterator[LocalWorkspace]:
    yield module_workspace
    module_workspace.clear_faults()
    module_workspace.clear_requests()


@pytest.fixture
def client(workspace: LocalWorkspace) -> Iterator[Client]:
    client = Client(workspace)
    yield client
    client.close()


def create(client: Client, name: str) -> httpx.Response:
    return client.http.post(f"{API}/create", json={"name": name})


def exists(workspace: LocalWorkspace, name: str) -> bool:
    """Whether there is a job of that name, asked past all faults."""
    workspace.clear_faults()
    headers = {"Authorization": f"Bearer {workspace.token}"}
    return "jobs" in httpx.get(f"{workspace.url}{API}/list", params={"name": name}, headers=headers).json()


def raw_exchange(workspace: LocalWorkspace, path: str) -> tuple[bytes, type[OSError] | None]:
    """Returns all that the server sent for a GET, and the error with which the connection ended."""
    received = b""
    with socket.create_connection(("127.0.0.1", int(workspace.url.rpartition(":")[2])), timeout=10) as client:
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {workspace.token}\r\n\r\n".encode("ascii")
        )
        try:
            while part := client.recv(65536):
                received += part
        except OSError as problem:
            return received, type(problem)
    return received, None


def test_a_status_has_the_apis_envelope(workspace: LocalWorkspace, client: Client) -> None:
    fault = workspace.fault("POST */create", status=503)
    assert error(create(client, "busy")) == (
        503,
        "TEMPORARILY_UNAVAILABLE",
        "The local workspace answers with status 503, because a fault is set.",
    )
    assert fault.met == 1
    assert not exists(workspace, "busy")


def test_code_message_and_retry_after_are_those_given(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault(
        "* *", status=429, error_code="SLOW", message="slow down", retry_after=7, headers={"X-Request-Id": "r"}
    )
    answer = client.http.get(f"{API}/list")
    assert error(answer) == (429, "SLOW", "slow down")
    assert (answer.headers["Retry-After"], answer.headers["X-Request-Id"]) == ("7", "r")


def test_retry_after_may_be_a_date(workspace: LocalWorkspace, client: Client) -> None:
    date = formatdate(usegmt=True)
    workspace.fault("* *", status=503, retry_after=date)
    assert client.http.get(f"{API}/list").headers["Retry-After"] == date


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "INVALID_PARAMETER_VALUE"), (401, 401), (429, "REQUEST_LIMIT_EXCEEDED"), (504, "DEADLINE_EXCEEDED")],
)
def test_a_status_has_the_code_that_databricks_has_for_it(
    workspace: LocalWorkspace, client: Client, status: int, code: object
) -> None:
    workspace.fault("* *", status=status)
    assert error(client.http.get(f"{API}/list"))[:2] == (status, code)


@pytest.mark.parametrize(
    ("fields", "status", "content_type", "body"),
    [
        ({"body": {"tasks": 3}}, 200, "application/json", '{"tasks": 3}'),
        ({"body": [1]}, 200, "application/json", "[1]"),
        ({"body": 0}, 200, "application/json", "0"),
        ({"body": False}, 200, "application/json", "false"),
        ({"body": "plain"}, 200, "text/plain; charset=utf-8", "plain"),
        ({"body": b"\xff", "headers": {"content-type": "x/y"}}, 200, "x/y", None),
        ({"body": "", "status": 500}, 500, None, ""),
        ({"status": 204}, 204, None, ""),
        ({"status": 302, "headers": {"Location": "https://x"}}, 302, None, ""),
        ({"html": True, "body": "<p>in", "status": 200}, 200, "text/html; charset=utf-8", "<p>in"),
        ({"html": True, "body": "<p>in"}, 200, "text/html; charset=utf-8", "<p>in"),
    ],
)
def test_an_answer_is_what_was_given(
    workspace: LocalWorkspace, client: Client, fields: dict[str, Any], status: int, content_type: str, body: str
) -> None:
    workspace.fault("* *", **fields)
    answer = create(client, "not made")
    assert answer.status_code == status
    assert answer.headers.get("content-type") == content_type
    assert answer.content == (b"\xff" if body is None else body.encode())
    assert not exists(workspace, "not made")


def test_a_proxys_page_names_its_status(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault("* *", html=True)
    answer = client.http.get(f"{API}/list")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert "<title>502 Bad Gateway</title>" in answer.text


def test_an_expired_token_has_the_real_answer(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault("* *", expired_token=True, times=1)
    answer = create(client, "expired")
    status, code, message = error(answer)
    assert (status, code) == (403, 403)
    assert message.startswith("Invalid access token. [ReqId: ")
    assert answer.headers["X-Databricks-Reason-Phrase"] == "Invalid access token."
    assert not exists(workspace, "expired")


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("fields", [{"status": 502}, {"html": True}, {"reset": True}, {"body": ""}])
def test_the_effect_is_there_only_after_the_effect(
    workspace: LocalWorkspace, client: Client, fields: dict[str, Any], after_effect: bool
) -> None:
    name = f"{fields} {after_effect}"
    workspace.fault("POST *", after_effect=after_effect, **fields)
    try:
        assert "job_id" not in create(client, name).text
    except httpx.TransportError:
        assert "reset" in fields
    assert exists(workspace, name) is after_effect


def test_a_run_whose_answer_was_lost_really_runs(workspace: LocalWorkspace, client: Client) -> None:
    path = client.notebook("dbutils.notebook.exit('done')")
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=1)
    body = {"tasks": [notebook_task(path)], "idempotency_token": "once"}
    before = set(workspace.runs)
    with pytest.raises(httpx.TransportError):
        client.post("runs/submit", **body)
    (run_id,) = set(workspace.runs) - before
    assert client.post("runs/submit", **body) == {"run_id": run_id}
    assert client.output(client.wait(run_id))["notebook_output"]["result"] == "done"


def test_a_reset_is_a_reset(workspace: LocalWorkspace) -> None:
    workspace.fault("* *", reset=True)
    assert raw_exchange(workspace, f"{API}/list") == (b"", ConnectionResetError)


def test_over_https_connections_are_cut_as_well() -> None:
    with LocalWorkspace(tls=True) as workspace:
        trust = ssl.create_default_context(cafile=workspace.ca_file)
        sign_in = {"Authorization": f"Bearer {workspace.token}"}
        with httpx.Client(base_url=workspace.url, verify=trust, headers=sign_in, timeout=1) as http:
            workspace.fault("* *", reset=True, times=1)
            with pytest.raises(httpx.TransportError):
                http.get(f"{API}/list")
            workspace.fault("* *", truncate=True, times=1)
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
                http.get(f"{API}/list")
            workspace.fault("* *", hang=True, times=1)
            with pytest.raises(httpx.ReadTimeout):
                http.get(f"{API}/list")
            assert http.get(f"{API}/list").status_code == 200


def test_a_truncated_answer_announces_all_and_sends_half(workspace: LocalWorkspace, client: Client) -> None:
    job_id = client.post("create", name="cut")["job_id"]
    whole = client.http.get(f"{API}/get", params={"job_id": job_id}).content
    workspace.fault("* */get", truncate=True)
    received, problem = raw_exchange(workspace, f"{API}/get?job_id={job_id}")
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert body == whole[: len(whole) // 2]
    assert problem is None
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get("get", job_id=job_id)


def test_a_truncated_answer_has_its_effect(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault("POST *", truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        create(client, "cut and made")
    assert exists(workspace, "cut and made")


def test_an_answer_of_ones_own_can_be_truncated(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault("POST *", body=[1, 2], truncate=True)
    with pytest.raises(httpx.RemoteProtocolError):
        create(client, "cut and not made")
    assert not exists(workspace, "cut and not made")


def test_a_delay_delays_one_request_and_no_other(workspace: LocalWorkspace, client: Client) -> None:
    slow = workspace.fault("POST *", delay=2)
    begin = time.monotonic()
    thread = threading.Thread(target=create, args=(client, "late"))
    thread.start()
    wait_until(lambda: slow.met)
    other = Client(workspace)
    assert "jobs" not in other.get("list", name="late")
    assert thread.is_alive()
    thread.join()
    assert time.monotonic() - begin >= 2
    assert "jobs" in other.get("list", name="late")
    other.close()


def test_a_delay_may_come_after_the_effect_and_before_an_error(workspace: LocalWorkspace, client: Client) -> None:
    begin = time.monotonic()
    workspace.fault("POST *", delay=0.2, status=504, after_effect=True)
    assert create(client, "slow gateway").status_code == 504
    assert time.monotonic() - begin >= 0.2
    assert exists(workspace, "slow gateway")


def test_what_a_client_asked_for_that_gave_up_is_done_all_the_same(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault("POST *", delay=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(f"{API}/create", json={"name": "given up"}, timeout=0.1)
    wait_until(lambda: exists(workspace, "given up"))


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_hang_lasts_until_the_client_goes(workspace: LocalWorkspace, client: Client, after_effect: bool) -> None:
    workspace.fault("POST *", hang=True, after_effect=after_effect)
    name = f"hang {after_effect}"
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(f"{API}/create", json={"name": name}, timeout=0.3)
    assert exists(workspace, name) is after_effect


@pytest.mark.parametrize("fields", [{"hang": True}, {"delay": 60}, {"delay": 60, "hang": True, "after_effect": True}])
def test_a_stop_ends_what_is_held_up_at_once(fields: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    problems: list[BaseException] = []
    with LocalWorkspace() as workspace:
        client = Client(workspace)
        held = workspace.fault("POST *", **fields)

        def ask() -> None:
            try:
                create(client, "x")
            except httpx.TransportError as problem:
                problems.append(problem)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_until(lambda: held.met)
        with pytest.raises(httpx.ReadTimeout):  # its client has left: of this one the server waits alone
            httpx.post(f"{workspace.url}{API}/create", json={}, timeout=0.1)
        begin = time.monotonic()
        workspace.stop()
        assert time.monotonic() - begin < 0.9  # uvicorn itself gives requests 1 s
        thread.join(5)
        client.close()
    assert len(problems) == 1
    assert caplog.records == []


def test_after_and_times_say_which_requests(workspace: LocalWorkspace, client: Client) -> None:
    fault = workspace.fault("GET */list", after=1, times=2, status=500)
    statuses = [client.http.get(f"{API}/{name}").status_code for name in ("list", "get", "list", "list", "list")]
    assert statuses == [200, 400, 500, 500, 200]
    assert (fault.seen, fault.met) == (4, 2)


def test_the_first_that_is_not_used_up_wins_and_all_count(workspace: LocalWorkspace, client: Client) -> None:
    first = workspace.fault("* *", status=500, times=1)
    second = workspace.fault("* *", after=1, status=501)
    third = workspace.fault("* *", status=502)
    assert [client.http.get(f"{API}/list").status_code for _ in range(3)] == [500, 501, 501]
    second.remove()
    second.remove()
    assert client.http.get(f"{API}/list").status_code == 502
    assert [(fault.seen, fault.met) for fault in (first, second, third)] == [(4, 1), (3, 2), (4, 1)]


@pytest.mark.parametrize(
    ("pattern", "strikes"),
    [
        ("GET /api/2.2/jobs/list", True),
        ("get  /api/2.*/jobs/list ", True),
        ("* *", True),
        ("*ET */list", True),
        ("* *jobs*", True),
        ("POST /api/2.2/jobs/list", False),
        ("GET /api/2.2/jobs/LIST", False),
        ("GET /api/2x2/jobs/list", False),
        ("GET /api/2.2/jobs/lis", False),
        ("GET /jobs/list", False),
        ("GET */[l]ist", False),
    ],
)
def test_a_pattern_means_these_requests(workspace: LocalWorkspace, client: Client, pattern: str, strikes: bool) -> None:
    workspace.fault(pattern, status=500)
    assert client.http.get(f"{API}/list", params={"limit": 1}).status_code == (500 if strikes else 200)


def struck(workspace: LocalWorkspace, client: Client, **fields: Any) -> list[int]:
    workspace.clear_faults()
    workspace.fault("* *", status=500, **fields)
    return [client.http.get(f"{API}/list").status_code for _ in range(40)]


def test_chance_is_repeated_by_a_seed(workspace: LocalWorkspace, client: Client) -> None:
    first = struck(workspace, client, probability=0.5, seed=1)
    assert set(first) == {200, 500}
    assert struck(workspace, client, probability=0.5, seed=1) == first
    assert struck(workspace, client, probability=0.5, seed=2) != first


def test_the_log_tells_what_happened(workspace: LocalWorkspace, client: Client) -> None:
    workspace.fault("POST *", delay=0.01, status=502, html=True, after_effect=True, times=1)
    workspace.fault("POST *", reset=True, times=1)
    create(client, "x")
    with pytest.raises(httpx.TransportError):
        create(client, "y")
    create(client, "z")
    told = [(each.fault, each.status, each.answered_ms is None) for each in workspace.requests]
    assert told == [
        ("delay of 0.01 s, status 502, HTML after the effect", 502, False),
        ("reset", None, True),
        (None, 200, False),
    ]


def test_a_fault_shows_itself(workspace: LocalWorkspace) -> None:
    assert repr(workspace.fault("post */create", reset=True, times=2)) == "Fault('post */create', reset, met 0 of 2)"
    assert repr(workspace.fault("* *", expired_token=True)) == "Fault('* *', expired token, met 0)"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"pattern": "create", "status": 500}, "must be a method and a path"),
    ({"pattern": "POST", "status": 500}, "must be a method and a path"),
    ({"pattern": "/api POST", "status": 500}, "must begin with a method"),
    ({"pattern": "GET api/2.2", "status": 500}, "must begin with / or"),
    ({"pattern": "GET */get?run_id=1", "status": 500}, "has a query"),
    ({"pattern": 3, "status": 500}, "A pattern is a string"),
    ({}, "must do something"),
    ({"after": -1, "status": 500}, "after must not be negative"),
    ({"times": 0, "status": 500}, "times must be at least 1"),
    ({"times": 1.5, "status": 500}, "times must be a whole number or nothing"),
    ({"after": True, "status": 500}, "after must be a whole number"),
    ({"probability": 0, "status": 500}, "probability must be above 0"),
    ({"probability": 1.1, "status": 500}, "at most 1"),
    ({"status": 100}, "from 200 to 599"),
    ({"status": 0}, "from 200 to 599"),
    ({"status": "500"}, "status must be a whole number"),
    ({"delay": -1}, "delay must be from 0 to 86400"),
    ({"delay": 10**400}, "delay must be from 0 to 86400"),
    ({"delay": "2"}, "delay must be a number of seconds"),
    ({"hang": 1}, "hang must be true or false"),
    ({"error_code": "X"}, "error_code needs status"),
    ({"retry_after": 3}, "retry_after needs status"),
    ({"retry_after": -3, "status": 429}, "retry_after must not be negative"),
    ({"retry_after": "a\r\nb: c", "status": 429}, "cannot be the value"),
    ({"headers": {"a b": "c"}, "status": 500}, "cannot be the name"),
    ({"headers": {"a": " c"}, "status": 500}, "cannot be the value"),
    ({"headers": {"a": 1}, "status": 500}, "cannot be the value"),
    ({"headers": {"Content-Length": "1"}, "status": 500}, "the server's own"),
    ({"headers": ["a"], "status": 500}, "an object of strings"),
    ({"message": "x", "body": "y"}, "cannot be used with body"),
    ({"message": "x", "status": 200}, "a status from 400 up"),
    ({"status": 204, "body": "x"}, "cannot have a body"),
    ({"body": "\ud800"}, "body must be a string"),
    ({"html": True, "body": {}}, "must be a string or bytes"),
    ({"hang": True, "reset": True}, "only one of these: hang and reset"),
    ({"reset": True, "status": 500}, "only one of these: reset and its own answer"),
    ({"expired_token": True, "status": 500}, "only one of these"),
    ({"expired_token": True, "after_effect": True}, "cannot be used with after_effect"),
    ({"truncate": True, "reset": True}, "cannot be used with hang or reset"),
    ({"truncate": True, "body": ""}, "needs an answer with a body"),
]


@pytest.mark.parametrize(("fields", "says"), WRONG)
def test_a_fault_that_makes_no_sense_is_refused(
    workspace: LocalWorkspace, client: Client, fields: dict[str, Any], says: str
) -> None:
    fields = {"pattern": "* *", **fields}
    with pytest.raises(ValueError, match=says) as caught:
        workspace.fault(**fields)
    answer = client.http.post("/local/faults", content=json.dumps(fields))
    assert error(answer) == (400, "INVALID_PARAMETER_VALUE", str(caught.value))
    assert client.http.get("/local/faults").json() == {"faults": []}


def test_what_json_cannot_hold_is_refused(workspace: LocalWorkspace) -> None:
    with pytest.raises(ValueError, match="or a JSON value"):
        workspace.fault("* *", body={1, 2})


def test_faults_are_set_listed_and_removed_over_http(workspace: LocalWorkspace, client: Client) -> None:
    rule = {"pattern": "GET */list", "status": 429, "retry_after": 2, "headers": {"a": "b"}, "times": 1}
    answer = client.http.post("/local/faults", json={**rule, "after": 0, "seed": None})
    assert answer.json() == {**rule, "seen": 0, "met": 0}
    workspace.fault("* *", delay=0.01, after=9)
    assert client.http.get(f"{API}/list").headers["retry-after"] == "2"
    assert client.http.get("/local/faults").json() == {
        "faults": [{**rule, "seen": 1, "met": 1}, {"pattern": "* *", "delay": 0.01, "after": 9, "seen": 1, "met": 0}]
    }
    assert client.http.delete("/local/faults").json() == {}
    assert client.http.get("/local/faults").json() == {"faults": []}


def test_over_http_one_must_sign_in(workspace: LocalWorkspace) -> None:
    with httpx.Client(base_url=workspace.url) as nobody:
        answers = [
            nobody.post("/local/faults", json={"pattern": "* *", "reset": True}),
            nobody.get("/local/faults"),
            nobody.delete("/local/faults", headers={"Authorization": "Bearer wrong"}),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 403]


def test_over_http_a_wrong_body_is_named(client: Client) -> None:
    says = "A fault has no field 'stats'; there are after, after_effect, body"
    assert error(client.http.post("/local/faults", json={"stats": 1, "pattern": "* *"}))[2].startswith(says)
    assert "needs the field 'pattern'" in error(client.http.post("/local/faults", json={"status": 1}))[2]
    assert error(client.http.post("/local/faults", content="{"))[:2] == (400, "MALFORMED_REQUEST")


def test_no_fault_shuts_out_its_own_removal(workspace: LocalWorkspace, client: Client) -> None:
    fault = workspace.fault("* *", reset=True)
    assert client.http.delete("/local/faults").status_code == 200
    assert (client.get("list") is not None, fault.met) == (True, 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
NAMES = [
    *("after", "times", "probability", "seed", "status", "error_code", "message", "body", "html", "headers"),
    *("retry_after", "hang", "reset", "truncate", "expired_token", "after_effect"),
]
likely = st.sampled_from([True, False, 0, 1, 0.5, 200, 204, 304, 404, 599, "x", "", {}, {"X-A": "é"}, [1], None])
rules = st.dictionaries(st.sampled_from(NAMES), likely | json_values, max_size=5)


@settings(max_examples=150, deadline=None)
@given(rule=rules, delay=st.sampled_from([0, 0.001]))
def test_each_rule_is_refused_or_happens(module_workspace: LocalWorkspace, rule: dict[str, Any], delay: float) -> None:
    module_workspace.clear_faults()
    headers = {"Authorization": f"Bearer {module_workspace.token}"}
    patience = 0.05 if rule.get("hang") else 30  # what does not hang answers, however slow the machine
    with httpx.Client(base_url=module_workspace.url, headers=headers, timeout=30) as http:
        body = {"pattern": "GET */list", "delay": delay, **rule}
        answer = http.post("/local/faults", content=json.dumps(body))
        assert answer.status_code in {200, 400}, answer.text
        if answer.status_code == 400:
            return
        try:
            got = http.get(f"{API}/list", timeout=patience)
        except httpx.TransportError:
            assert rule.get("hang") or rule.get("reset") or rule.get("truncate")
        else:
            assert got.status_code in {200, 403, rule.get("status"), 502}
            assert got.text != "Internal Server Error"
    module_workspace.clear_faults()
