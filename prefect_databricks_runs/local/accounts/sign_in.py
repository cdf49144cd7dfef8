"""Sign-in by a token, or by a login and its password."""

from __future__ import annotations

from starlette.requests import Request

from ..web.errors import bad_password, bad_token, no_credential, not_authorized
from ..web.request_log import MANAGEMENT_TOKEN, RESOURCE_ID
from .accounts import Accounts
from .credentials import login_and_password, same, split
from .users import USER


class SignIn:
    """The check of the credentials in a request.

    Args:
        accounts: The accounts that may sign in.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def check(self, request: Request) -> str:
        """Check the credentials in the headers of a request, and return the name of its user.

        Raises:
            ApiError: There are no usable credentials (401); the token is wrong or has expired (403); the password is
                wrong (401); or the request names a resource of Azure without a management token (403).
        """
        scheme, credential = split(request.headers.get("authorization"))
        if scheme == "bearer":
            name = self._owner(credential, request)
        elif scheme == "basic":
            name = self._check_basic(credential, request)
        else:
            raise no_credential()
        # A management token without a resource is fine: databricks-sdk sends it to every workspace.
        if request.headers.get(RESOURCE_ID) and not request.headers.get(MANAGEMENT_TOKEN):
            raise not_authorized()
        return name

    def _owner(self, token: str, request: Request) -> str:
        user = self._accounts.users.of_token(token)
        name = user.name if user else self._accounts.oauth_tokens.owner(token)
        if name is None:
            raise bad_token(self._accounts.token_refusal, request.scope["path"])
        return name

    def _check_basic(self, credential: str, request: Request) -> str:
        pair = login_and_password(credential)
        if pair is None:
            raise no_credential()
        login, password = pair
        if login == "token":  # Databricks takes a token in this form too
            return self._owner(password, request)
        if self._accounts.login is None or self._accounts.password is None:
            raise no_credential()
        if not (same(login, self._accounts.login) & same(password, self._accounts.password)):
            raise bad_password()
        return USER
