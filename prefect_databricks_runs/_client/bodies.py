"""Read whole answers, with a size limit that holds while they arrive."""

from __future__ import annotations

import httpx

MAX_BYTES = 64 * 1024 * 1024  # decoded; the largest page of the Jobs API has less than 10 MB
MAX_BYTES_OF_PAGES = 2 * MAX_BYTES  # of all pages of one run together
# The smallest take a few bytes of a body and hundreds of bytes of memory. The largest page has less than 100,000.
MAX_OBJECTS = 1_000_000
# httpx decodes these piece by piece, so a small body cannot become a huge one before it is counted. Only one at a time:
# one piece of `gzip, gzip` can hold gigabytes.
ACCEPT_ENCODING = "gzip, deflate"
_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")
_KNOWN = frozenset({"gzip", "deflate", "identity", ""})


class UnusableBody(Exception):
    """The body is too large, has too many parts, or has an encoding that was not requested."""


async def whole(response: httpx.Response) -> httpx.Response:
    """Read the body of a streamed answer.

    Args:
        response: The answer; it is closed afterwards.

    Returns:
        The same answer with its body, decoded.

    Raises:
        UnusableBody: The body has more than 64 MB (reading stops there), more than a million lists and objects, or an
            encoding that was not requested.
        httpx.HTTPError: The body is incomplete.
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
        headers: Its headers. The ones that describe the old body are left out; with them, httpx would decode again.
        content: The body.
    """
    headers = httpx.Headers(
        [(name, value) for name, value in headers.raw if name.decode("latin-1").lower() not in _OF_THE_BODY]
    )
    answer = httpx.Response(response.status_code, headers=headers, content=content, extensions=response.extensions)
    answer._request = response._request  # an answer in a test may have none, and `request` would raise
    return answer


def text_of(response: httpx.Response) -> str:
    """Return the body of an answer as a string; as UTF-8 if its charset is unusable.

    Args:
        response: The answer.
    """
    try:
        return response.text
    except Exception:  # `charset=undefined`, `idna` or `base64` each raise a different error
        return response.content.decode("utf-8", "replace")
