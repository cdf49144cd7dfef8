"""The accounts of a workspace, for tests: users, service principals, tokens, federation policies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from .accounts.accounts import Accounts
from .accounts.federation import DEFAULT_ISSUER
from .accounts.users import USER


class AccountControls:
    """The part of a `LocalWorkspace` that manages its accounts and their credentials.

    Args:
        accounts: The accounts of the workspace.
        token: The personal access token of the workspace's own user; None or empty = a random token.
        client_id: The client id of a service principal; None or empty = no service principal at first.
        client_secret: The secret of the service principal.

    Attributes:
        token: The token that clients need.
        login: The login of basic sign-in; None when it is off.
        password: The password of basic sign-in; None when it is off.
        client_id: The client id of the service principal; None without one.
        client_secret: The newest secret of the service principal; None without one.
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
        """The id of the workspace's account: the default audience of identity tokens."""
        return self._accounts.account_id

    def add_user(self, name: str, token: str | None = None) -> str:
        """Add a personal access token for a user and return it. A user may have several tokens.

        The user's name is the `creator_user_name` of the user's jobs and runs. All users may do everything.

        Args:
            name: The user name, such as `anna@example.com`. A new name adds a user.
            token: The token; None = a random token.

        Raises:
            ValueError: The name is empty, or the token is another user's.
        """
        if not name:
            raise ValueError("A user needs a name")
        return self._accounts.add_token(name, token)

    def revoke_token(self, token: str) -> None:
        """Revoke a personal access token, as if it had expired: requests with it get 403.

        Args:
            token: The token. An unknown token is ignored.
        """
        self._accounts.users.remove_token(token)

    def add_service_principal(self, client_id: str, client_secret: str | None = None) -> str:
        """Add a secret for a service principal and return it. A service principal may have up to five secrets.

        Pass the client id to `revoke_client_secret`, `rotate_client_secret` and `remove_service_principal`.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                secret = workspace.add_service_principal("nightly-etl")
                workspace.revoke_client_secret("nightly-etl", secret)
            ```

        Args:
            client_id: The client id. A new client id adds a service principal.
            client_secret: The secret; None = a random secret.

        Raises:
            ValueError: The client id is empty, or the service principal has five secrets already.
        """
        if not client_id:
            raise ValueError("A service principal needs a client_id")
        return self._accounts.add_secret(client_id, client_secret)

    def rotate_client_secret(
        self, client_id: str | None = None, client_secret: str | None = None, *, keep_old: bool = False
    ) -> str:
        """Replace the secrets of a service principal with a new secret and return it.

        Access tokens issued for an old secret stay valid, as on Databricks; `expire_tokens()` ends them.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace(client_id="nightly-etl", client_secret="old") as workspace:
                assert workspace.rotate_client_secret(client_secret="new") == workspace.client_secret
            ```

        Args:
            client_id: The service principal; None = the service principal of the constructor.
            client_secret: The new secret; None = a random secret.
            keep_old: Whether the old secrets stay valid until they are revoked. Otherwise they are refused from now on.

        Raises:
            ValueError: The service principal does not exist, or would have more than five secrets.
        """
        client_id = self._service_principal(client_id)
        secret = self._accounts.add_secret(client_id, client_secret, keep_old=keep_old)
        if client_id == self.client_id:
            self.client_secret = secret
        return secret

    def revoke_client_secret(self, client_id: str, client_secret: str) -> None:
        """Revoke one secret of a service principal: no further tokens are issued for it.

        Args:
            client_id: The service principal.
            client_secret: The secret. An unknown secret is ignored.
        """
        self._accounts.service_principals.remove_secret(client_id, client_secret)

    def remove_service_principal(self, client_id: str) -> None:
        """Remove a service principal with its secrets, its tokens and its federation policies.

        Args:
            client_id: The service principal. An unknown client id is ignored.
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
        """Expire all OAuth tokens issued so far. Personal access tokens stay valid.

        Requests with an expired token get 403, and the client has to fetch a new one.
        """
        self._accounts.oauth_tokens.expire_all()

    def issue_token(
        self, seconds: float | None = None, *, user: str | None = None, early_seconds: float | None = None
    ) -> str:
        """Return a new access token, as Microsoft Entra ID, a managed identity or a command line issues it.

        It is a JSON Web Token. Requests with it are accepted until it ends.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                token = workspace.issue_token(seconds=60)
            ```

        Args:
            seconds: The lifetime that the token states; None = `oauth_token_seconds`.
            user: A user name or client id. A new name adds a user. None = the service principal of the constructor, or
                without one the workspace's own user.
            early_seconds: The number of seconds by which the token really ends earlier; None =
                `oauth_token_early_seconds`.

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
        """Add a policy by which identity tokens are exchanged for access tokens, and return its id.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                workspace.add_service_principal("nightly-etl")
                workspace.add_federation_policy(client_id="nightly-etl", subject="repo:acme/etl")
                subject_token = workspace.issue_identity_token("repo:acme/etl")
            ```

        Args:
            client_id: The service principal that a token signs in; None = a policy of the whole account, where the
                token's subject names the user or the service principal.
            subject: The subject that a token must have. Required for a policy of a service principal, not allowed for a
                policy of the whole account.
            audiences: The audiences, one of which a token must have; None = `account_id`.
            issuer: The issuer that a token must have.
            subject_claim: The claim of the token that is its subject.

        Raises:
            ValueError: The service principal does not exist, `subject` is missing or not allowed, or another argument
                is empty.
        """
        if client_id is not None:
            client_id = self._service_principal(client_id)
        return self._accounts.federation.add(
            issuer=issuer, subject=subject, audiences=audiences, subject_claim=subject_claim, client_id=client_id
        )

    def remove_federation_policy(self, policy_id: str) -> None:
        """Remove a federation policy. Access tokens issued by it stay valid.

        Args:
            policy_id: The id that `add_federation_policy` returned. An unknown id is ignored.
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
        """Return a new identity token, as GitHub, Kubernetes or another platform issues it for its workloads.

        It is a JSON Web Token that only this workspace accepts. The workspace exchanges it for an access token if a
        federation policy matches.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                token = workspace.issue_identity_token("repo:acme/etl", audience="databricks", seconds=60)
            ```

        Args:
            subject: The claim `sub`.
            audience: The claim `aud`; None = `account_id`.
            seconds: The time in which the token can be exchanged, in seconds.
            issuer: The claim `iss`.
            claims: Further claims. They win over the claims above.

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
