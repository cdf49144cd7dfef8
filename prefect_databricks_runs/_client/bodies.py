"""Answers, read whole, with a limit of their size that holds while they come in."""

from __future__ import annotations

import httpx

MAX_BYTES = 64 * 1024 * 1024  # decoded; the largest page of the Jobs API has less than 10 MB
MAX_BYTES_OF_PAGES = 2 * MAX_BYTES  # of all pages of one run together
# Of which the smallest take a few bytes of a body and hundreds of memory; the largest page has less than 100,000.
MAX_OBJECTS = 1_000_000
# What httpx decodes a piece at a time, so that a small body cannot become a huge one before it is counted. One of them:
# a piece of `gzip, gzip` has gigabytes in it.
ACCEPT_ENCODING = "gzip, deflate"
_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")
_KNOWN = frozenset({"gzip", "deflate", "identity", ""})


class UnusableBody(Exception):
    """A body that no answer of the Jobs API has: too large or too much, or compressed in a way not asked for."""


async def whole(response: httpx.Response) -> httpx.Response:
    """Read the body of a streamed answer.

    Args:
        response: The answer; it is closed afterwards.

    Returns:
        The same answer with its body, decoded.

    Raises:
        UnusableBody: It has more than 64 MB, of which no more is read, or a million lists and objects, or it cannot be
            decoded.
        httpx.HTTPError: It was cut off.
    """
    try:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in _KNOWN:
            raise UnusableBody(f"a body in the encoding {encoding[:100]}")
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise UnusableBody(f"a body of more than {MAX_BYTES // 1024**2} MB")
            parts.append(part)
    finally:
        await response.aclose()
    content = b"".join(parts)
    if content.count(b"[") + content.count(b"{") > MAX_OBJECTS:
        raise UnusableBody(f"more than {MAX_OBJECTS} lists and objects")
    return with_body(response, response.headers, content)


def with_body(response: httpx.Response, headers: httpx.Headers, content: bytes) -> httpx.Response:
    """Return an answer with another body, which is not encoded.

    Args:
        response: The answer.
        headers: Its headers; what they say of the body as it came is left out, or httpx would decode it again.
        content: The body.
    """
    headers = httpx.Headers(
        [(name, value) for name, value in headers.raw if name.decode("latin-1").lower() not in _OF_THE_BODY]
    )
    answer = httpx.Response(response.status_code, headers=headers, content=content, extensions=response.extensions)
    answer._request = response._request  # an answer in a test may have none, of which `request` makes an error
    return answer


def text_of(response: httpx.Response) -> str:
    """Return the body of an answer as text; as UTF-8 where its charset is not one that a text can have.

    Args:
        response: The answer.
    """
    try:
        return response.text
    except Exception:  # `charset=undefined`, `idna` or `base64` each raise something else
        return response.content.decode("utf-8", "replace")
