"""The log of the requests of clients, in order, for tests."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from .patterns import Pattern
from .request_body import parse

DEFAULT_MAX_REQUESTS = 100_000
# A parsed body takes several times as much memory.
MAX_BYTES = 20_000_000

_SCHEMES = {"bearer": "Bearer", "basic": "Basic"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/")
_SECRETS = frozenset(
    {
        "access_token",
        "actor_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "id_token",
        "password",
        "refresh_token",
        "subject_token",
    }
)
# With these headers, a service principal of Azure shows that it may use a workspace that it was not added to.
MANAGEMENT_TOKEN = "x-databricks-azure-sp-management-token"  # noqa: S105 - the name of a header
RESOURCE_ID = "x-databricks-azure-workspace-resource-id"
_SIGN_IN_HEADERS = ("authorization", MANAGEMENT_TOKEN, RESOURCE_ID)
_SIGN_IN = "/oidc/"
_HIDDEN = "********"


@dataclass(frozen=True)
class RecordedRequest:
    """One recorded request. It never has a credential: sign-in headers and forms are left out.

    Example:
        ```python
        from prefect_databricks_runs.local import LocalWorkspace

        with LocalWorkspace() as workspace:
            for request in workspace.requests:
                print(request.method, request.path, request.status)
        ```

    Attributes:
        method: The method, such as `POST`.
        path: The path, such as `/api/2.2/jobs/runs/submit`.
        query: The query parameters, with the last value of each name. Secret values, such as `access_token`, are
            hidden, as they are in `body`.
        body: The body, parsed from JSON; None if there is no body, it is not JSON, it is a form, or the path is below
            `/oidc/`, where clients send secrets.
        status: The HTTP status of the answer; None while there is no answer, and if a fault lost the answer.
        user_agent: The `User-Agent` header; empty without one.
        auth_scheme: How the client signed in: `Bearer`, `Basic`, `other`, or empty if it did not.
        sign_in_headers: The names of all headers with which the client signed in, in lower case: `authorization`,
            `x-databricks-azure-sp-management-token`, `x-databricks-azure-workspace-resource-id`.
        fault: The fault that happened to the request, such as `reset after the effect`; None without one.
        started_ms: The time when the whole request had been received, in ms since 1970.
        answered_ms: The time when the answer was ready, in ms since 1970; None if `status` is None.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int | None
    user_agent: str
    auth_scheme: str = ""
    sign_in_headers: tuple[str, ...] = field(default=(), compare=False)
    fault: str | None = None
    started_ms: int = field(default=0, compare=False)
    answered_ms: int | None = field(default=None, compare=False)


class LogEntry:
    """The entry of one request in the log. Written in the server's event loop."""

    def __init__(self, request: RecordedRequest, size: int) -> None:
        self.request = request
        self.size = size

    def answered(self, status: int) -> None:
        """Note the status and the time of the answer."""
        self.request = dataclasses.replace(self.request, status=status, answered_ms=_now_ms())

    def struck(self, fault: str) -> None:
        """Note the fault that happens to the request."""
        self.request = dataclasses.replace(self.request, fault=fault)


class RequestLog:
    """The last requests of one workspace. Written in the server's event loop, read in any thread.

    Args:
        max_requests: The number of requests to keep, as long as their bodies have at most 20 MB in total. Older
            requests are dropped.

    Raises:
        ValueError: `max_requests` is below 1.
    """

    def __init__(self, max_requests: int = DEFAULT_MAX_REQUESTS) -> None:
        if max_requests < 1:
            raise ValueError(f"max_requests must be at least 1, it is {max_requests}")
        self._entries: deque[LogEntry] = deque()
        self._max_requests = max_requests
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, request: RecordedRequest, size: int = 0) -> LogEntry:
        """Add a request and return its entry.

        Args:
            request: The request.
            size: The length of its body, in bytes.
        """
        entry = LogEntry(request, size)
        with self._lock:
            self._entries.append(entry)
            self._bytes += size
            while len(self._entries) > self._max_requests or (self._bytes > MAX_BYTES and len(self._entries) > 1):
                self._bytes -= self._entries.popleft().size
        return entry

    def all(self) -> tuple[RecordedRequest, ...]:
        """Return the requests in the order in which they were received."""
        with self._lock:
            return tuple(entry.request for entry in self._entries)

    def matching(self, pattern: str) -> tuple[RecordedRequest, ...]:
        """Return the requests that match a pattern, in the order in which they were received.

        Raises:
            ValueError: The pattern is not valid.
        """
        wanted = Pattern(pattern)
        return tuple(request for request in self.all() if wanted.matches(request.method, request.path))

    def clear(self) -> None:
        """Drop all requests."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0


def recorded(request: Request, path: str, raw: bytes | None) -> RecordedRequest:
    """Return the record of a request that has no answer yet.

    Args:
        request: The request.
        path: Its path.
        raw: Its body; None if it was too long to keep.
    """
    return RecordedRequest(
        method=request.method,
        path=path,
        query=_without_secrets(dict(request.query_params)),
        body=None if path.startswith(_SIGN_IN) else _body(request, raw),
        status=None,
        user_agent=request.headers.get("user-agent", ""),
        auth_scheme=_scheme(request.headers.get("authorization")),
        sign_in_headers=tuple(name for name in _SIGN_IN_HEADERS if name in request.headers),
        started_ms=_now_ms(),
    )


def _body(request: Request, raw: bytes | None) -> Any:
    if not raw or request.headers.get("content-type", "").lower().startswith(_FORMS):
        return None
    try:
        # Parsed only for the log, because an endpoint may change its own copy.
        body = parse(raw)
    except ValueError:
        return None
    return _without_secrets(body) if isinstance(body, dict) else body


def _without_secrets(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _HIDDEN if name in _SECRETS else value for name, value in fields.items()}


def _scheme(authorization: str | None) -> str:
    """Return the scheme if it is known, and otherwise `other`: a client may send the bare credential."""
    if authorization is None:
        return ""
    return _SCHEMES.get(authorization.partition(" ")[0].lower(), "other")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
