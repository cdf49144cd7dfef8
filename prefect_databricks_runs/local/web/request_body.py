"""Read the body of a request, and its fields."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.requests import Request

from .errors import malformed
from .multipart import CONTENT_TYPE, multipart_fields

MAX_BODY_BYTES = 10_000_000
# A file of 10 MiB in base64, which makes it a third longer, and the JSON around it.
MAX_IMPORT_BYTES = 15_000_000


def max_body_bytes(path: str) -> int:
    """Return the longest allowed body of a request to `path`, in bytes."""
    return MAX_IMPORT_BYTES if path.endswith("/workspace/import") else MAX_BODY_BYTES


async def read_body(request: Request, limit: int) -> bytes | None:
    """Return the request's body; None if it has more than `limit` bytes. No more than that is kept in memory.

    A body that is too long is still read to its end, because a client does not read the answer while it sends.

    Raises:
        ClientDisconnect: The client disconnected before the end.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            parts.clear()
        else:
            parts.append(part)
    return b"".join(parts) if size <= limit else None


def read_fields(request: Request, raw: bytes) -> dict[str, Any]:
    """Return the request's fields: the query of a GET request if it has one, or else the body.

    Raises:
        ApiError: The body is not a JSON object, or is not the form that its content type states.
    """
    if request.method == "GET" and request.query_params:
        return dict(request.query_params)
    if not raw.strip():
        return {}
    content_type = request.headers.get("content-type", "")
    if content_type.lower().startswith(CONTENT_TYPE):
        return multipart_fields(content_type, raw)
    try:
        fields = parse(raw)
    except ValueError:
        raise malformed("not_json") from None
    if not isinstance(fields, dict):
        raise malformed("not_an_object")
    return fields


def parse(raw: bytes) -> Any:
    """Parse JSON strictly: NaN, infinity, and numbers that become infinite are errors.

    Raises:
        ValueError: The bytes are not JSON, or are nested too deeply.
    """
    try:
        return json.loads(raw, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("too deep") from None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number
