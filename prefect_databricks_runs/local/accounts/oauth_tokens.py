"""The short-lived access tokens that a workspace accepts."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from .credentials import fingerprint
from .web_tokens import WebTokens

ISSUER = "https://workspace.localhost/oidc"


class OAuthTokens:
    """The OAuth tokens of one workspace. Safe to use in any thread.

    A token is a JSON Web Token, as on Databricks, and is valid only while it is also known here.

    Args:
        seconds: The lifetime of a token, in seconds.
        early_seconds: The number of seconds by which a token ends before the end that it states.
        now: The clock, in seconds since 1970.
    """

    def __init__(self, seconds: float, early_seconds: float, now: Callable[[], float]) -> None:
        self.seconds = seconds
        self._early_seconds = early_seconds
        self._now = now
        self._web_tokens = WebTokens()
        self._known: dict[bytes, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def issue(self, owner: str, seconds: float | None = None, early_seconds: float | None = None) -> str:
        """Return a new token.

        Args:
            owner: The name of the user, or the client id of the service principal.
            seconds: The lifetime that the token states; None = the default.
            early_seconds: The number of seconds by which it really ends earlier; None = the default.
        """
        now = self._now()
        seconds = self.seconds if seconds is None else seconds
        early = self._early_seconds if early_seconds is None else early_seconds
        token = self._web_tokens.sign(
            {"iss": ISSUER, "sub": owner, "iat": int(now), "exp": int(now + seconds), "jti": secrets.token_hex(16)}
        )
        with self._lock:
            self._known = {known: entry for known, entry in self._known.items() if entry[1] > now}
            self._known[fingerprint(token)] = (owner, now + seconds - early)
        return token

    def owner(self, token: str) -> str | None:
        """Return the owner of a token; None if it was not issued here or has expired."""
        owner, end = self._known.get(fingerprint(token), (None, 0.0))
        return owner if self._now() < end else None

    def expire_all(self, owner: str | None = None) -> None:
        """Expire the tokens issued so far: all tokens, or the tokens of one owner."""
        with self._lock:
            self._known = {} if owner is None else {key: one for key, one in self._known.items() if one[0] != owner}
