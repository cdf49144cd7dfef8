"""Carry out a fault on a request."""

from __future__ import annotations

import http
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..texts import text
from ..web.calls import error_response
from ..web.connection import Connection
from ..web.errors import ApiError, bad_token
from .fault_rules import FIRST_ERROR, FaultRule
from .waits import Waits

# The error code of Databricks for each status; 401 comes from the gateway, whose code is a number.
_ERROR_CODES: dict[int, str | int] = {
    400: "INVALID_PARAMETER_VALUE",
    401: 401,
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OTHER_CODE = "UNKNOWN"


async def play(
    rule: FaultRule, connection: Connection, waits: Waits, answer: Callable[[], Response]
) -> Response | None:
    """Carry out a fault.

    Args:
        rule: The rule of the fault.
        connection: The client's connection.
        waits: Holds the request while it waits.
        answer: Carries out the request and returns its answer.

    Returns:
        The answer; None when there is no answer and the connection is closed.
    """
    real = answer() if rule.after_effect else None
    if rule.delay and not await waits.wait(seconds=rule.delay):
        await connection.reset()
        return None
    if rule.hang:
        await waits.wait(until=connection.lost)
    if rule.hang or rule.reset:
        await connection.reset()
        return None
    response = _own_answer(rule) if rule.replaces_answer else real or answer()
    if rule.merge is not None:
        _change(response, rule)
    if "date" in response.headers:
        connection.leave_out_date()
    return _Truncated(response, connection) if rule.truncate else response


def _own_answer(rule: FaultRule) -> Response:
    if rule.expired_token:
        return error_response(bad_token())
    headers = _headers(rule)
    content, content_type = _content(rule)
    if not any(name.lower() == "content-type" for name in headers) and content:
        headers["Content-Type"] = content_type
    return Response(content, rule.answer_status, headers)


def _headers(rule: FaultRule) -> dict[str, str]:
    more = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
    return {**(rule.headers or {}), **more}


def _change(response: Response, rule: FaultRule) -> None:
    """Change the real answer: its JSON by a merge patch, and its headers."""
    with suppress(ValueError):  # an answer that is not JSON stays as it is
        response.body = json.dumps(_merged(json.loads(bytes(response.body)), rule.merge)).encode()
        response.headers["Content-Length"] = str(len(response.body))
    response.headers.update(_headers(rule))


def _merged(value: Any, patch: Any) -> Any:
    """Return a value with a JSON Merge Patch applied to it (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(value) if isinstance(value, Mapping) else {}
    for key, each in patch.items():
        if each is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), each)
    return merged


def _content(rule: FaultRule) -> tuple[str | bytes, str]:
    status = rule.answer_status
    if rule.html:
        return _page(status) if rule.body is None else rule.body, "text/html; charset=utf-8"
    if isinstance(rule.body, (str, bytes)):
        return rule.body, "text/plain; charset=utf-8"
    if rule.body is not None:
        return json.dumps(rule.body), "application/json"
    return (_envelope(rule), "application/json") if status >= FIRST_ERROR else ("", "")


def _envelope(rule: FaultRule) -> bytes:
    status = rule.answer_status
    code = rule.error_code if rule.error_code is not None else _ERROR_CODES.get(status, _OTHER_CODE)
    message = rule.message if rule.message is not None else text("fault", status=status)
    return bytes(error_response(ApiError(status, code, message)).body)


def _page(status: int) -> str:
    names: dict[int, Any] = {each.value: each.phrase for each in http.HTTPStatus}
    return text("proxy_page", status=status, phrase=names.get(status, ""))


class _Truncated(Response):
    """An answer that announces its whole body, sends one half and closes the connection."""

    def __init__(self, whole: Response, connection: Connection) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - what ASGI hands over
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await self._connection.close()
