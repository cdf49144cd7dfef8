"""Polls that fail say nothing of the run: they are borne for a while, whatever it is; then the wait ends, saying so."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import DatabricksApiError, DatabricksUnreachable, NotFound, Unauthenticated
from tests.support.answers import HOST, RUN_ID, run
from tests.support.polled import REQUEST_SECONDS, Polled, ends_after

pytestmark = pytest.mark.anyio

MAX_OUTAGE_SECONDS = 600.0


def error(status: int, code: object, message: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error_code": code, "message": message}, headers=headers)


SLOW_DOWN = "REQUEST_LIMIT_EXCEEDED"
REFUSED = {
    "401": error(401, 401, "Credential was not sent or was of an unsupported type"),
    "403 for the token": error(403, 403, "Invalid access token."),
}
OUTAGES: dict[str, Any] = {
    "connection refused": httpx.ConnectError("All connection attempts failed"),
    "host name not found": httpx.ConnectError("[Errno -2] Name or service not known"),
    "connection not taken": httpx.ConnectTimeout(""),
    "reset": httpx.ReadError(""),
    "hang": httpx.ReadTimeout(""),
    "cut answer": httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    "408": httpx.Response(408, text="Request Timeout"),
    "429": error(429, SLOW_DOWN),
    "429 with Retry-After": error(429, SLOW_DOWN, headers={"Retry-After": "7"}),
    "500": error(500, "INTERNAL_ERROR"),
    "502 of a proxy": httpx.Response(502, html="<h1>Bad Gateway</h1>"),
    "503": error(503, "TEMPORARILY_UNAVAILABLE"),
    "504": error(504, "DEADLINE_EXCEEDED"),
    "529 of a proxy": httpx.Response(529, text="overloaded"),
    "lock": error(400, "COULD_NOT_ACQUIRE_LOCK"),
    "page of a proxy with status 200": httpx.Response(200, html="<h1>Sign in to the network</h1>"),
    "page of a proxy with status 403": httpx.Response(403, html="<h1>Forbidden</h1>"),
    "page of a proxy with status 404": httpx.Response(404, html="<h1>No such site</h1>"),
    "redirect": httpx.Response(302, headers={"Location": "https://login.example.com/"}),
    "cut JSON": httpx.Response(200, text='{"run_id": 1, "sta'),
    "nothing": httpx.Response(200, text=""),
    "another service's JSON": httpx.Response(200, json={"status": "ok"}),
    **REFUSED,  # of a token that was good before
}


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES)
async def test_a_failed_poll_is_not_a_failed_run(fault) -> None:
    polled = Polled(lambda now: fault if 5 <= now < MAX_OUTAGE_SECONDS - REQUEST_SECONDS else ends_after(700)(now))
    assert (await polled.wait(max_outage_seconds=MAX_OUTAGE_SECONDS)).state.name == "Success"
    assert [each.state.name for each in polled.seen] == ["Running", "Success"]


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES)
async def test_an_outage_that_lasts_is_one_clear_error_with_the_runs_link(fault) -> None:
    polled = Polled(lambda now: fault if now >= 5 else run("RUNNING"))
    with pytest.raises(DatabricksUnreachable) as caught:
        await polled.wait(max_outage_seconds=MAX_OUTAGE_SECONDS)
    a_poll_later = MAX_OUTAGE_SECONDS + REQUEST_SECONDS + 30
    assert MAX_OUTAGE_SECONDS <= caught.value.seconds < a_poll_later
    says = str(caught.value)
    assert says.startswith(f"Databricks run {RUN_ID} could not be read for ")
    assert f"The run may still be active. See {HOST}/jobs/42/runs/{RUN_ID}?o=77" in says
    assert "The last error was: " in says
    assert str(caught.value.__cause__) in says
    assert str(pickle.loads(pickle.dumps(caught.value))) == says


async def test_a_run_that_could_never_be_read_has_a_link_all_the_same() -> None:
    with pytest.raises(DatabricksUnreachable, match=f"See {HOST}/jobs/runs/{RUN_ID}") as caught:
        await Polled(lambda _now: OUTAGES["503"]).wait(max_outage_seconds=60)
    assert caught.value.url == f"{HOST}/jobs/runs/{RUN_ID}"


async def test_two_short_outages_are_not_one_long_one() -> None:
    def course(now: float) -> Any:
        return OUTAGES["reset"] if 10 < now < 60 or 70 < now < 120 else ends_after(150)(now)

    assert (await Polled(course).wait(max_outage_seconds=80)).state.name == "Success"


async def test_an_outage_of_many_kinds_is_one_outage() -> None:
    kinds = list(OUTAGES.values())
    polled = Polled(lambda now: kinds[len(polled.polled_at) % len(kinds)] if now >= 5 else run("RUNNING"))
    with pytest.raises(DatabricksUnreachable):
        await polled.wait(max_outage_seconds=MAX_OUTAGE_SECONDS)
    assert len(polled.polled_at) > 15


async def test_a_workspace_that_asks_for_time_gets_it() -> None:
    answer = error(429, SLOW_DOWN, headers={"Retry-After": "120"})
    polled = Polled(lambda now: answer if 5 <= now < 300 else ends_after(400)(now))
    await polled.wait()
    assert [at for at in polled.polled_at if 5 <= at < 370] == [5, 125, 245, 365]


async def test_a_workspace_that_asks_for_more_time_than_an_outage_may_take_is_asked_once_more_before() -> None:
    answer = error(503, "TEMPORARILY_UNAVAILABLE", headers={"Retry-After": "86400"})
    polled = Polled(lambda now: answer if now >= 5 else run("RUNNING"))
    with pytest.raises(DatabricksUnreachable):
        await polled.wait(max_outage_seconds=MAX_OUTAGE_SECONDS)
    assert polled.polled_at[-2:] == [5, 5 + MAX_OUTAGE_SECONDS]


async def test_two_answers_that_ask_for_a_day_do_not_end_a_wait() -> None:
    answer = error(503, "TEMPORARILY_UNAVAILABLE", headers={"Retry-After": "86400"})
    polled = Polled(lambda now: answer if 5 <= now < 1_000 else ends_after(2_000)(now))
    await polled.wait(max_outage_seconds=1_800)
    assert [at for at in polled.polled_at if 5 <= at < 1_500][:3] == [5, 605, 1205]


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED)
async def test_credentials_that_were_never_good_end_the_wait_at_once(fault) -> None:
    polled = Polled(lambda _now: fault)
    with pytest.raises(Unauthenticated, match="Check the token"):
        await polled.wait()
    assert len(polled.polled_at) == 2  # who is not let in is asked about once more


REFUSALS = {
    "403 while the permission service is down": error(403, "PERMISSION_DENIED"),
    "404 of a gateway": httpx.Response(404, json={"error": "Bad Target: /api/2.2/jobs/runs/get"}),
    "404 of an endpoint": error(404, "ENDPOINT_NOT_FOUND", "No API found"),
    "400": error(400, "INVALID_PARAMETER_VALUE", "No."),
    "418": error(418, "TEAPOT"),
}


@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_to_read_a_run_that_could_be_read_is_an_outage(fault) -> None:
    polled = Polled(lambda now: fault if 5 <= now < 900 else ends_after(1000)(now))
    assert (await polled.wait(max_outage_seconds=1800)).state.name == "Success"


@pytest.mark.parametrize("fault", [REFUSALS["403 while the permission service is down"], REFUSALS["400"]])
async def test_a_run_of_which_nothing_is_known_and_that_may_not_be_read_ends_the_wait_at_once(fault) -> None:
    polled = Polled(lambda _now: fault)
    with pytest.raises(DatabricksApiError):
        await polled.wait()
    assert polled.polled_at == [0]


async def test_only_the_words_of_the_jobs_api_say_that_a_run_does_not_exist() -> None:
    gone = error(400, "INVALID_PARAMETER_VALUE", f"Run {RUN_ID} does not exist.")
    polled = Polled(lambda now: gone if now >= 5 else run("RUNNING"))
    with pytest.raises(NotFound):
        await polled.wait()
    assert polled.polled_at[-1] == 5


@pytest.mark.parametrize(
    ("fault", "answered"),
    [(OUTAGES["reset"], False), (OUTAGES["503"], False), (OUTAGES["cut JSON"], True), (error(403, "NO"), True)],
    ids=["reset", "503", "cut JSON", "403"],
)
async def test_an_outage_knows_whether_the_workspace_has_answered(fault, answered: bool) -> None:
    polled = Polled(lambda now: fault if now >= 5 else run("RUNNING"))
    with pytest.raises(DatabricksUnreachable) as caught:
        await polled.wait()
    assert caught.value.answered is answered
