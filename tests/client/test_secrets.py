"""What is signed in with never comes back with an answer: not into errors, logs and objects, in no form."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import logging
import pickle
import timeit
import traceback
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs._client.secrets import REMOVED, Secrets
from prefect_databricks_runs.auth import BasicAuth, TokenAuth
from prefect_databricks_runs.errors import DatabricksApiError, DatabricksConnectionError, InvalidResponse
from prefect_databricks_runs.hook import DatabricksHook
from tests.support.answers import HOST, run, task

TOKEN = "dapi0123456789abcdef0123"
PASSWORD = "pä/ss+w&ö\"r'd <x>"
WAYS = [TokenAuth(TOKEN), BasicAuth("ada", PASSWORD)]
OK = httpx.Response(200, json={})
ANSWERED = (DatabricksApiError, InvalidResponse)
PASSES: Any = {"retry_limit": 1}


def plain(auth: httpx.Auth) -> str:
    return auth.token if isinstance(auth, TokenAuth) else PASSWORD


def forms_of(auth: httpx.Auth) -> dict[str, str]:
    """Each form in which a secret may be repeated."""
    secret = plain(auth)
    encoded = {f"base64 after {n}": base64.b64encode(b"x" * n + secret.encode() + b"y").decode() for n in range(3)}
    header = next(auth.auth_flow(httpx.Request("GET", HOST))).headers["Authorization"]
    return {
        "plain": secret,
        "header": header,
        "url": quote(secret, safe=""),
        "form": quote_plus(secret),
        "html": html.escape(secret),
        "json": json.dumps({"nested": secret}),
        "go": "".join(f"\\u{ord(each):04x}" for each in secret),
        "basic": "Basic " + base64.b64encode(f"token:{secret}".encode()).decode().rstrip("="),
        "urlsafe": base64.urlsafe_b64encode(secret.encode()).decode(),
        **encoded,
    }


CASES = [pytest.param(auth, name, id=f"{type(auth).__name__} {name}") for auth in WAYS for name in forms_of(auth)]


def shows(text: str, auth: httpx.Auth) -> list[str]:
    """The forms of the secret that a text has."""
    return [name for name, form in forms_of(auth).items() if form in text or form.strip("=")[4:-4] in text]


def everything(error: BaseException) -> str:
    """All that is left of an error: shown, pickled, and what it came of."""
    shown = "".join(traceback.format_exception(error))
    return shown + repr(vars(error)) + pickle.dumps(error, protocol=0).decode("latin-1")


def ask(answer: Callable[[httpx.Request], httpx.Response], auth: httpx.Auth, path: str = "runs/get") -> Any:
    async def asked() -> Any:
        async with DatabricksHook(HOST, auth, transport=httpx.MockTransport(answer), **PASSES) as hook:
            return await hook.request("GET", path)

    return asyncio.run(asked())


@pytest.mark.parametrize("place", ["message", "error_code", "page", "request id", "location"])
@pytest.mark.parametrize(("auth", "form"), CASES)
def test_an_error_does_not_repeat_what_was_signed_in_with(auth, form, place, caplog) -> None:
    secret = forms_of(auth)[form]
    in_header = "".join(each if each.isascii() else quote(each) for each in secret)

    def answer(_: httpx.Request) -> httpx.Response:
        if place == "location":
            return httpx.Response(302, headers={"Location": f"https://x.example/{in_header}/login"})
        if place == "page":
            return httpx.Response(400, html=f"<h1>Bad request</h1><pre>Authorization: {secret}</pre>")
        if place == "request id":
            return httpx.Response(400, json={"message": "no"}, headers={"x-request-id": in_header})
        return httpx.Response(400, json={"message": "no", place: f"you said {secret}"})

    with caplog.at_level(logging.DEBUG, "prefect_databricks_runs"), pytest.raises(ANSWERED) as caught:
        ask(answer, auth)
    left = everything(caught.value) + caplog.text
    assert shows(left, auth) == []
    assert REMOVED in left


@pytest.mark.parametrize(("auth", "form"), CASES)
def test_a_run_does_not_repeat_what_was_signed_in_with(auth, form) -> None:
    secret = forms_of(auth)[form]
    raw = run("TERMINATED", "FAILED", secret, run_name=secret, tasks=[task("a", "RUNNING", description=secret)])
    raw |= {"overriding_parameters": {"notebook_params": {secret: [secret]}}}

    async def asked() -> Any:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=raw))
        async with DatabricksHook(HOST, auth, transport=transport) as hook:
            return await hook.get_run(raw["run_id"]), await hook.get_run_output(1)

    got, output = asyncio.run(asked())
    left = repr(got) + repr(output) + json.dumps(got.raw, ensure_ascii=False)
    assert shows(left, auth) == []
    assert (got.run_id, got.state.name, len(got.tasks)) == (raw["run_id"], "Failed", 1)
    assert got.start_time is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_body_in_any_encoding_is_looked_through(encoding) -> None:
    page = f"<pre>Authorization: {PASSWORD}</pre> über".encode(encoding)
    headers = {"Content-Type": f"text/html; charset={encoding}"}
    with pytest.raises(InvalidResponse, match=r"über") as caught:
        ask(lambda _: httpx.Response(404, content=page, headers=headers), BasicAuth("ada", PASSWORD))
    assert shows(everything(caught.value), BasicAuth("ada", PASSWORD)) == []


def test_what_is_no_valid_http_is_not_repeated_either() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        words = f"illegal header line: {request.headers['Authorization']}"
        try:
            raise ValueError(words.encode(), 7)
        except ValueError as error:
            raise httpx.RemoteProtocolError(words, request=request) from error

    with pytest.raises(DatabricksConnectionError, match=r"illegal header line: Bearer \*\*\*") as caught:
        ask(answer, TokenAuth(TOKEN))
    assert isinstance(caught.value.__cause__, httpx.RemoteProtocolError)
    assert TOKEN not in everything(caught.value)


class OwnAuth(httpx.Auth):
    """A way to sign in of a caller's own."""

    def __init__(self, value: str) -> None:
        self.value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self.value
        yield request


@pytest.mark.parametrize(
    "auth", [httpx.BasicAuth("ada", "hunter2hunter2"), OwnAuth("Bearer hunter2hunter2"), OwnAuth("hunter2hunter2")]
)
def test_a_way_to_sign_in_that_is_not_ours_is_looked_for_by_what_it_sent(auth) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"message": f"{request.headers['Authorization']} hunter2hunter2"})

    with pytest.raises(DatabricksApiError, match=r"\*\*\* \*\*\*") as caught:
        ask(answer, auth)
    assert "hunter2hunter2" not in everything(caught.value)


def test_a_token_that_was_changed_since_is_still_taken_out_and_old_ones_do_not_gather() -> None:
    secrets = Secrets()
    tokens = [f"dapi0123456789abcdef{number:04}" for number in range(100)]
    for token in tokens:
        secrets.learn(TokenAuth(token))
        secrets.learn(TokenAuth(token))
    assert secrets.removed_from(f"{tokens[-1]} {tokens[-2]}") == "*** ***"
    assert len(secrets._plain) + len(secrets._base64) < 50


@pytest.mark.parametrize("secret", ["t", "run", "1234567"])
def test_a_secret_of_less_than_8_characters_spoils_no_text(secret) -> None:
    secrets = Secrets()
    secrets.learn(TokenAuth(secret))
    assert secrets.removed_from("the run 1234567 is not there") == "the run 1234567 is not there"


def test_a_pair_with_a_short_password_is_taken_out_as_it_was_sent() -> None:
    secrets = Secrets()
    secrets.learn(BasicAuth("ada", "pw"))
    assert secrets.removed_from("Authorization: Basic YWRhOnB3 of ada") == "Authorization: Basic *** of ada"


@given(st.text(min_size=8), st.text(), st.text())
def test_any_secret_is_taken_out_of_any_text(secret: str, before: str, after: str) -> None:
    try:
        encoded = [base64.b64encode((before + secret + after).encode()).decode()]
    except UnicodeEncodeError:  # a lone surrogate, which no header has
        return
    secrets = Secrets()
    secrets.learn(BasicAuth("ada", secret))
    for text in [before + secret + after, quote(secret), json.dumps([secret]), *encoded]:
        assert not secrets.are_in(secrets.removed_from(text))


def test_an_answer_without_a_secret_is_given_on_as_it_is_and_costs_next_to_nothing() -> None:
    secrets = Secrets()
    secrets.learn(TokenAuth(TOKEN))
    runs = [run("RUNNING", tasks=[task(f"task-{n}", "RUNNING") for n in range(20)]) for _ in range(25)]
    response = httpx.Response(200, json={"runs": runs}, request=httpx.Request("GET", HOST))
    assert secrets.removed_from_answer(response) is response
    searching = min(timeit.repeat(lambda: secrets.removed_from_answer(response), number=10, repeat=5))
    reading = min(timeit.repeat(response.json, number=10, repeat=5))
    assert searching < reading / 2


def test_the_logs_of_httpx_and_httpcore_repeat_no_secret_of_a_session_that_is(caplog) -> None:
    async def say() -> None:
        async with DatabricksHook(
            HOST, TokenAuth(TOKEN), transport=httpx.MockTransport(lambda _: OK), **PASSES
        ) as hook:
            await hook.request("GET", "list")
            logging.getLogger("httpcore.http11").debug("headers %r", [(b"Location", f"/{TOKEN}".encode())])
            logging.getLogger("httpx").info("HTTP Request: %s %d", "GET", 200)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(say())
    assert TOKEN not in caplog.text
    assert "headers [(b'Location', b'/***')]" in caplog.messages
    assert caplog.records[-1].args == ("GET", 200)  # what has none in it is not touched
