"""The hook: what goes over the wire, what comes back, what is tried again, and what each failure says."""

from __future__ import annotations

import json
import logging
import pickle
import re
from email.utils import formatdate
from typing import Any

import httpx
import pytest
import respx

from prefect_databricks_runs import (
    BadRequest,
    DatabricksApiError,
    DatabricksConnectionError,
    DatabricksError,
    DatabricksHook,
    InvalidResponse,
    JobNameError,
    NotFound,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    __version__,
)
from prefect_databricks_runs.auth import BasicAuth, TokenAuth
from tests.support.answers import HOST, RUN_ID, run, task
from tests.support.clocks import FakeClock

TOKEN = "dapi-very-secret"
pytestmark = pytest.mark.anyio


@pytest.fixture
def api():
    """The workspace's address; httpcore is patched for the whole process, so nothing else is asserted on."""
    with respx.mock(base_url=f"{HOST}/api/2.2/jobs", assert_all_called=False) as router:
        yield router


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def hook(clock: FakeClock):
    async with DatabricksHook(
        HOST, TokenAuth(TOKEN), transport=httpx.AsyncHTTPTransport(), clock=clock, timeout_seconds=5
    ) as hook:
        yield hook


async def test_submit_sends_the_body_with_a_token_and_who_is_asking(api: respx.Router, hook: DatabricksHook) -> None:
    route = api.post("/runs/submit").respond(json={"run_id": RUN_ID})
    assert await hook.submit_run({"run_name": "nightly"}) == RUN_ID
    request = route.calls.last.request
    body = json.loads(request.content)
    assert body.pop("idempotency_token")
    assert body == {"run_name": "nightly"}
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert re.match(rf"\w+_[\w-]+/{re.escape(__version__)} prefect/[\d.]+ python/[\d.]+", request.headers["User-Agent"])


async def test_each_start_has_its_own_token_and_the_callers_wins(api: respx.Router, hook: DatabricksHook) -> None:
    route = api.post("/run-now").respond(json={"run_id": RUN_ID})
    for payload in ({"job_id": 1}, {"job_id": 1}, {"job_id": 1, "idempotency_token": "mine"}):
        await hook.run_now(payload)
    tokens = [json.loads(call.request.content)["idempotency_token"] for call in route.calls]
    assert len(set(tokens)) == 3
    assert tokens[2] == "mine"


async def test_a_lost_answer_is_asked_for_again_with_the_same_token(api: respx.Router, hook: DatabricksHook) -> None:
    route = api.post("/runs/submit").mock(
        side_effect=[httpx.ReadTimeout(""), httpx.RemoteProtocolError("cut"), httpx.Response(200, json={"run_id": 7})]
    )
    assert await hook.submit_run({}) == 7
    assert len({json.loads(call.request.content)["idempotency_token"] for call in route.calls}) == 1


async def test_basic_sign_in(api: respx.Router) -> None:
    route = api.post("/runs/cancel").respond(json={})
    async with DatabricksHook(HOST, BasicAuth("ada", "pw"), transport=httpx.AsyncHTTPTransport()) as hook:
        await hook.cancel_run(RUN_ID)
    assert route.calls.last.request.headers["Authorization"] == "Basic YWRhOnB3"
    assert json.loads(route.calls.last.request.content) == {"run_id": RUN_ID}


async def test_hooks_share_their_connections_and_nothing_of_who_signs_in(api: respx.Router) -> None:
    made: list[httpx.AsyncClient] = []

    class Counted(httpx.AsyncClient):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    route = api.post("/runs/cancel").respond(json={}, headers={"Set-Cookie": "session=of-a; Path=/"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "AsyncClient", Counted)
        for token in ("a", "b"):
            hook = DatabricksHook(HOST, TokenAuth(token), shared=True, transport=httpx.AsyncHTTPTransport())
            await hook.cancel_run(RUN_ID)
    assert len(made) == 1
    sent = [call.request.headers for call in route.calls]
    assert [headers["Authorization"] for headers in sent] == ["Bearer a", "Bearer b"]
    assert [headers.get("Cookie") for headers in sent] == [None, None]
    await made[0].aclose()


async def test_a_hook_that_tries_once_knows_what_the_other_one_knows(api: respx.Router, hook: DatabricksHook) -> None:
    once = hook.trying_once()
    await let_in(api, hook)
    route = api.post("/runs/cancel").respond(503)
    with pytest.raises(DatabricksError):
        await once.cancel_run(RUN_ID)
    assert route.call_count == 1
    refused = api.get("/runs/get-output").respond(401, json={"message": "Invalid access token."})
    with pytest.raises(Unauthenticated) as caught:
        await once.get_run_output(RUN_ID)
    assert refused.called
    assert once.may_pass(caught.value)


async def let_in(api: respx.Router, hook: DatabricksHook) -> None:
    api.post("/runs/repair").respond(json={"repair_id": 1})
    await hook.repair_run(RUN_ID, None, {})


async def test_a_run_that_cannot_be_read_is_asked_for_again(api: respx.Router, hook: DatabricksHook) -> None:
    odd = {**run("TERMINATED"), "state": {"life_cycle_state": "TERMINATED", "result_state": []}}
    route = api.get("/runs/get").mock(
        side_effect=[httpx.Response(200, json=odd), httpx.Response(200, json=run("TERMINATED", "SUCCESS"))]
    )
    assert (await hook.get_run(RUN_ID)).state.name == "Success"
    assert route.call_count == 2


async def test_a_run_of_many_pages_is_put_together(api: respx.Router, hook: DatabricksHook) -> None:
    pages = {
        None: run("RUNNING", tasks=[task("a", "RUNNING")], next_page_token="p2"),
        "p2": run("RUNNING", tasks=[task("b", "BLOCKED")], iterations=[{"run_id": 1}], next_page_token="p3"),
        "p3": run("RUNNING", tasks=[task("c", "BLOCKED")]),
    }
    api.get("/runs/get").mock(
        side_effect=lambda request: httpx.Response(200, json=pages[request.url.params.get("page_token")])
    )
    got = await hook.get_run(RUN_ID)
    assert list(got.tasks) == ["a", "b", "c"]
    assert got.raw["iterations"] == [{"run_id": 1}]
    assert got.url == f"{HOST}/jobs/42/runs/{RUN_ID}?o=77"


async def test_an_end_that_comes_while_the_pages_are_read_is_seen_by_the_next_poll(
    api: respx.Router, hook: DatabricksHook
) -> None:
    pages = {
        None: run("RUNNING", tasks=[task("a", "RUNNING")], next_page_token="p2"),
        "p2": run("TERMINATED", "SUCCESS", tasks=[task("b", "TERMINATED", "SUCCESS")]),
    }
    api.get("/runs/get").mock(
        side_effect=lambda request: httpx.Response(200, json=pages[request.url.params.get("page_token")])
    )
    assert not (await hook.get_run(RUN_ID)).state.is_terminal
    pages[None] = run("TERMINATED", "SUCCESS", tasks=[task("a", "TERMINATED", "SUCCESS")], next_page_token="p2")
    ended = await hook.get_run(RUN_ID)
    assert ended.state.is_terminal
    assert {each.state.name for each in ended.tasks.values()} == {"Success"}


async def test_a_page_that_names_itself_as_the_next_one_is_an_error(api: respx.Router, hook: DatabricksHook) -> None:
    api.get("/runs/get").respond(json=run("RUNNING", next_page_token="again"))
    with pytest.raises(InvalidResponse, match="the same page twice"):
        await hook.get_run(RUN_ID)


async def test_pages_that_go_in_a_circle_are_an_error(api: respx.Router, hook: DatabricksHook) -> None:
    tokens = {None: "p2", "p2": "p3", "p3": "p2"}
    api.get("/list").mock(
        side_effect=lambda request: httpx.Response(
            200, json={"next_page_token": tokens[request.url.params.get("page_token")]}
        )
    )
    with pytest.raises(InvalidResponse, match="the same page twice"):
        await hook.find_job("nightly")


async def test_output_of_a_task(api: respx.Router, hook: DatabricksHook) -> None:
    answer = {"metadata": {}, "notebook_output": {"result": "42", "truncated": False}, "error": None}
    api.get("/runs/get-output", params={"run_id": 7}).respond(json=answer)
    output = await hook.get_run_output(7)
    assert (output.result, output.truncated, output.error) == ("42", False, None)
    assert "metadata" not in output.raw


async def test_the_one_job_of_a_name_is_found_on_any_page(api: respx.Router, hook: DatabricksHook) -> None:
    pages = {None: {"next_page_token": "p2"}, "p2": {"jobs": [{"job_id": 42, "settings": {"name": "Nightly"}}]}}
    route = api.get("/list").mock(
        side_effect=lambda request: httpx.Response(200, json=pages[request.url.params.get("page_token")])
    )
    assert await hook.find_job("nightly") == 42
    assert route.calls.last.request.url.params["name"] == "nightly"


@pytest.mark.parametrize(
    ("jobs", "says"),
    [([], "No job is named 'nightly'"), ([{"job_id": 1}, {"job_id": 2}], r"2 jobs are named 'nightly' \(ids 1, 2\)")],
    ids=["none", "two"],
)
async def test_a_name_of_no_job_or_of_two_is_an_error(jobs, says, api: respx.Router, hook: DatabricksHook) -> None:
    api.get("/list").respond(json={"jobs": jobs} if jobs else {})
    with pytest.raises(JobNameError, match=says):
        await hook.find_job("nightly")


async def test_an_empty_name_which_databricks_reads_as_any_is_that_of_no_job(api, hook: DatabricksHook) -> None:
    listed = api.get("/list").respond(json={"jobs": [{"job_id": 1}]})
    with pytest.raises(JobNameError, match="No job is named ''"):
        await hook.find_job("")
    assert not listed.called


def error(status: int, code: object = "", message: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error_code": code, "message": message}, headers=headers)


PASSING = {
    "refused": httpx.ConnectError("refused"),
    "cut": httpx.ReadError(""),
    "hangs": httpx.ReadTimeout(""),
    "slow to connect": httpx.ConnectTimeout(""),
    "429": error(429, "REQUEST_LIMIT_EXCEEDED", "slow down"),
    "500": error(500, "INTERNAL_ERROR", "oops"),
    "502": httpx.Response(502, html="<h1>Bad gateway</h1>"),
    "503": error(503, "TEMPORARILY_UNAVAILABLE", "later"),
    "504": error(504, "DEADLINE_EXCEEDED", "too long"),
    "lock": error(400, "COULD_NOT_ACQUIRE_LOCK", "locked"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_what_passes_is_tried_again(fault, api: respx.Router, hook: DatabricksHook, clock: FakeClock) -> None:
    api.get("/runs/get").mock(side_effect=[fault, fault, httpx.Response(200, json=run("RUNNING"))])
    assert (await hook.get_run(RUN_ID)).run_id == RUN_ID
    first, second = clock.sleeps
    assert 1 <= first <= 1.25
    assert 2 <= second <= 2.25


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_the_limit_counts_every_try(fault, api: respx.Router, clock: FakeClock) -> None:
    route = api.get("/runs/get").mock(side_effect=[fault] * 9)
    async with DatabricksHook(
        HOST, TokenAuth(TOKEN), transport=httpx.AsyncHTTPTransport(), clock=clock, retry_limit=2
    ) as hook:
        with pytest.raises((DatabricksApiError, DatabricksConnectionError)):
            await hook.get_run(RUN_ID)
    assert route.call_count == 2


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (
            error(400, "INVALID_PARAMETER_VALUE", "Run 1 does not exist."),
            NotFound,
            "Run 1 does not exist. Check the id",
        ),
        (error(400, "INVALID_PARAMETER_VALUE", "Run: 1 in job: 2 doesn't exist"), NotFound, "doesn't exist. Check"),
        (error(404, "RESOURCE_DOES_NOT_EXIST", "No."), NotFound, "404 RESOURCE_DOES_NOT_EXIST"),
        (error(400, "MALFORMED_REQUEST", "Expected object"), BadRequest, "Correct the request"),
        (
            error(401, 401, "Credential was not sent [ReqId: ab-1]"),
            Unauthenticated,
            r"Check the token.*\(request id ab-1",
        ),
        (
            error(403, 403, "Invalid access token. [ReqId: ab-2]"),
            Unauthenticated,
            "403 to GET.*Invalid access token. Check",
        ),
        (error(403, "PERMISSION_DENIED", "User ada does not have"), PermissionDenied, "workspace admin"),
        (error(429, "REQUEST_LIMIT_EXCEEDED", "slow", {"Retry-After": "9999"}), RateLimited, "polling_period_seconds"),
        (httpx.Response(418, text="tea"), DatabricksApiError, "no message, but text/plain that reads 'tea'"),
        (httpx.Response(501, text=""), DatabricksApiError, "no message, but an empty body"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_an_error_that_stays_says_what_to_do_and_is_not_tried_again(
    answer, kind, says, api: respx.Router, hook: DatabricksHook
) -> None:
    route = api.get("/runs/get").mock(return_value=answer)
    with pytest.raises(DatabricksApiError, match=says) as caught:
        await hook.get_run(1)
    assert type(caught.value) is kind
    # Who is not known is asked about once more: that may pass within a moment.
    assert route.call_count == (2 if kind is Unauthenticated else 1)
    assert TOKEN not in str(caught.value) + repr(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.status_code, again.path) == (
        str(caught.value),
        answer.status_code,
        "/api/2.2/jobs/runs/get",
    )


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(200, html="<html><title>Sign in</title><script>x()</script></html>"), "text/html.*'Sign in'"),
        (httpx.Response(200, text=""), "an empty body"),
        (
            httpx.Response(200, text='{"run_id": 1, "sta', headers={"content-type": "application/json"}),
            "application/json",
        ),
        (httpx.Response(200, json=[1]), "application/json"),
        (
            httpx.Response(302, headers={"location": "https://login/x?token=secret"}),
            "a redirect to https://login/x and",
        ),
        (httpx.Response(200, json={"tasks": 3}), "JSON without a required value"),
    ],
    ids=["html", "empty", "cut", "list", "redirect", "other JSON"],
)
async def test_an_answer_that_is_none_is_one_clear_error(answer, says, api: respx.Router, hook: DatabricksHook) -> None:
    api.get("/runs/get").mock(return_value=answer)
    with pytest.raises(InvalidResponse, match=says.replace(" and", "")) as caught:
        await hook.get_run(1)
    assert "Check that `host` is the address of a workspace" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_write_without_a_result_may_answer_nothing(api: respx.Router, hook: DatabricksHook) -> None:
    api.post("/runs/cancel").respond(200, text="")
    await hook.cancel_run(RUN_ID)


async def test_no_answer_says_where_it_was_looked_for(api: respx.Router, hook: DatabricksHook) -> None:
    api.get("/runs/get").mock(side_effect=httpx.ReadTimeout(""))
    with pytest.raises(DatabricksConnectionError, match=f"No answer from {HOST} to GET .*no data within 5 s"):
        await hook.get_run(1)


@pytest.mark.parametrize("asked", ["7", "date", "0", "rubbish"])
async def test_retry_after_is_obeyed(asked: str, api: respx.Router, hook: DatabricksHook, clock: FakeClock) -> None:
    value = formatdate(clock.time() + 7, usegmt=True) if asked == "date" else asked
    slow_down = error(429, "REQUEST_LIMIT_EXCEEDED", "slow", {"Retry-After": value})
    api.get("/runs/get").mock(side_effect=[slow_down, httpx.Response(200, json=run("RUNNING"))])
    await hook.get_run(RUN_ID)
    (slept,) = clock.sleeps
    if asked in ("0", "rubbish"):
        assert 1 <= slept <= 1.25
    else:
        assert slept == 7


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_no_answer_makes_a_request_wait_for_more_than_ten_minutes(
    status: int, api: respx.Router, hook: DatabricksHook, clock: FakeClock
) -> None:
    late = error(status, "X", "Invalid access token.", {"Retry-After": "Fri, 01 Jan 9999 00:00:00 GMT"})
    api.get("/runs/get").mock(side_effect=[httpx.Response(200, json=run("RUNNING")), *[late] * 9])
    await hook.get_run(RUN_ID)  # a token that was accepted before
    with pytest.raises(DatabricksApiError):
        await hook.get_run(RUN_ID)
    assert sum(clock.sleeps) <= 600


async def test_a_retry_is_told_without_the_secret(api: respx.Router, clock: FakeClock, caplog) -> None:
    api.get("/runs/get").mock(side_effect=[error(503, "X", "busy"), httpx.Response(200, json=run("RUNNING"))])
    logger = logging.getLogger("tests.hook")
    with caplog.at_level("WARNING", "tests.hook"):
        async with DatabricksHook(
            HOST, TokenAuth(TOKEN), transport=httpx.AsyncHTTPTransport(), clock=clock, logger=logger
        ) as hook:
            await hook.get_run(RUN_ID)
    (message,) = caplog.messages
    assert "503 X" in message
    assert "Try 2 of 3 in 1." in message
    assert TOKEN not in message


@pytest.mark.parametrize("options", [{"retry_limit": 0}, {"retry_delay": -1}])
def test_retries_that_make_no_sense_are_refused(options) -> None:
    with pytest.raises(ValueError, match="databricks_retry_"):
        DatabricksHook(HOST, TokenAuth(TOKEN), **options)


async def test_a_request_that_is_no_http_is_not_shown(api: respx.Router, hook: DatabricksHook, clock) -> None:
    api.get("/runs/get").mock(side_effect=httpx.LocalProtocolError("Illegal header value b'Bearer dapi'"))
    with pytest.raises(DatabricksConnectionError, match="not valid HTTP") as caught:
        await hook.get_run(1)
    assert "dapi" not in str(caught.value)
    assert clock.sleeps == []


def test_nothing_shows_what_it_signs_in_with() -> None:
    assert TOKEN not in repr(TokenAuth(TOKEN))
    assert "pw" not in repr(BasicAuth("ada", "pw"))
