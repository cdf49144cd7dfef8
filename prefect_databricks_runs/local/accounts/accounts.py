"""The accounts of a workspace, put together."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from .federation import Federation
from .oauth_tokens import OAuthTokens
from .service_principals import ServicePrincipals
from .users import USER, Users


@dataclass(frozen=True, repr=False)  # it holds secrets
class Accounts:
    """The accounts of one workspace, with their credentials.

    Attributes:
        account_id: The id of the account that the workspace belongs to.
        users: The users and their personal tokens. Service principals are users too.
        service_principals: The service principals and their secrets.
        federation: Exchanges tokens of other issuers.
        oauth_tokens: The access tokens.
        login: The login of basic sign-in; None when it is off.
        password: The password of basic sign-in; None when it is off.
        token_refusal: The answer to a refused token: see `LocalWorkspace`.
        hidden: Strings that must not be in the environment of a child process.
    """

    account_id: str
    users: Users
    service_principals: ServicePrincipals
    federation: Federation
    oauth_tokens: OAuthTokens
    login: str | None
    password: str | None
    token_refusal: str
    hidden: list[str] = field(default_factory=list)

    @classmethod
    def made(
        cls,
        *,
        login: str | None,
        password: str | None,
        token_refusal: str,
        oauth_token_seconds: float,
        oauth_token_early_seconds: float,
        now: Callable[[], float],
    ) -> Accounts:
        """Return new accounts, without any token or secret yet."""
        account_id, users = str(uuid.uuid4()), Users()
        users.add(USER)
        accounts = cls(
            account_id=account_id,
            users=users,
            service_principals=ServicePrincipals(),
            federation=Federation(users, account_id, now),
            oauth_tokens=OAuthTokens(oauth_token_seconds, oauth_token_early_seconds, now),
            login=login,
            password=password,
            token_refusal=token_refusal,
        )
        if login and password:
            accounts.hide(login, password)
        return accounts

    def add_token(self, name: str, token: str | None) -> str:
        """Add a personal token for a user, and the user if new, and return the token.

        Raises:
            ValueError: The token is another user's.
        """
        token = self.users.add_token(name, token)
        self.hide("token", token)
        return token

    def add_secret(self, client_id: str, client_secret: str | None, *, keep_old: bool = True) -> str:
        """Add a secret for a service principal, and the service principal if new, and return the secret.

        Raises:
            ValueError: It would have too many secrets.
        """
        client_secret = self.service_principals.add_secret(client_id, client_secret, keep_old=keep_old)
        self.users.add(client_id, is_service_principal=True)
        self.hide(client_id, client_secret)
        return client_secret

    def hide(self, name: str, secret: str) -> None:
        """Keep a secret out of the environment of tasks, also in the form of basic sign-in, `name:secret`."""
        self.hidden.extend((secret, f"{name}:{secret}"))
