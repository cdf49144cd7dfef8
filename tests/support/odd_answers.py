"""Odd answers: bodies and headers as hypothesis draws them, in the place of a true answer or in one place of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from typing import Any

import httpx
from hypothesis import strategies as st

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["TERMINATED", "RUNNING", "SUCCESS", 10**30, -1, 2**63, 1e300, "\ud800", "\x1b[2J", "x" * 10_000]),
)
ODD = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
BODIES = [b"", b"{", b"null", b"1e999", b'{"run_id": 1e999}', b"[" * 100_000, b'{"a":' * 5_000, b"\xff\xfe", b"<html>"]
_TYPES = [f"application/json; charset={name}" for name in ("undefined", "idna", "rot13", "base64", "utf-16", "x" * 99)]
_DATES = [
    f"Mon, 01 Jan {year} 00:00:00 {zone}" for year in ("1970", "2024", "9999") for zone in ("GMT", "+" + "9" * 20)
]
HEADERS: dict[str, list[str]] = {
    "Date": _DATES,
    "Retry-After": [*_DATES, "9" * 400, "9" * 12, "-1", "NaN", "1e999", "²", "0"],
    "Content-Type": [*_TYPES, "text/html", ";;;=", "application/json; charset"],
    "Content-Encoding": ["gzip", "deflate", "br", "gzip, gzip", "identity", ",", "zstd"],
    "Content-Length": ["0", "-1", "9" * 30, "x"],
    "Transfer-Encoding": ["chunked", "gzip, chunked", "x"],
    "Location": ["http://[", "//evil.example", "javascript:1", "?" * 9_999],
    "Set-Cookie": ["a=b; Max-Age=" + "9" * 400, "=;=;", "a=b; Expires=" + _DATES[-1], "a=b; Domain=.; Path=\xe9"],
    "X-Request-Id": ["\x1b[2J", "[ReqId: x]"],
    "WWW-Authenticate": ["Basic", 'Bearer error="'],
    "Connection": ["close", "upgrade"],
}
_ANYWHERE = ["", "yesterday", "\xff\xfe", "é", "x" * 100_000]
STATUSES = [200, 200, 200, 200, 204, 302, 400, 401, 403, 404, 408, 409, 418, 429, 500, 501, 503]


@st.composite
def odd_headers(draw: st.DrawFn) -> list[tuple[bytes, bytes]]:
    """Headers, some of them repeated, and some of bytes that are no text."""
    headers = []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from(sorted(HEADERS)))
        value = draw(st.sampled_from([*HEADERS[name], *_ANYWHERE]).map(str.encode) | st.binary(max_size=12))
        headers += [(name.encode(), value)] * draw(st.sampled_from([1, 1, 1, 3]))
    return headers


class _Body(httpx.AsyncByteStream):
    """A body that is read later: what is wrong with it must not fail before anybody reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def answer_of(status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> httpx.Response:
    """An answer as it comes from a network, where headers say what they like of the body."""
    return httpx.Response(status, headers=headers, stream=_Body(content))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all that is in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, item in items for each in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], odd: Any, *, is_left_out: bool) -> Any:
    """A copy of a value with something odd in one place, or nothing."""
    if not path:
        return odd
    around = value = deepcopy(value)
    for key in path[:-1]:
        around = around[key]
    if is_left_out:
        del around[path[-1]]
    else:
        around[path[-1]] = odd
    return value


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[httpx.Response], httpx.Response]:
    """What is done to an answer: other headers, another body, or one place of its own body replaced or left out."""
    kind = draw(st.sampled_from(["headers", "bytes", "json", "place", "place", "place"]))
    status, headers = draw(st.sampled_from(STATUSES)), draw(odd_headers())
    odd, choice = draw(ODD), draw(st.integers(0, 10_000))

    def mutate(answer: httpx.Response) -> httpx.Response:
        content = answer.content
        if kind == "bytes":
            content = BODIES[choice % len(BODIES)]
        elif kind != "headers":
            body = answer.json()
            found = places(body) if kind == "place" else [()]
            odd_body = replaced(body, found[choice % len(found)], odd, is_left_out=choice % 7 == 0)
            content = json.dumps(odd_body).encode()
        if choice % 3 and headers and headers[0] == (b"Content-Encoding", b"gzip"):
            content = gzip.compress(content)
        kept = answer.headers.raw if kind in ("headers", "place") else []
        names = {name.lower() for name, _ in headers}
        return answer_of(status, [*headers, *(each for each in kept if each[0].lower() not in names)], content)

    return mutate
