"""Who may ask: the owner of a token, or whoever knows a login and its password."""

from __future__ import annotations

from ..web.errors import bad_password, bad_token, no_credential
from .credentials import login_and_password, same, split
from .oauth_tokens import OAuthTokens
from .users import USER, Users


class SignIn:
    """What lets a client in.

    Args:
        users: the users and their personal tokens.
        oauth_tokens: the tokens of the service principal.
        login: the login; None together with `password` when there is no such way in.
        password: its password.
    """

    def __init__(
        self, users: Users, oauth_tokens: OAuthTokens, login: str | None = None, password: str | None = None
    ) -> None:
        self._users = users
        self._oauth_tokens = oauth_tokens
        self._login = login
        self._password = password

    def check(self, authorization: str | None) -> str:
        """Check the `Authorization` header of a request, and return the name of its user.

        Raises:
            ApiError: it has none that can be used (401), or a wrong one (403 for a token, also for one that has
                expired; 401 for a password).
        """
        scheme, credential = split(authorization)
        if scheme == "bearer":
            return self._owner(credential)
        if scheme == "basic":
            return self._check_basic(credential)
        raise no_credential()

    def _owner(self, token: str) -> str:
        user = self._users.of_token(token)
        name = user.name if user else self._oauth_tokens.owner(token)
        if name is None:
            raise bad_token()
        return name

    def _check_basic(self, credential: str) -> str:
        pair = login_and_password(credential)
        if pair is None:
            raise no_credential()
        login, password = pair
        if login == "token":  # Databricks takes a token in this form too
            return self._owner(password)
        if self._login is None or self._password is None:
            raise no_credential()
        if not (same(login, self._login) & same(password, self._password)):
            raise bad_password()
        return USER
