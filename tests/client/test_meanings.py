"""Every kind of error that answers a request: what is known of the effect, whether it is sent again, what is said."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import (
    DatabricksApiError,
    DatabricksError,
    DatabricksHook,
    RateLimited,
    SignInFailed,
    SignInUnavailable,
    errors,
)
from prefect_databricks_runs._client.tokens import FetchingAuth, Token, Tokens
from prefect_databricks_runs._meanings import BAD_CERTIFICATE, LOST_ANSWER, MEANINGS, NO_CONNECTION, Meaning, meaning_of
from prefect_databricks_runs._runtime import of_process
from prefect_databricks_runs.auth import TokenAuth
from tests.support import error_table
from tests.support.answers import HOST
from tests.support.clocks import FakeClock

# What tells two errors of one status apart is the message, or that it is none of the Jobs API.
MESSAGES = {"NotFound": "Run 7 does not exist.", "Unauthenticated": "Invalid access token."}


def answer_with(meaning: Meaning) -> httpx.Response:
    """An answer of this meaning."""
    if meaning.when in NO_ANSWERS:
        raise NO_ANSWERS[meaning.when]()
    first, last = meaning.statuses
    if meaning.error == "InvalidResponse":
        # What a proxy says with 500 is as good as what Databricks does, unless it cannot be read.
        headers = {"Content-Encoding": "br"} if first == 500 else {}
        return httpx.Response(403 if first == 400 else first, headers=headers, stream=httpx.ByteStream(b"a proxy"))
    code = meaning.error_code or "A_CODE"
    return httpx.Response(last, json={"error_code": code, "message": MESSAGES.get(meaning.error, "No.")})


def untrusted() -> httpx.ConnectError:
    error = httpx.ConnectError("")
    error.__cause__ = ssl.SSLCertVerificationError()
    return error


NO_ANSWERS = {
    NO_CONNECTION: lambda: httpx.ConnectTimeout(""),
    BAD_CERTIFICATE: untrusted,
    LOST_ANSWER: lambda: httpx.ReadTimeout(""),
}


@dataclass(frozen=True)
class NoToken(FetchingAuth):
    """There is no token, which is counted."""

    error: str
    asked: list[str] = field(default_factory=list, compare=False)

    def own_secrets(self) -> tuple[str, ...]:
        return ()

    async def afetch(self) -> Token:
        self.asked.append(self.error)
        if self.error == "SignInFailed":
            raise SignInFailed("No.", source="here", advice=meaning_of(SignInFailed, 401).advice)
        raise SignInUnavailable("No.", host=HOST, method="POST", path="/oidc/v1/token")


@pytest.mark.anyio
@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda each: f"{each.when} {each.error_code} {each.error}")
async def test_each_error_is_what_the_table_says(meaning: Meaning, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer_with(meaning)

    auth = NoToken(meaning.error) if meaning.error.startswith("SignIn") else TokenAuth("t")
    clock = FakeClock()
    monkeypatch.setattr(of_process(Tokens), "clock", clock)  # a fetch that fails slowly is not repeated for a while
    hook = DatabricksHook(HOST, auth, retry_limit=2, transport=httpx.MockTransport(answer), clock=clock)
    async with hook:
        with pytest.raises(DatabricksError) as caught:
            await hook.submit_run({"tasks": []})
    error = caught.value
    assert isinstance(error, getattr(errors, meaning.error or "DatabricksApiError"))
    assert str(error).endswith(TokenAuth.advice if meaning.error == "Unauthenticated" else meaning.advice)
    assert error.outcome_unknown is meaning.may_be_done
    # By the session: the token may have been changed in the meantime.
    asked_once_more = meaning.error in ("Unauthenticated", "SignInFailed")
    tries = 1 + (meaning.may_pass or asked_once_more)
    assert (len(sent), len(auth.asked if isinstance(auth, NoToken) else sent)) in [(tries, tries), (0, tries)]


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_an_advice_and_no_4xx_nor_501_was_done(status: int) -> None:
    from prefect_databricks_runs._client.answers import read_answer

    given: dict[str, Any] = {"host": HOST, "method": "POST", "path": "/x", "now": 0.0}
    with pytest.raises(DatabricksError) as caught:
        read_answer(httpx.Response(status, json={"message": "No."}), **given)
    error = caught.value
    assert error.meaning in MEANINGS
    assert error.meaning.may_be_done is (status >= 500 and status != 501)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 423])
def test_a_lock_passes_whatever_the_status(status: int) -> None:
    error = DatabricksApiError("No.", status_code=status, error_code="COULD_NOT_ACQUIRE_LOCK", method="GET", path="/x")
    assert (error.meaning.may_pass, error.meaning.may_be_done) == (True, False)


def test_an_error_of_a_derived_class_means_what_its_base_does() -> None:
    class Mine(RateLimited):
        """Of a user."""

    given = {"status_code": 429, "method": "GET", "path": "/x"}
    assert Mine("No.", **given).meaning == RateLimited("No.", **given).meaning


def test_the_docs_show_the_table() -> None:
    assert error_table.page_with_table() == error_table.PAGE.read_text("utf-8"), error_table.__doc__
