"""Answers, read whole, with a limit of their size that holds while they come in."""

from __future__ import annotations

import httpx

MAX_BYTES = 64 * 1024 * 1024  # decoded; the largest page of the Jobs API has less than 10 MB
# What httpx decodes a piece at a time, so that a small body cannot become a huge one before it is counted.
ACCEPT_ENCODING = "gzip, deflate"
_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
_KNOWN = frozenset({"gzip", "deflate", "identity", ""})


class TooLarge(Exception):
    """A body that is larger than any answer of the Jobs API."""


class UnknownEncoding(Exception):
    """A body that is compressed in a way that was not asked for."""


async def whole(response: httpx.Response) -> httpx.Response:
    """Read the body of a streamed answer.

    Args:
        response: The answer; it is closed afterwards.

    Returns:
        The same answer with its body, decoded.

    Raises:
        TooLarge: It has more than 64 MB; the rest is not read.
        UnknownEncoding: It cannot be decoded.
        httpx.HTTPError: It was cut off.
    """
    try:
        encodings = {each.strip().lower() for each in response.headers.get("content-encoding", "").split(",")}
        if not encodings <= _KNOWN:
            raise UnknownEncoding(f"a body in the encoding {', '.join(sorted(encodings))[:100]}")
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise TooLarge(f"a body of more than {MAX_BYTES // 1024**2} MB")
            parts.append(part)
    finally:
        await response.aclose()
    # Without what is said of the body as it came: it is decoded, and httpx would do that once more.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_BODY]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=b"".join(parts),
        request=response.request,
        extensions=response.extensions,
    )
