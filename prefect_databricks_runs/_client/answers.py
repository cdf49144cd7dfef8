"""Read an HTTP answer of the Jobs API: return its JSON, or raise the right error."""

from __future__ import annotations

import math
import re
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .._fields import as_text
from .._meanings import DOES_NOT_EXIST
from .._text import one_line
from ..errors import (
    BadRequest,
    Conflict,
    DatabricksApiError,
    InvalidResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    Unauthenticated,
)
from .bodies import text_of

_ERROR_CLASSES: dict[int, type[DatabricksApiError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}

# Without the API's JSON, the answer comes from something in front of Databricks, and says nothing about runs and jobs.
_NEEDS_JSON = frozenset({403, 404})
_BAD_TOKEN = re.compile(r"\b(invalid|expired)\b.*\btoken\b|\btoken\b.*\b(invalid|expired)\b", re.IGNORECASE | re.DOTALL)
_REQUEST_ID = re.compile(r"\s*\[ReqId: ([\w-]+)\]")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def read_answer(
    response: httpx.Response, *, host: str, method: str, path: str, now: float, advice: str = ""
) -> dict[str, Any]:
    """Return the JSON object of a successful answer.

    Args:
        response: The answer.
        host: The workspace's address, for messages.
        method: HTTP method of the request.
        path: Path of the request.
        now: Seconds since 1970 UTC, for a date in `Retry-After`.
        advice: What to check if Databricks does not know the caller.

    Raises:
        DatabricksApiError: The answer is an error.
        InvalidResponse: The answer is not JSON, or not a JSON object.
    """
    status = response.status_code
    if status in _NEEDS_JSON and not _is_of_the_api(response) and not refuses_token(response):
        raise InvalidResponse(description(response), host=host, method=method, path=path, status_code=status)
    if status >= httpx.codes.BAD_REQUEST:
        raise _error(response, method=method, path=path, now=now, advice=advice)
    if not response.is_success:
        reason = f"a redirect to {response.headers.get('location', 'nowhere').split('?')[0]}"
        raise InvalidResponse(reason, host=host, method=method, path=path, status_code=status)
    if not response.content.strip():
        if method == "POST":  # a write without a result may have an empty answer
            return {}
        raise InvalidResponse("an empty body", host=host, method=method, path=path, status_code=status)
    answer = json_of(response)
    if not isinstance(answer, dict):
        raise InvalidResponse(description(response), host=host, method=method, path=path, status_code=status)
    return answer


def refuses_token(response: httpx.Response) -> bool:
    """Return whether an answer (already read) refuses the token. Databricks also has a page for that."""
    if response.status_code != httpx.codes.FORBIDDEN:
        return response.status_code == httpx.codes.UNAUTHORIZED
    return bool(_BAD_TOKEN.search(_message(response) or description(response)))


def answered_at(response: httpx.Response) -> float | None:
    """Return the time of an answer by the server's clock, in seconds since 1970 UTC, or None if it is missing."""
    try:
        return parsedate_to_datetime(response.headers["date"]).timestamp()
    except Exception:  # a date may be anything; a zone of twenty digits raises OverflowError
        return None


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait; the header has seconds or a date.

    Args:
        value: The header, or None.
        now: Seconds since 1970 UTC.
    """
    if not value:
        return None
    try:
        asked = float(value) if value.strip().isdigit() else parsedate_to_datetime(value).timestamp() - now
    except Exception:  # as above
        return None
    return max(0.0, asked) if math.isfinite(asked) else None


def _error(response: httpx.Response, *, method: str, path: str, now: float, advice: str) -> DatabricksApiError:
    body = json_of(response)
    fields = body if isinstance(body, dict) else {}
    message = _message(response) or f"no message, but {description(response)}"
    found = _REQUEST_ID.search(message)
    message = _REQUEST_ID.sub("", message)
    code = fields.get("error_code")
    kind = _error_class(response.status_code, message)
    return kind(
        message,
        status_code=response.status_code,
        error_code=code if isinstance(code, str) else "",  # the gateway repeats the status here, as a number
        request_id=found[1] if found else response.headers.get("x-request-id"),
        method=method,
        path=path,
        retry_after=retry_after_seconds(response.headers.get("retry-after"), now),
        advice=advice if kind is Unauthenticated else "",
    )


def _message(response: httpx.Response) -> str:
    """Return the message of an error, from the key of the Jobs API or the keys of OAuth; empty if there is none."""
    body = json_of(response)
    fields = body if isinstance(body, dict) else {}
    said = (as_text(fields.get(name)) for name in ("message", "error_description", "error"))
    return next(filter(None, said), "")


def _error_class(status: int, message: str) -> type[DatabricksApiError]:
    if status >= httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.NOT_IMPLEMENTED:
        return ServerError
    if status == httpx.codes.BAD_REQUEST and DOES_NOT_EXIST.search(message):
        return NotFound
    if status == httpx.codes.FORBIDDEN and _BAD_TOKEN.search(message):
        return Unauthenticated
    return _ERROR_CLASSES.get(status, DatabricksApiError)


def _is_of_the_api(response: httpx.Response) -> bool:
    """Return whether an error comes from the Jobs API. A gateway answers 404 in JSON too, but without a code."""
    body = json_of(response)
    if not isinstance(body, dict):
        return False
    is_missing = bool(body.get("error_code")) or bool(DOES_NOT_EXIST.search(as_text(body.get("message"))))
    return response.status_code != httpx.codes.NOT_FOUND or is_missing


def json_of(response: httpx.Response) -> Any:
    """Return the JSON of an answer, or None if it is not JSON."""
    try:
        return response.json()
    except (ValueError, RecursionError):  # the latter for thousands of brackets
        return None


def description(response: httpx.Response) -> str:
    """Describe an answer that does not come from the Jobs API, in a few words from its body."""
    text = text_of(response)
    if not text.strip():
        return "an empty body"
    kind = response.headers.get("content-type", "").split(";")[0] or "no content type"
    words = " ".join(_MARKUP.sub(" ", text).split())
    return f"{kind} that reads {one_line(words, 120)!r}"
