"""The short-lived tokens that a service principal gets for its client id and secret."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from .credentials import fingerprint, same


class OAuthTokens:
    """The OAuth tokens of one workspace, which has one service principal or none.

    Used only in the server's event loop.

    A token is a random text without meaning. Databricks' are signed JSON Web Tokens.

    Args:
        client_id: the service principal; None together with `client_secret` when there is none.
        client_secret: its secret.
        seconds: how long a token is good for, s.
        now: the clock, in s; only differences of its times matter.
    """

    def __init__(
        self, client_id: str | None, client_secret: str | None, seconds: float, now: Callable[[], float]
    ) -> None:
        self.seconds = seconds
        self._client_id = client_id
        self._client_secret = client_secret
        self._now = now
        self._ends: dict[bytes, float] = {}

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Return whether this is the service principal with its secret."""
        if self._client_id is None or self._client_secret is None:
            return False
        # Both are compared in any case: the time does not tell which one was wrong.
        return same(client_id, self._client_id) & same(client_secret, self._client_secret)

    def issue(self) -> str:
        """Return a new token of the service principal."""
        now = self._now()
        self._ends = {known: end for known, end in self._ends.items() if end > now}
        token = secrets.token_urlsafe(64)
        self._ends[fingerprint(token)] = now + self.seconds
        return token

    def owner(self, token: str) -> str | None:
        """Return the client id that a token was issued to; None when it was not issued here, or has expired."""
        end = self._ends.get(fingerprint(token))
        return self._client_id if end is not None and self._now() < end else None

    def expire_all(self) -> None:
        """Expire all tokens that were issued so far."""
        self._ends = {}
