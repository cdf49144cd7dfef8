"""Every kind of error that answers a request: what is known of the effect, whether it is sent again, what is said."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from prefect_databricks_runs import DatabricksError, DatabricksHook, errors
from prefect_databricks_runs._meanings import MEANINGS, NO_ANSWER, Meaning
from prefect_databricks_runs.auth import TokenAuth
from tests.support import error_table
from tests.support.answers import HOST
from tests.support.clocks import FakeClock

# What tells two errors of one status apart is the message, or that it is none of the Jobs API.
MESSAGES = {"NotFound": "Run 7 does not exist.", "Unauthenticated": "Invalid access token."}


def answer_with(meaning: Meaning) -> httpx.Response:
    """An answer of this meaning."""
    first, last = meaning.statuses
    if first == NO_ANSWER:
        raise httpx.ReadTimeout("")
    status = first if first == last or meaning.error == "InvalidResponse" else last
    if meaning.error == "InvalidResponse":
        return httpx.Response(404 if status == 400 else status, text="<html>a proxy</html>")
    code = meaning.error_code or "A_CODE"
    return httpx.Response(status, json={"error_code": code, "message": MESSAGES.get(meaning.error, "No.")})


@pytest.mark.anyio
@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda each: f"{each.when} {each.error_code} {each.error}")
async def test_each_error_is_what_the_table_says(meaning: Meaning) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer_with(meaning)

    hook = DatabricksHook(HOST, TokenAuth("t"), retry_limit=2, transport=httpx.MockTransport(answer), clock=FakeClock())
    async with hook:
        with pytest.raises(DatabricksError) as caught:
            await hook.submit_run({"tasks": []})
    error = caught.value
    assert type(error) is getattr(errors, meaning.error)
    assert str(error).endswith(meaning.advice)
    assert error.outcome_unknown is meaning.may_be_done
    asked_once_more = meaning.error == "Unauthenticated"  # by the session: the token may have been changed meanwhile
    assert len(sent) == 1 + (meaning.may_pass or asked_once_more)


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_an_advice_and_no_4xx_nor_501_was_done(status: int) -> None:
    from prefect_databricks_runs._client.answers import read_answer

    given: dict[str, Any] = {"host": HOST, "method": "POST", "path": "/x", "now": 0.0}
    with pytest.raises(DatabricksError) as caught:
        read_answer(httpx.Response(status, json={"message": "No."}), **given)
    error = caught.value
    assert error.meaning in MEANINGS
    assert error.meaning.may_be_done is (status >= 500 and status != 501)


def test_the_docs_show_the_table() -> None:
    assert error_table.page_with_table() == error_table.PAGE.read_text("utf-8"), error_table.__doc__
