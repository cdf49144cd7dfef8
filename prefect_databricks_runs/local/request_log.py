"""What clients asked, in order, for tests to read back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RecordedRequest:
    """One request. It holds no header that signs in.

    Attributes:
        method: such as `POST`.
        path: such as `/api/2.2/jobs/runs/submit`.
        query: the query parameters; the last value of each name.
        body: the body as parsed from JSON; None when there was none or it is not JSON.
        status: the HTTP status of the answer; None while there is no answer.
        user_agent: the `User-Agent` header; empty when there was none.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int | None
    user_agent: str


class RequestLog:
    """The requests of one workspace. Written in the server's event loop, read anywhere."""

    def __init__(self) -> None:
        self._requests: list[RecordedRequest] = []

    def add(self, request: RecordedRequest) -> int:
        """Keeps a request and returns its place."""
        self._requests.append(request)
        return len(self._requests) - 1

    def answered(self, place: int, status: int) -> None:
        """Notes the status of the answer."""
        self._requests[place] = dataclasses.replace(self._requests[place], status=status)

    def all(self) -> tuple[RecordedRequest, ...]:
        """Returns all requests in the order in which they came."""
        return tuple(self._requests)
