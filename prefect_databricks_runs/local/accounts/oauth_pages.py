"""The pages that OAuth needs, without sign-in: where things are, and a token for a client id and its secret."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from ..app import Page
from ..texts import text
from ..web.addresses import address
from ..web.errors import path_not_served
from .credentials import login_and_password, split
from .oauth_tokens import OAuthTokens

_SCOPE = "all-apis"
_GRANT_TYPE = "client_credentials"
_TOKEN_PATH = "/oidc/v1/token"  # noqa: S105 - a path
_AUTHORIZE_PATH = "/oidc/v1/authorize"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthError(Exception):
    """An answer of the token endpoint other than 200, in the form of RFC 6749.

    Args:
        error: such as `invalid_client`.
        description: the name of its text.
        status: HTTP status.
        headers: extra headers of the answer.
    """

    def __init__(
        self, error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.status = status
        self.headers = dict(headers or {})
        self.answer = {"error": error, "error_id": str(uuid.uuid4()), "error_description": text(description)}


class OAuthPages:
    """Discovery and the token endpoint.

    Args:
        tokens: the tokens of the service principal.
        workspace_id: the workspace's id.
        account_id: the id of the account that the workspace is said to belong to.
        url: the workspace's address, for clients that do not tell how they reached it.
    """

    def __init__(self, tokens: OAuthTokens, workspace_id: int, account_id: str, url: str) -> None:
        self._tokens = tokens
        self._workspace_id = workspace_id
        self._account_id = account_id
        self._url = url
        self.served: dict[str, Page] = {
            "GET /.well-known/databricks-config": self.workspace,
            "GET /oidc/.well-known/oauth-authorization-server": self.authorization_server,
            "GET /oidc/.well-known/openid-configuration": self.authorization_server,
            f"GET {_AUTHORIZE_PATH}": self.authorize,
            f"POST {_TOKEN_PATH}": self.token,
        }

    def workspace(self, request: Request, _body: bytes) -> Response:
        """Return the kind of this host and the address of its OAuth."""
        base = address(request, self._url)
        answer = {
            "oidc_endpoint": f"{base}/oidc",
            "account_id": self._account_id,
            "workspace_id": str(self._workspace_id),
            "cloud": "AWS",
            "host_type": "workspace",
            "token_federation_default_oidc_audiences": [f"{base}{_TOKEN_PATH}"],
        }
        return _json(answer)

    def authorization_server(self, request: Request, _body: bytes) -> Response:
        """Return the metadata of RFC 8414."""
        base = address(request, self._url)
        answer = {
            "issuer": f"{base}/oidc",
            "authorization_endpoint": f"{base}{_AUTHORIZE_PATH}",
            "token_endpoint": f"{base}{_TOKEN_PATH}",
            "scopes_supported": [_SCOPE],
            "response_types_supported": ["code"],
            "grant_types_supported": [_GRANT_TYPE],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
        return _json(answer)

    def authorize(self, request: Request, _body: bytes) -> Response:
        """Refuse the sign-in of a person in a browser, which Databricks has.

        Raises:
            ApiError: always.
        """
        raise path_not_served(request.method, _AUTHORIZE_PATH)

    def token(self, request: Request, body: bytes) -> Response:
        """Issue a new token to the service principal."""
        try:
            return _json(self._issue(_form(body), request.headers.get("authorization")), headers=_NO_STORE)
        except OAuthError as error:
            return _json(error.answer, error.status, {**_NO_STORE, **error.headers})

    def _issue(self, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        if not any(self._tokens.knows(*pair) for pair in _clients(form, authorization)):
            # RFC 6749, 5.2: who tried the header is told the scheme; a browser shall not ask everybody else for it.
            challenge = {"WWW-Authenticate": 'Basic realm="DatabricksRealm"'} if authorization else {}
            raise OAuthError("invalid_client", "invalid_client", 401, challenge)
        if not form.get("grant_type"):
            raise OAuthError("invalid_request", "no_grant_type")
        if form["grant_type"] != _GRANT_TYPE:
            raise OAuthError("unsupported_grant_type", "unsupported_grant_type")
        if form.get("scope", "").split() != [_SCOPE]:
            raise OAuthError("invalid_scope", "invalid_scope")
        return {
            "access_token": self._tokens.issue(),
            "token_type": "Bearer",
            "expires_in": int(self._tokens.seconds),
            "scope": _SCOPE,
        }


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "bad_form") from None
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthError("invalid_request", "bad_form")
    return {name: values[0] for name, values in fields.items()}


def _clients(form: Mapping[str, str], authorization: str | None) -> list[tuple[str, str]]:
    """Return the ways to read who asks: the header alone counts when there is one.

    Clients differ in whether they encode id and secret before they put them into the header, as RFC 6749 wants.
    """
    if not authorization:
        return [(form.get("client_id", ""), form.get("client_secret", ""))]
    scheme, credential = split(authorization)
    pair = login_and_password(credential) if scheme == "basic" else None
    return [pair, (unquote_plus(pair[0]), unquote_plus(pair[1]))] if pair else []


def _json(answer: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(answer), status, headers, "application/json")
