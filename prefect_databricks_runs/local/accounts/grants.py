"""The work of the token endpoint: authenticate the client by a grant, and issue a token."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from ..texts import text
from .credentials import login_and_password, split
from .federation import Federation, NotExchanged
from .oauth_tokens import OAuthTokens
from .service_principals import ServicePrincipals

SCOPE = "all-apis"
_CLIENT_CREDENTIALS = "client_credentials"
_TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the name of a grant
GRANT_TYPES = [_CLIENT_CREDENTIALS, _TOKEN_EXCHANGE]
_JWT = "urn:ietf:params:oauth:token-type:jwt"


class OAuthError(Exception):
    """An answer of the token endpoint other than 200, in the form of RFC 6749.

    Args:
        error: The error code, such as `invalid_client`.
        description: The name of its message in `texts`.
        status: The HTTP status.
        headers: Extra headers of the answer.
    """

    def __init__(
        self, error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.status = status
        self.headers = dict(headers or {})
        self.answer = {"error": error, "error_id": str(uuid.uuid4()), "error_description": text(description)}


class Grants:
    """The grants of the token endpoint.

    Args:
        service_principals: The service principals, which sign in with a secret.
        federation: Exchanges tokens of other issuers.
        tokens: Issues the access tokens.
    """

    def __init__(self, service_principals: ServicePrincipals, federation: Federation, tokens: OAuthTokens) -> None:
        self._service_principals = service_principals
        self._federation = federation
        self._tokens = tokens

    def token(self, body: bytes, authorization: str | None) -> dict[str, Any]:
        """Return the answer to a request for a token.

        Raises:
            OAuthError: The request is refused.
        """
        form = _form(body)
        is_exchange = form.get("grant_type") == _TOKEN_EXCHANGE
        owner = self._exchanging(form) if is_exchange else self._with_secret(form, authorization)
        return {
            "access_token": self._tokens.issue(owner),
            "token_type": "Bearer",
            "expires_in": int(self._tokens.seconds),
            "scope": SCOPE,
        }

    def _with_secret(self, form: Mapping[str, str], authorization: str | None) -> str:
        pairs = _clients(form, authorization)
        known = [client_id for client_id, secret in pairs if self._service_principals.knows(client_id, secret)]
        if not known:
            # RFC 6749, 5.2: name the scheme, but only if the client used the header: a browser would prompt its user.
            challenge = {"WWW-Authenticate": 'Basic realm="DatabricksRealm"'} if authorization else {}
            raise OAuthError("invalid_client", "invalid_client", 401, challenge)
        if not form.get("grant_type"):
            raise OAuthError("invalid_request", "no_grant_type")
        if form["grant_type"] != _CLIENT_CREDENTIALS:
            raise OAuthError("unsupported_grant_type", "unsupported_grant_type")
        _check_scope(form)
        return known[0]

    def _exchanging(self, form: Mapping[str, str]) -> str:
        """Return the owner of the token that a foreign token is exchanged for. No other credential is needed."""
        if not form.get("subject_token"):
            raise OAuthError("invalid_request", "no_subject_token")
        if form.get("subject_token_type") != _JWT:
            raise OAuthError("invalid_request", "bad_subject_token_type")
        _check_scope(form)
        try:
            return self._federation.owner(form["subject_token"], form.get("client_id") or None)
        except NotExchanged as error:
            raise OAuthError("invalid_grant", str(error)) from None


def _check_scope(form: Mapping[str, str]) -> None:
    if form.get("scope", "").split() != [SCOPE]:
        raise OAuthError("invalid_scope", "invalid_scope")


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "bad_form") from None
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthError("invalid_request", "bad_form")
    return {name: values[0] for name, values in fields.items()}


def _clients(form: Mapping[str, str], authorization: str | None) -> list[tuple[str, str]]:
    """Return the possible pairs of client id and secret. If there is a header, only the header counts.

    Some clients encode id and secret before they put them into the header, as RFC 6749 requires, and some do not.
    """
    if not authorization:
        return [(form.get("client_id", ""), form.get("client_secret", ""))]
    scheme, credential = split(authorization)
    pair = login_and_password(credential) if scheme == "basic" else None
    return [pair, (unquote_plus(pair[0]), unquote_plus(pair[1]))] if pair else []
