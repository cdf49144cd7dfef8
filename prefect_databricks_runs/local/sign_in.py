"""Who may ask: a token, or a login with its password."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from .errors import bad_password, bad_token, no_credential

USER = "someone@localhost"


@dataclass(frozen=True)
class SignIn:
    """What lets a client in.

    Attributes:
        token: the personal access token.
        login: the login; None together with `password` when there is no such way in.
        password: its password.
    """

    token: str = field(repr=False)
    login: str | None = None
    password: str | None = field(default=None, repr=False)

    def check(self, authorization: str | None) -> str:
        """Lets a request pass by its `Authorization` header, and returns the name of who asks.

        Raises:
            ApiError: it has none that can be used (401), or a wrong one (403 for a token, 401 for a password).
        """
        scheme, _, credential = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            if not _same(credential.strip(), self.token):
                raise bad_token()
        elif scheme.lower() == "basic":
            self._check_basic(credential.strip())
        else:
            raise no_credential()
        return USER

    def _check_basic(self, credential: str) -> None:
        try:
            login, _, password = base64.b64decode(credential, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            raise no_credential() from None
        if login == "token":  # Databricks takes a token in this form too
            if not _same(password, self.token):
                raise bad_token()
        elif self.login is None or self.password is None:
            raise no_credential()
        elif not (_same(login, self.login) and _same(password, self.password)):
            raise bad_password()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8"), wanted.encode("utf-8"))
