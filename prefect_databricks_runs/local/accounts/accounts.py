"""Who may sign in to a workspace, put together."""

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
    """The accounts of one workspace, and what they sign in with.

    Attributes:
        account_id: the id of the account that the workspace is said to belong to.
        users: the users and their personal tokens; service principals are users too.
        service_principals: the service principals and their secrets.
        federation: which tokens of other issuers are exchanged.
        oauth_tokens: the access tokens.
        login: the login of basic sign-in; None when that is off.
        password: its password.
        token_refusal: how a refused token is answered: see `LocalWorkspace`.
        hidden: texts that no child process may find in its environment.
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
        """Return accounts of which nobody has a token or a secret yet."""
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
        """Make one more personal token for a user, who is made if new, and return it.

        Raises:
            ValueError: the token is another user's.
        """
        token = self.users.add_token(name, token)
        self.hide("token", token)
        return token

    def add_secret(self, client_id: str, client_secret: str | None, *, keep_old: bool = True) -> str:
        """Make a secret for a service principal, which is made if new, and return it.

        Raises:
            ValueError: it would have too many.
        """
        client_secret = self.service_principals.add_secret(client_id, client_secret, keep_old=keep_old)
        self.users.add(client_id, is_service_principal=True)
        self.hide(client_id, client_secret)
        return client_secret

    def hide(self, name: str, secret: str) -> None:
        """Keep a secret out of the environment of tasks, also as it stands in a basic sign-in, in base64."""
        self.hidden.extend((secret, f"{name}:{secret}"))
