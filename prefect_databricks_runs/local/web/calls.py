"""One request to the API, as the endpoints take it, and its answer as an HTTP response."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .errors import ApiError

Fields = dict[str, Any]

_REQUEST_INFO = "type.googleapis.com/google.rpc.RequestInfo"


@dataclass(frozen=True)
class Call:
    """One request to an endpoint.

    Attributes:
        version: The version of the API, such as `2.2`.
        fields: The request's fields, from the query or the body, unchecked.
        user: The name of the signed-in user.
    """

    version: str
    fields: Fields
    user: str


Endpoint = Callable[[Call], Fields]


def json_response(answer: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer as JSON."""
    # Plain ASCII, because JSON can hold a lone surrogate and UTF-8 cannot.
    return Response(json.dumps(answer), status, headers, "application/json")


def error_response(error: ApiError) -> Response:
    """Return the API's envelope of an error, or the error's page."""
    if error.page is not None:
        return Response(error.page, error.status, error.headers, "text/html;charset=utf-8")
    envelope: Fields = {"error_code": error.error_code, "message": error.message}
    if isinstance(error.error_code, str):  # the gateway's errors have a number, and the request id in the message
        envelope["details"] = [{"@type": _REQUEST_INFO, "request_id": str(uuid.uuid4()), "serving_data": ""}]
    return json_response(envelope, error.status, error.headers)
