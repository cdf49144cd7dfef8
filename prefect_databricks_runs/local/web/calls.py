"""One request to the API, as the endpoints see it, and its answer as an HTTP response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .errors import ApiError

Fields = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request to an endpoint.

    Attributes:
        version: the version of the API, such as `2.2`.
        fields: the request's fields, from the query or the body, as they came.
        user: the name of who asks.
    """

    version: str
    fields: Fields
    user: str


Endpoint = Callable[[Call], Fields]


def json_response(answer: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer as JSON."""
    # Plain ASCII: a lone surrogate, which JSON can hold and UTF-8 cannot, then does no harm.
    return Response(json.dumps(answer), status, headers, "application/json")


def error_response(error: ApiError) -> Response:
    """Return the API's envelope of an error, or the page that it has instead."""
    if error.page is not None:
        return Response(error.page, error.status, error.headers, "text/html;charset=utf-8")
    return json_response({"error_code": error.error_code, "message": error.message}, error.status, error.headers)
