"""The web application: from a request to the endpoint that answers it, with sign-in, JSON and errors."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from .accounts.sign_in import SignIn
from .faults.fault_actions import play
from .faults.faults import Faults
from .faults.waits import Waits
from .texts import text
from .web.calls import Call, Endpoint, error_response, json_response
from .web.connection import connection_of
from .web.errors import ApiError, malformed, path_not_served, unknown_path
from .web.request_body import max_body_bytes, read_body, read_fields
from .web.request_log import LogEntry, RequestLog, recorded
from .web.routes import Routes

# The handler of one path: it takes the request and its body, and returns the response. It may raise an ApiError.
Page = Callable[[Request, bytes], Response]

logger = logging.getLogger(__name__)

# The prefix of the paths by which tests control the workspace: requests to them are not recorded and meet no fault.
_CONTROL = "/local/"
_API_PATH = re.compile(r"/api/(2\.[012])/(.+)")
# The prefixes of other APIs, which Databricks has under `/api` and the local workspace lacks.
_NOT_SERVED_APIS = (
    "clusters/",
    "dbfs/",
    "fs/",
    "instance-pools/",
    "libraries/",
    "permissions/",
    "pipelines",
    "policies/",
    "preview/",
    "repos",
    "secrets/",
    "sql/",
    "token/",
    "unity-catalog/",
    "workspace/",
)
_HOME_PAGE = """<!doctype html><title>Local workspace</title>
<h1>Local workspace</h1>
<p>A small Databricks Jobs API on this machine. It answers under <code>/api/2.2/jobs/</code>, with a token.</p>
<p>Links to jobs and runs, which lead to the Jobs UI of a real workspace, end here: this workspace has no UI.</p>
"""


class App:
    """The ASGI application of one workspace.

    Args:
        endpoints: The endpoints under `/api/2.x/`, for signed-in clients, by method and path as `Routes` takes them.
        pages: The pages for everyone, by method and whole path.
        sign_in: Checks who a client is.
        log: The log of requests.
        faults: The faults that are set.
        waits: Holds the requests that a fault delays.
        workspace_id: The workspace's id, which every answer of the API names.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        pages: Mapping[str, Page],
        *,
        sign_in: SignIn,
        log: RequestLog,
        faults: Faults,
        waits: Waits,
        workspace_id: int,
    ) -> None:
        self._routes = Routes(endpoints)
        self._pages = pages
        self._sign_in = sign_in
        self._log = log
        self._faults = faults
        self._waits = waits
        self._workspace_id = workspace_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            raw = await read_body(request, max_body_bytes(request.scope["path"]))
        except ClientDisconnect:
            return
        path = scope["path"]
        if path.startswith(_CONTROL):
            await self._response(request, raw)(scope, receive, send)
            return
        entry = self._log.add(recorded(request, path, raw), len(raw or b""))
        response = await self._response_or_fault(request, raw, entry)
        if response is not None:
            entry.answered(response.status_code)
            await response(scope, receive, send)

    async def _response_or_fault(self, request: Request, raw: bytes | None, entry: LogEntry) -> Response | None:
        """Return the answer; None when a fault has cut the connection."""
        rule = self._faults.strike(entry.request.method, entry.request.path)
        if rule is None:
            return self._response(request, raw)
        entry.struck(str(rule))
        answer = functools.partial(self._response, request, raw)
        return await play(rule, connection_of(request.scope), self._waits, answer)

    def _response(self, request: Request, raw: bytes | None) -> Response:
        """Carry out the request and return its answer, which may be an error."""
        response = self._page_or_answer(request, raw)
        if request.scope["path"].startswith("/api/"):
            response.headers["X-Databricks-Org-Id"] = str(self._workspace_id)
        return response

    def _page_or_answer(self, request: Request, raw: bytes | None) -> Response:
        try:
            if raw is None:
                raise malformed("body_too_long", limit=max_body_bytes(request.scope["path"]))
            if request.method == "GET" and (request.url.path == "/" or request.url.path.startswith("/jobs/")):
                return HTMLResponse(_HOME_PAGE)
            page = self._pages.get(f"{request.method} {request.scope['path']}")
            return page(request, raw) if page else json_response(self._answer(request, raw))
        except ApiError as error:
            return error_response(error)
        except Exception as error:
            logger.exception("%s %s failed: this is a bug in the local workspace", request.method, request.url.path)
            return error_response(ApiError(500, "INTERNAL_ERROR", text("internal_error", error=repr(error))))

    def _answer(self, request: Request, raw: bytes) -> dict[str, Any]:
        path = request.scope["path"]
        match = _API_PATH.fullmatch(path)
        if not match:
            raise unknown_path(request.method, path)
        user = self._sign_in.check(request)
        version, name = match.groups()
        found = self._routes.find(request.method, name)
        if found is not None:
            endpoint, of_path = found
            return endpoint(Call(version, {**read_fields(request, raw), **of_path}, user))
        if name.startswith(_NOT_SERVED_APIS):
            raise path_not_served(request.method, path)
        raise unknown_path(request.method, f"/{name}")
