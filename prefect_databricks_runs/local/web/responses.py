"""How answers and errors become HTTP responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from .errors import ApiError


def json_response(answer: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Returns an answer as JSON."""
    # Plain ASCII: a lone surrogate, which JSON can hold and UTF-8 cannot, then does no harm.
    return Response(json.dumps(answer), status, headers, "application/json")


def error_response(error: ApiError) -> Response:
    """Returns the API's envelope of an error."""
    return json_response({"error_code": error.error_code, "message": error.message}, error.status, error.headers)
