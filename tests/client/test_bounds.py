"""Every request has an end, and every answer a size, whatever comes over the wire."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import DatabricksConnectionError, DatabricksError, DatabricksHook, InvalidResponse
from prefect_databricks_runs._client import bodies
from prefect_databricks_runs.auth import TokenAuth
from tests.support.answers import HOST, RUN_ID, run
from tests.support.clocks import FakeClock
from tests.support.hostile_server import dripped_body, dripped_headers, endless_1xx, served

pytestmark = pytest.mark.anyio

SECONDS = 0.5


@pytest.mark.parametrize("parts", [dripped_body, dripped_headers, endless_1xx])
async def test_what_drips_ends_at_the_deadline_of_the_whole_request(parts: Any) -> None:
    with served(parts, pause=0.05) as host:
        async with DatabricksHook(host, TokenAuth("t"), retry_limit=1, timeout_seconds=SECONDS) as hook:
            began = time.monotonic()
            with pytest.raises(DatabricksConnectionError, match=rf"request_timeout_seconds={SECONDS:g}") as caught:
                await hook.get_run(RUN_ID)
            assert time.monotonic() - began < 10 * SECONDS
            assert hook.may_pass(caught.value)


async def test_a_start_that_meets_the_deadline_may_have_been_done() -> None:
    with served(dripped_body, pause=0.05) as host:
        hook = DatabricksHook(host, TokenAuth("t"), retry_limit=2, retry_delay=0.01, timeout_seconds=SECONDS)
        async with hook:
            with pytest.raises(DatabricksConnectionError) as caught:
                await hook.submit_run({})
    assert caught.value.outcome_unknown


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> DatabricksHook:
    return DatabricksHook(HOST, TokenAuth("t"), retry_limit=1, transport=httpx.MockTransport(answer), clock=FakeClock())


class Endless(httpx.AsyncByteStream):
    """A body that does not end."""

    def __init__(self, part: bytes) -> None:
        self.part, self.read = part, 0

    async def __aiter__(self) -> Any:
        while True:
            self.read += 1
            yield self.part


async def test_of_an_endless_body_no_more_is_read_than_its_limit() -> None:
    body = Endless(b" " * 1024 * 1024)
    async with answering(lambda _: httpx.Response(200, stream=body)) as hook:
        with pytest.raises(InvalidResponse, match="more than 64 MB") as caught:
            await hook.get_run(RUN_ID)
        assert hook.may_pass(caught.value)
    assert body.read == 65


async def test_a_compressed_body_is_counted_as_it_is_decoded(monkeypatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BYTES", 1024**2)
    bomb = gzip.compress(b" " * 50 * 1024**2)

    async def pieces() -> Any:
        for start in range(0, len(bomb), 1024):
            yield bomb[start : start + 1024]

    headers = {"Content-Encoding": "gzip"}
    async with answering(lambda _: httpx.Response(200, headers=headers, content=pieces())) as hook:
        with pytest.raises(InvalidResponse, match="more than 1 MB"):
            await hook.get_run(RUN_ID)


async def test_a_compressed_answer_is_read_as_ever() -> None:
    content = gzip.compress(json.dumps(run("RUNNING")).encode())
    async with answering(lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=content)) as hook:
        assert (await hook.get_run(RUN_ID)).state.name == "Running"


async def test_what_is_compressed_in_a_way_that_was_not_asked_for_is_not_decoded() -> None:
    async with answering(
        lambda _: httpx.Response(200, headers={"Content-Encoding": "zstd"}, stream=Endless(b"x"))
    ) as hook:
        with pytest.raises(InvalidResponse, match="zstd"):
            await hook.get_run(RUN_ID)


async def test_there_are_no_more_pages_than_the_api_can_have() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("page_token", ""))
        return httpx.Response(200, json=run("RUNNING", next_page_token=f"p{len(asked)}"))

    async with answering(answer) as hook:
        with pytest.raises(InvalidResponse, match="more than 500 pages") as caught:
            await hook.get_run(RUN_ID)
        assert hook.may_pass(caught.value)
    assert len(asked) == 500


@pytest.mark.parametrize("run_id", [-1, 0, True, 5.7, "x", None, [], 2**70])
async def test_a_start_without_an_id_that_can_be_one_has_failed_unclearly(run_id: Any) -> None:
    async with answering(lambda _: httpx.Response(200, json={"run_id": run_id})) as hook:
        with pytest.raises(DatabricksError) as caught:
            await hook.submit_run({})
    assert isinstance(caught.value, InvalidResponse)
    assert caught.value.outcome_unknown


CHARSETS = ["undefined", "idna", "punycode", "rot13", "base64", "no-such-charset"]


@pytest.mark.parametrize("charset", CHARSETS)
async def test_an_answer_is_read_whatever_charset_it_names(charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}
    async with answering(lambda _: httpx.Response(200, headers=headers, content=b'{"run_id": 7}')) as hook:
        assert await hook.submit_run({}) == 7


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("status", [200, 302, 400, 403, 502])
async def test_a_body_that_is_no_text_in_its_charset_is_an_error_of_ours(status: int, charset: str) -> None:
    headers = {"Content-Type": f"text/html; charset={charset}"}
    async with answering(lambda _: httpx.Response(status, headers=headers, content=b"<p>\xff")) as hook:
        with pytest.raises(DatabricksError):
            await hook.submit_run({})


async def test_what_is_compressed_twice_is_not_decoded() -> None:
    headers = [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")]
    async with answering(lambda _: httpx.Response(200, headers=headers, stream=Endless(b"x"))) as hook:
        with pytest.raises(InvalidResponse, match="the encoding gzip, gzip"):
            await hook.get_run(RUN_ID)


async def test_all_pages_of_a_run_together_have_a_limit() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("page_token", ""))
        page = run("RUNNING", next_page_token=f"p{len(asked)}", description="x" * 30 * 1024**2)
        return httpx.Response(200, json=page)

    async with answering(answer) as hook:
        with pytest.raises(InvalidResponse, match="pages of more than 128 MB") as caught:
            await hook.get_run(RUN_ID)
        assert hook.may_pass(caught.value)
    assert len(asked) == 5


@pytest.mark.parametrize("status", [200, 404, 429, 500, 503])
async def test_a_start_whose_answer_cannot_be_decoded_is_sent_again_whatever_its_status(status: int) -> None:
    answers = [
        httpx.Response(status, headers={"Content-Encoding": "br"}, stream=Endless(b"x")),
        httpx.Response(200, json={"run_id": 7}),
    ]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    async with DatabricksHook(HOST, TokenAuth("t"), retry_limit=2, transport=transport, clock=FakeClock()) as hook:
        assert await hook.submit_run({}) == 7


@pytest.mark.parametrize("location", ["javascript:1", "http://[", "//evil.example", "?" * 9_999, "\ud800", ""])
async def test_a_redirect_to_anything_is_an_answer_that_cannot_be_used(location: str) -> None:
    headers = [(b"Location", location.encode("utf-8", "surrogatepass"))]
    async with answering(lambda _: httpx.Response(302, headers=headers)) as hook:
        with pytest.raises(DatabricksError) as caught:
            await hook.submit_run({})
    assert hook.may_pass(caught.value)


@pytest.mark.parametrize("cookie", [f"a=b; Max-Age={'9' * 400}", "=;=;", "a=b; Path=\xe9; Domain=."])
async def test_a_cookie_is_not_even_read(cookie: str, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Cookie"))
        return httpx.Response(200, headers=[(b"Set-Cookie", cookie.encode())], json={"run_id": 7})

    async with answering(answer) as hook:
        assert [await hook.submit_run({}), await hook.submit_run({})] == [7, 7]
    assert sent == [None, None]
    assert "cookie" not in capsys.readouterr().err


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-32"])
async def test_an_answer_has_no_more_lists_and_objects_than_its_limit(
    charset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_OBJECTS", 1_000)
    few, many = ({"run_id": 7, "x": [{}] * number} for number in (997, 1_000))
    answers = [httpx.Response(200, content=json.dumps(each).encode(charset)) for each in (many, few)]
    transport = httpx.MockTransport(lambda _: answers.pop(0))
    async with DatabricksHook(HOST, TokenAuth("t"), retry_limit=1, transport=transport, clock=FakeClock()) as hook:
        with pytest.raises(InvalidResponse, match="more than 1000 lists and objects"):
            await hook.submit_run({})
        assert await hook.submit_run({}) == 7
