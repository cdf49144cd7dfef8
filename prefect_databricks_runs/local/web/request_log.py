"""What clients asked, in order, for tests to read back."""

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
# Parsed, a body takes several times as much memory.
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
# By these a service principal of Azure shows that it may use a workspace that it was not added to.
MANAGEMENT_TOKEN = "x-databricks-azure-sp-management-token"  # noqa: S105 - the name of a header
RESOURCE_ID = "x-databricks-azure-workspace-resource-id"
_SIGN_IN_HEADERS = ("authorization", MANAGEMENT_TOKEN, RESOURCE_ID)
_SIGN_IN = "/oidc/"
_HIDDEN = "********"


@dataclass(frozen=True)
class RecordedRequest:
    """One request. It holds no header that signs in, and no form, which is how clients send secrets.

    Attributes:
        method: such as `POST`.
        path: such as `/api/2.2/jobs/runs/submit`.
        query: the query parameters; the last value of each name. Those that sign in, such as `access_token`, are
            hidden, here as in `body`.
        body: the body as parsed from JSON; None when there was none, it is not JSON, it is a form, or the path is one
            under `/oidc/`, where secrets are sent.
        status: the HTTP status of the answer; None while there is no answer, and when a fault lost it.
        user_agent: the `User-Agent` header; empty when there was none.
        auth_scheme: how the client signed in: `Bearer`, `Basic`, `other`, or empty when it did not.
        sign_in_headers: the names of all headers by which it signed in, in lower case: `authorization`,
            `x-databricks-azure-sp-management-token`, `x-databricks-azure-workspace-resource-id`.
        fault: what a fault did to it, such as `reset after the effect`; None when there was none.
        started_ms: when it had come in whole, in ms since 1970.
        answered_ms: when the answer was ready to be sent, in ms since 1970; None as for `status`.
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
    """The place of one request in the log. Written in the server's event loop."""

    def __init__(self, request: RecordedRequest, size: int) -> None:
        self.request = request
        self.size = size

    def answered(self, status: int) -> None:
        """Note that the answer is there, and its status."""
        self.request = dataclasses.replace(self.request, status=status, answered_ms=_now_ms())

    def struck(self, fault: str) -> None:
        """Note what a fault does to the request."""
        self.request = dataclasses.replace(self.request, fault=fault)


class RequestLog:
    """The last requests of one workspace. Written in the server's event loop, read anywhere.

    Args:
        max_requests: how many are kept, as long as their bodies have no more than 20 MB in all; older ones are
            forgotten.

    Raises:
        ValueError: that is below 1.
    """

    def __init__(self, max_requests: int = DEFAULT_MAX_REQUESTS) -> None:
        if max_requests < 1:
            raise ValueError(f"max_requests must be at least 1, it is {max_requests}")
        self._entries: deque[LogEntry] = deque()
        self._max_requests = max_requests
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, request: RecordedRequest, size: int = 0) -> LogEntry:
        """Keep a request and return its place.

        Args:
            request: the request.
            size: how long its body was, in bytes.
        """
        entry = LogEntry(request, size)
        with self._lock:
            self._entries.append(entry)
            self._bytes += size
            while len(self._entries) > self._max_requests or (self._bytes > MAX_BYTES and len(self._entries) > 1):
                self._bytes -= self._entries.popleft().size
        return entry

    def all(self) -> tuple[RecordedRequest, ...]:
        """Return the requests in the order in which they came."""
        with self._lock:
            return tuple(entry.request for entry in self._entries)

    def matching(self, pattern: str) -> tuple[RecordedRequest, ...]:
        """Return the requests that a pattern means, in the order in which they came.

        Raises:
            ValueError: the pattern is not right.
        """
        wanted = Pattern(pattern)
        return tuple(request for request in self.all() if wanted.matches(request.method, request.path))

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0


def recorded(request: Request, path: str, raw: bytes | None) -> RecordedRequest:
    """Return the record of a request that has no answer yet.

    Args:
        request: the request.
        path: its path.
        raw: its body; None when it was too long to be kept.
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
        # Parsed for the log alone: an endpoint may change what it is given.
        body = parse(raw)
    except ValueError:
        return None
    return _without_secrets(body) if isinstance(body, dict) else body


def _without_secrets(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _HIDDEN if name in _SECRETS else value for name, value in fields.items()}


def _scheme(authorization: str | None) -> str:
    """Return the way to sign in; only known ones by name, since a client may send the bare credential."""
    if authorization is None:
        return ""
    return _SCHEMES.get(authorization.partition(" ")[0].lower(), "other")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
