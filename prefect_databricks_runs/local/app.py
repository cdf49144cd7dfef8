"""The web application: from a request to the endpoint that answers it, with sign-in, JSON and errors."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from .calls import Call, Endpoint
from .errors import ApiError, malformed, path_not_served, unknown_path
from .multipart import CONTENT_TYPE, multipart_fields
from .not_served import NOT_SERVED, NOT_SERVED_APIS
from .request_log import RecordedRequest, RequestLog
from .sign_in import SignIn
from .texts import text

# What answers a path by itself: request and body to response. It may raise an ApiError.
Page = Callable[[Request, bytes], Response]

logger = logging.getLogger(__name__)

_API_PATH = re.compile(r"/api/(2\.[012])/(.+)")
_HOME_PAGE = """<!doctype html><title>Local workspace</title>
<h1>Local workspace</h1>
<p>A small Databricks Jobs API on this machine. It answers under <code>/api/2.2/jobs/</code>, with a token.</p>
<p>Links to jobs and runs, which lead to the Jobs UI of a real workspace, end here: this one has no pages of them.</p>
"""


class App:
    """The ASGI application of one workspace.

    Args:
        endpoints: what it serves under `/api/2.x/` to those who signed in, by method and path: `GET jobs/list`.
        pages: what it serves to everyone, by method and whole path.
        sign_in: who may ask.
        log: where it writes down what was asked.
        workspace_id: the workspace's id, which every answer of the API names.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        pages: Mapping[str, Page],
        sign_in: SignIn,
        log: RequestLog,
        workspace_id: int,
    ) -> None:
        self._endpoints = endpoints
        self._pages = pages
        self._sign_in = sign_in
        self._log = log
        self._workspace_id = workspace_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        try:
            raw = await request.body()
        except ClientDisconnect:
            return
        place = self._log.add(_recorded(request, raw))
        response = self._response(request, raw)
        if request.scope["path"].startswith("/api/"):
            response.headers["X-Databricks-Org-Id"] = str(self._workspace_id)
        self._log.answered(place, response.status_code)
        await response(scope, receive, send)

    def _response(self, request: Request, raw: bytes) -> Response:
        try:
            if request.method == "GET" and (request.url.path == "/" or request.url.path.startswith("/jobs/")):
                return HTMLResponse(_HOME_PAGE)
            page = self._pages.get(f"{request.method} {request.scope['path']}")
            return page(request, raw) if page else _json_response(self._answer(request, raw))
        except ApiError as error:
            return _error_response(error)
        except Exception as error:
            logger.exception("%s %s failed in our own code", request.method, request.url.path)
            return _error_response(ApiError(500, "INTERNAL_ERROR", text("internal_error", error=repr(error))))

    def _answer(self, request: Request, raw: bytes) -> dict[str, Any]:
        path = request.scope["path"]
        match = _API_PATH.fullmatch(path)
        if not match:
            raise unknown_path(request.method, path)
        user = self._sign_in.check(request.headers.get("authorization"))
        version, name = match.groups()
        endpoint = self._endpoints.get(f"{request.method} {name}")
        if endpoint is not None:
            return endpoint(Call(version, _fields(request, raw), user))
        if f"{request.method} {name}" in NOT_SERVED or name.startswith(NOT_SERVED_APIS):
            raise path_not_served(request.method, path)
        raise unknown_path(request.method, f"/{name}")


def _fields(request: Request, raw: bytes) -> dict[str, Any]:
    """Returns the request's fields: of a GET the query, or the body when there is no query; else the body."""
    if request.method == "GET" and request.query_params:
        return dict(request.query_params)
    if not raw.strip():
        return {}
    content_type = request.headers.get("content-type", "")
    if content_type.lower().startswith(CONTENT_TYPE):
        return multipart_fields(content_type, raw)
    try:
        fields = _parse(raw)
    except (ValueError, RecursionError):
        raise malformed("not_json") from None
    if not isinstance(fields, dict):
        raise malformed("not_an_object")
    return fields


def _parse(raw: bytes) -> Any:
    return json.loads(raw, parse_constant=_refuse, parse_float=_finite)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _recorded(request: Request, raw: bytes) -> RecordedRequest:
    body = None
    # A client that sends its secret to the token endpoint as JSON is wrong, and is not to find it in a log.
    if not request.scope["path"].startswith("/oidc/"):
        with contextlib.suppress(ValueError, RecursionError):
            body = _parse(raw)
    return RecordedRequest(
        method=request.method,
        path=request.scope["path"],
        query=dict(request.query_params),
        body=body,
        status=None,
        user_agent=request.headers.get("user-agent", ""),
    )


def _json_response(answer: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    # Plain ASCII: a lone surrogate, which JSON can hold and UTF-8 cannot, then does no harm.
    return Response(json.dumps(answer), status, headers, "application/json")


def _error_response(error: ApiError) -> Response:
    return _json_response({"error_code": error.error_code, "message": error.message}, error.status, error.headers)
