"""The errors of the API: what a handler raises and what the client gets for it."""

from __future__ import annotations

import html
import uuid
from collections.abc import Mapping

from ..texts import text

_BAD_REQUEST = 400
# How a wrong token is answered: by either text of the API, or as older workspaces do, by a page.
TOKEN_REFUSALS = ("invalid", "expiring", "page")


class ApiError(Exception):
    """An answer other than 200.

    Args:
        status: HTTP status, such as 400.
        error_code: a word such as `INVALID_PARAMETER_VALUE`; the gateway's own errors (401, 403) have the number.
        message: what the client is told.
        headers: extra headers of the answer.
        page: what the client gets instead of the API's envelope, in HTML; None = the envelope.
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
    """Return a 400 `INVALID_PARAMETER_VALUE` with the text called `name`."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", text(name, **values))


def invalid_state(name: str, **values: object) -> ApiError:
    """Return a 400 `INVALID_STATE` with the text called `name`."""
    return ApiError(400, "INVALID_STATE", text(name, **values))


def missing(name: str, status: int, **values: object) -> ApiError:
    """Return the error for a job or run that is not there: 400 `INVALID_PARAMETER_VALUE`, or another `status`."""
    error_code = "INVALID_PARAMETER_VALUE" if status == _BAD_REQUEST else "RESOURCE_DOES_NOT_EXIST"
    return ApiError(status, error_code, text(name, **values))


def malformed(name: str, **values: object) -> ApiError:
    """Return a 400 `MALFORMED_REQUEST` with the text called `name`."""
    return ApiError(400, "MALFORMED_REQUEST", text(name, **values))


def unknown_path(method: str, path: str) -> ApiError:
    """Return the 404 for a path that no Databricks API has; `path` is without `/api/2.x`."""
    return ApiError(404, "ENDPOINT_NOT_FOUND", text("unknown_path", method=method, path=path))


def path_not_served(method: str, path: str) -> ApiError:
    """Return the 501 for a path that Databricks has and the local workspace does not; `path` is the whole path."""
    return ApiError(501, "NOT_IMPLEMENTED", text("not_served_path", method=method, path=path))


def field_not_served(field: str, value: object) -> ApiError:
    """Return the 501 for a field that would ask for something that the local workspace does not do."""
    return ApiError(501, "NOT_IMPLEMENTED", text("not_served_field", field=field, value=repr(value)[:200]))


def no_credential() -> ApiError:
    """Return the 401 for a request without an `Authorization` header that can be used."""
    message = text("no_credential", request_id=uuid.uuid4())
    return ApiError(401, 401, message, {"WWW-Authenticate": 'Bearer realm="DatabricksRealm"'})


def bad_token(refusal: str = "invalid", path: str = "") -> ApiError:
    """Return the 403 for a wrong token.

    Args:
        refusal: one of `TOKEN_REFUSALS`.
        path: the path that was asked for, which the page names.
    """
    reason = text("expiring_token" if refusal == "expiring" else "bad_token_reason")
    message = reason if refusal == "expiring" else text("bad_token", request_id=uuid.uuid4())
    page = text("bad_token_page", path=html.escape(path), reason=reason) if refusal == "page" else None
    return ApiError(403, 403, message, {"X-Databricks-Reason-Phrase": reason}, page)


def not_authorized() -> ApiError:
    """Return the 403 for a principal that Azure does not know to be one of the workspace."""
    return ApiError(403, 403, text("not_authorized"), {"X-Databricks-Reason-Phrase": text("not_authorized")})


def bad_password() -> ApiError:
    """Return the 401 for a wrong login or password."""
    message = text("bad_password", request_id=uuid.uuid4())
    return ApiError(401, 401, message, {"WWW-Authenticate": 'Bearer realm="DatabricksRealm"'})
