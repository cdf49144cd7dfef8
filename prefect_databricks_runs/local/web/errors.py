"""The errors of the API, as handlers raise them and as clients get them."""

from __future__ import annotations

import html
import uuid
from collections.abc import Mapping

from ..texts import text

_BAD_REQUEST = 400
# The answers to a wrong token: one of two messages of the API, or a page as from older workspaces.
TOKEN_REFUSALS = ("invalid", "expiring", "page")


class ApiError(Exception):
    """An answer other than 200.

    Args:
        status: The HTTP status, such as 400.
        error_code: A word such as `INVALID_PARAMETER_VALUE`; the errors of the gateway (401, 403) have the number.
        message: The message for the client.
        headers: Extra headers of the answer.
        page: An HTML page instead of the API's envelope; None = the envelope.
    """

    def __init__(
        self,
        status: int,
        error_code: str | int,
        message: str,
        headers: Mapping[str, str] | None = None,
        page: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message
        self.headers = dict(headers or {})
        self.page = page


def invalid(name: str, **values: object) -> ApiError:
    """Return a 400 `INVALID_PARAMETER_VALUE` with the message called `name`."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", text(name, **values))


def invalid_state(name: str, **values: object) -> ApiError:
    """Return a 400 `INVALID_STATE` with the message called `name`."""
    return ApiError(400, "INVALID_STATE", text(name, **values))


def missing(name: str, status: int, **values: object) -> ApiError:
    """Return the error for a job or run that does not exist: 400 `INVALID_PARAMETER_VALUE`, or another `status`."""
    error_code = "INVALID_PARAMETER_VALUE" if status == _BAD_REQUEST else "RESOURCE_DOES_NOT_EXIST"
    return ApiError(status, error_code, text(name, **values))


def malformed(name: str, **values: object) -> ApiError:
    """Return a 400 `MALFORMED_REQUEST` with the message called `name`."""
    return ApiError(400, "MALFORMED_REQUEST", text(name, **values))


def unknown_path(method: str, path: str) -> ApiError:
    """Return the 404 for a path that no Databricks API has; `path` is without `/api/2.x`."""
    return ApiError(404, "ENDPOINT_NOT_FOUND", text("unknown_path", method=method, path=path))


def path_not_served(method: str, path: str) -> ApiError:
    """Return the 501 for a path that Databricks has and the local workspace does not; `path` is the whole path."""
    return ApiError(501, "NOT_IMPLEMENTED", text("not_served_path", method=method, path=path))


def field_not_served(field: str, value: object) -> ApiError:
    """Return the 501 for a field that asks for something that the local workspace does not do."""
    return ApiError(501, "NOT_IMPLEMENTED", text("not_served_field", field=field, value=repr(value)[:200]))


def no_credential() -> ApiError:
    """Return the 401 for a request without a usable `Authorization` header."""
    message = text("no_credential", request_id=uuid.uuid4())
    return ApiError(401, 401, message, {"WWW-Authenticate": 'Bearer realm="DatabricksRealm"'})


def bad_token(refusal: str = "invalid", path: str = "") -> ApiError:
    """Return the 403 for a wrong token.

    Args:
        refusal: One of `TOKEN_REFUSALS`.
        path: The path of the request, which the page names.
    """
    reason = text("expiring_token" if refusal == "expiring" else "bad_token_reason")
    message = reason if refusal == "expiring" else text("bad_token", request_id=uuid.uuid4())
    page = text("bad_token_page", path=html.escape(path), reason=reason) if refusal == "page" else None
    return ApiError(403, 403, message, {"X-Databricks-Reason-Phrase": reason}, page)


def not_authorized() -> ApiError:
    """Return the 403 for a principal that, to Azure, does not belong to the workspace."""
    return ApiError(403, 403, text("not_authorized"), {"X-Databricks-Reason-Phrase": text("not_authorized")})


def bad_password() -> ApiError:
    """Return the 401 for a wrong login or password."""
    message = text("bad_password", request_id=uuid.uuid4())
    return ApiError(401, 401, message, {"WWW-Authenticate": 'Bearer realm="DatabricksRealm"'})
