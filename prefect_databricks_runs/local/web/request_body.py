"""From the body of a request to its fields."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.requests import Request

from .errors import malformed
from .multipart import CONTENT_TYPE, multipart_fields

MAX_BODY_BYTES = 10_000_000
# A file of 10 MiB in base64, which is a third longer, and what stands around it.
MAX_IMPORT_BYTES = 15_000_000


def max_body_bytes(path: str) -> int:
    """Return the longest allowed body of a request to `path`, in bytes."""
    return MAX_IMPORT_BYTES if path.endswith("/workspace/import") else MAX_BODY_BYTES


async def read_body(request: Request, limit: int) -> bytes | None:
    """Return the request's body; None when it has more than `limit` bytes, no more than which are ever held.

    A body that is too long is taken to its end all the same: a client that still sends would not read the answer.

    Raises:
        ClientDisconnect: the client left before the end.
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
    """Return the request's fields: of a GET the query, or the body when there is no query; else the body.

    Raises:
        ApiError: the body is not a JSON object, or not the form that it says it is.
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
    """Parse JSON as in the standard: without NaN, infinity and numbers that become infinite.

    Raises:
        ValueError: it is not JSON, or too deep to be read.
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
