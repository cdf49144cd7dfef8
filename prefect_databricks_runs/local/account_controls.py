"""What a test tells a workspace about who may sign in: users, service principals, tokens, federation policies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from .accounts.accounts import Accounts
from .accounts.federation import DEFAULT_ISSUER
from .accounts.users import USER


class AccountControls:
    """The part of a `LocalWorkspace` that says who may sign in, and with what.

    Args:
        accounts: the accounts of the workspace.
        token: the personal access token of the workspace's own user; a random one when None or empty.
        client_id: the client id of a service principal; None or empty = there is none at first.
        client_secret: its secret.

    Attributes:
        token: the token that clients need.
        login: the login of basic sign-in; None when that is off.
        password: its password; None when that is off.
        client_id: the client id of the service principal; None when there is none.
        client_secret: its newest secret; None when there is none.
    """

    def __init__(self, accounts: Accounts, token: str | None, client_id: str | None, client_secret: str | None) -> None:
        self._accounts = accounts
        self.token = accounts.add_token(USER, token)
        self.login = accounts.login
        self.password = accounts.password
        self.client_id = client_id or None
        self.client_secret = client_secret or None
        if self.client_id:
            accounts.add_secret(self.client_id, self.client_secret)

    @property
    def account_id(self) -> str:
        """The id of the account of the workspace: the audience of identity tokens that name no other."""
        return self._accounts.account_id

    def add_user(self, name: str, token: str | None = None) -> str:
        """Make a personal access token for a user and return it; a user may have several.

        What a user makes and starts carries the name as `creator_user_name`. All users may do everything.

        Args:
            name: the user name, such as `anna@example.com`; a new one makes a new user.
            token: the token; a random one when None.

        Raises:
            ValueError: the name is empty, or the token is another user's.
        """
        if not name:
            raise ValueError("A user needs a name")
        return self._accounts.add_token(name, token)

    def revoke_token(self, token: str) -> None:
        """Revoke a personal access token, as if it had expired: a request with it gets 403.

        Args:
            token: the token; one that nobody has changes nothing.
        """
        self._accounts.users.remove_token(token)

    def add_service_principal(self, client_id: str, client_secret: str | None = None) -> str:
        """Make a secret for a service principal and return it; a service principal may have up to five.

        Pass its client id to `revoke_client_secret`, `rotate_client_secret` and `remove_service_principal`.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                secret = workspace.add_service_principal("nightly-etl")
                workspace.revoke_client_secret("nightly-etl", secret)
            ```

        Args:
            client_id: the client id; a new one makes a new service principal.
            client_secret: the secret; a random one when None.

        Raises:
            ValueError: the client id is empty, or the service principal has five secrets.
        """
        if not client_id:
            raise ValueError("A service principal needs a client_id")
        return self._accounts.add_secret(client_id, client_secret)

    def rotate_client_secret(
        self, client_id: str | None = None, client_secret: str | None = None, *, keep_old: bool = False
    ) -> str:
        """Replace the secrets of a service principal with a new one and return it.

        Access tokens that were issued for the old secret stay valid, as on Databricks: `expire_tokens()` ends them.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace(client_id="nightly-etl", client_secret="old") as workspace:
                assert workspace.rotate_client_secret(client_secret="new") == workspace.client_secret
            ```

        Args:
            client_id: the service principal; None = the one of the constructor.
            client_secret: the new secret; a random one when None.
            keep_old: whether the secrets that it has stay valid, until they are revoked. Otherwise they are refused
                from now on.

        Raises:
            ValueError: there is no such service principal, or it would have more than five secrets.
        """
        client_id = self._service_principal(client_id)
        secret = self._accounts.add_secret(client_id, client_secret, keep_old=keep_old)
        if client_id == self.client_id:
            self.client_secret = secret
        return secret

    def revoke_client_secret(self, client_id: str, client_secret: str) -> None:
        """Revoke one secret of a service principal: no token is issued for it any more.

        Args:
            client_id: the service principal.
            client_secret: the secret; one that it does not have changes nothing.
        """
        self._accounts.service_principals.remove_secret(client_id, client_secret)

    def remove_service_principal(self, client_id: str) -> None:
        """Remove a service principal with its secrets, its tokens and its federation policies.

        Args:
            client_id: the service principal; one that does not exist changes nothing.
        """
        accounts = self._accounts
        if not accounts.service_principals.exists(client_id):
            return
        if client_id == self.client_id:
            self.client_id = self.client_secret = None
        accounts.service_principals.remove(client_id)
        accounts.federation.remove_of(client_id)
        accounts.oauth_tokens.expire_all(client_id)
        accounts.users.remove(client_id)

    def expire_tokens(self) -> None:
        """Expire all OAuth tokens that were issued so far; personal access tokens stay valid.

        The tokens of a service principal get 403 from then on, and a client has to ask for a new one.
        """
        self._accounts.oauth_tokens.expire_all()

    def issue_token(
        self, seconds: float | None = None, *, user: str | None = None, early_seconds: float | None = None
    ) -> str:
        """Return a new access token, as Microsoft Entra ID, a managed identity or a command line would make it.

        It is a JSON Web Token, and requests with it are accepted until it ends.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                token = workspace.issue_token(seconds=60)
            ```

        Args:
            seconds: the lifetime that the token states; None = `oauth_token_seconds`.
            user: a user name or client id; a new one makes a new user. None = the service principal of the
                constructor, or without it the workspace's own user.
            early_seconds: how much earlier it really ends; None = `oauth_token_early_seconds`.

        Raises:
            ValueError: `seconds` is not positive and finite, or `early_seconds` is negative.
        """
        if seconds is not None:
            _check_seconds(seconds)
        if early_seconds is not None and not 0 <= early_seconds < math.inf:
            raise ValueError(f"early_seconds must not be negative, it is {early_seconds}")
        owner = user or self.client_id or USER
        self._accounts.users.add(owner)
        token = self._accounts.oauth_tokens.issue(owner, seconds, early_seconds)
        self._accounts.hide("token", token)
        return token

    def add_federation_policy(
        self,
        *,
        client_id: str | None = None,
        subject: str | None = None,
        audiences: Iterable[str] | None = None,
        issuer: str = DEFAULT_ISSUER,
        subject_claim: str = "sub",
    ) -> str:
        """Let identity tokens be exchanged for access tokens, and return the id of the policy.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                workspace.add_service_principal("nightly-etl")
                workspace.add_federation_policy(client_id="nightly-etl", subject="repo:acme/etl")
                subject_token = workspace.issue_identity_token("repo:acme/etl")
            ```

        Args:
            client_id: the service principal that a token signs in; None = a policy of the whole account, where the
                token's subject names the user or the service principal.
            subject: the subject that a token must have. A policy of a service principal needs one, and a policy of the
                whole account cannot have one.
            audiences: a token must be for one of these; None = for `account_id`.
            issuer: the issuer that a token must have.
            subject_claim: the claim of the token that is its subject.

        Raises:
            ValueError: there is no such service principal, `subject` is missing or must not be there, or another
                argument is empty.
        """
        if client_id is not None:
            client_id = self._service_principal(client_id)
        return self._accounts.federation.add(
            issuer=issuer, subject=subject, audiences=audiences, subject_claim=subject_claim, client_id=client_id
        )

    def remove_federation_policy(self, policy_id: str) -> None:
        """Remove a federation policy; access tokens that were issued by it stay valid.

        Args:
            policy_id: the id that `add_federation_policy` returned; one that does not exist changes nothing.
        """
        self._accounts.federation.remove(policy_id)

    def issue_identity_token(
        self,
        subject: str,
        *,
        audience: str | None = None,
        seconds: float = 300.0,
        issuer: str = DEFAULT_ISSUER,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a new identity token, as GitHub, Kubernetes or another platform makes it for its workloads.

        It is a JSON Web Token. Only this workspace accepts it: it exchanges it for an access token if a federation
        policy fits.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                token = workspace.issue_identity_token("repo:acme/etl", audience="databricks", seconds=60)
            ```

        Args:
            subject: the claim `sub`.
            audience: the claim `aud`; None = `account_id`.
            seconds: how long it can be exchanged.
            issuer: the claim `iss`.
            claims: further claims, or others than these.

        Raises:
            ValueError: `seconds` is not positive and finite.
        """
        _check_seconds(seconds)
        token = self._accounts.federation.issue(subject, audience, seconds, issuer, claims)
        self._accounts.hide("token", token)
        return token

    def _service_principal(self, client_id: str | None) -> str:
        client_id = client_id or self.client_id
        if client_id is None or not self._accounts.service_principals.exists(client_id):
            raise ValueError(f"There is no service principal {client_id or '(the workspace was made without one)'}")
        return client_id


def _check_seconds(seconds: float) -> None:
    if not 0 < seconds < math.inf:
        raise ValueError(f"seconds must be positive and finite, it is {seconds}")
