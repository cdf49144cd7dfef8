"""The pages that OAuth needs, without sign-in: discovery and the token endpoint."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..app import Page
from ..web.addresses import address
from ..web.calls import json_response
from ..web.errors import path_not_served
from .grants import GRANT_TYPES, SCOPE, Grants, OAuthError

_WORKSPACE = "/oidc"
_TOKEN = "/v1/token"  # noqa: S105 - a path
_AUTHORIZE = "/v1/authorize"
_METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthPages:
    """Discovery and the token endpoint, of the workspace and of its account, which do the same here.

    Args:
        grants: Does the work of the token endpoint.
        workspace_id: The workspace's id.
        account_id: The id of the account that the workspace belongs to.
        url: The workspace's address, for requests without a `Host` header.
    """

    def __init__(self, grants: Grants, workspace_id: int, account_id: str, url: str) -> None:
        self._grants = grants
        self._workspace_id = workspace_id
        self._account_id = account_id
        self._url = url
        self.served: dict[str, Page] = {
            "GET /.well-known/databricks-config": self.workspace,
            **self._server(_WORKSPACE),
            **self._server(f"{_WORKSPACE}/accounts/{account_id}"),
        }

    def workspace(self, request: Request, _body: bytes) -> Response:
        """Return the kind of this host and the address of its OAuth."""
        base = address(request, self._url)
        answer = {
            "oidc_endpoint": f"{base}{_WORKSPACE}",
            "account_id": self._account_id,
            "workspace_id": str(self._workspace_id),
            "cloud": "AWS",
            "host_type": "workspace",
            "token_federation_default_oidc_audiences": [f"{base}{_WORKSPACE}{_TOKEN}"],
        }
        return json_response(answer)

    def authorize(self, request: Request, _body: bytes) -> Response:
        """Refuse the sign-in of a person in a browser, which the local workspace does not have.

        Raises:
            ApiError: Always.
        """
        raise path_not_served(request.method, request.scope["path"])

    def token(self, request: Request, body: bytes) -> Response:
        """Issue a new token."""
        try:
            answer = self._grants.token(body, request.headers.get("authorization"))
        except OAuthError as error:
            return json_response(error.answer, error.status, {**_NO_STORE, **error.headers})
        return json_response(answer, headers=_NO_STORE)

    def _server(self, path: str) -> dict[str, Page]:
        """Return the pages of the authorization server at `path`."""

        def metadata(request: Request, _body: bytes) -> Response:
            """Return the metadata of RFC 8414."""
            issuer = address(request, self._url) + path
            answer = {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}{_AUTHORIZE}",
                "token_endpoint": f"{issuer}{_TOKEN}",
                "scopes_supported": [SCOPE],
                "response_types_supported": ["code"],
                "grant_types_supported": GRANT_TYPES,
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
            return json_response(answer)

        return {
            **{f"GET {path}{page}": metadata for page in _METADATA},
            f"GET {path}{_AUTHORIZE}": self.authorize,
            f"POST {path}{_TOKEN}": self.token,
        }
