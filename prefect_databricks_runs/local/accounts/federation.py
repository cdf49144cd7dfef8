"""Token federation: exchange tokens of other issuers for access tokens, by policies."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .users import Users
from .web_tokens import WebTokens

DEFAULT_ISSUER = "https://identity.localhost"


class NotExchanged(Exception):
    """A subject token gets no access token. The message is the name of the reason in `texts`."""


@dataclass(frozen=True)
class FederationPolicy:
    """The claims that a token must have. The fields are those of `OidcFederationPolicy` of Databricks, and `client_id`.

    Attributes:
        issuer: The value of the claim `iss`.
        audiences: The values of which the claim `aud` has at least one.
        subject: The value of the claim `subject_claim`; None for a policy of the whole account, where the claim names
            the user.
        subject_claim: The claim that has the subject.
        client_id: The service principal; None for a policy of the whole account.

    Raises:
        ValueError: A policy of a service principal has no subject, or a policy of the whole account has one.
    """

    issuer: str
    audiences: tuple[str, ...]
    subject: str | None
    subject_claim: str
    client_id: str | None

    def __post_init__(self) -> None:
        if self.client_id is not None and not self.subject:
            raise ValueError(f"The federation policy of the service principal {self.client_id} needs a subject")
        if self.client_id is None and self.subject is not None:
            raise ValueError("A federation policy of the whole account cannot have a subject: set a client_id too")
        if not all((self.issuer, self.subject_claim, *self.audiences)) or not self.audiences:
            raise ValueError("The issuer, the audiences and the subject_claim of a federation policy cannot be empty")

    def accepts(self, claims: Mapping[str, Any]) -> bool:
        """Return whether the policy accepts a token with these claims."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        return (
            claims.get("iss") == self.issuer
            and any(each in self.audiences for each in audiences)
            and (self.subject is None or claims.get(self.subject_claim) == self.subject)
        )


class Federation:
    """The federation policies of one workspace, and identity tokens like those of other issuers.

    Safe to use in any thread.

    Args:
        users: The users. A policy of the whole account signs in the user that the token names.
        account_id: The default audience of tokens and policies.
        now: The clock, in seconds since 1970.
    """

    def __init__(self, users: Users, account_id: str, now: Callable[[], float]) -> None:
        self._users = users
        self._account_id = account_id
        self._now = now
        self._web_tokens = WebTokens()
        self._policies: dict[str, FederationPolicy] = {}
        self._lock = threading.Lock()

    def add(
        self,
        *,
        issuer: str,
        subject: str | None,
        audiences: Iterable[str] | None,
        subject_claim: str,
        client_id: str | None,
    ) -> str:
        """Add a policy and return its id.

        Raises:
            ValueError: The policy is not valid.
        """
        named = (self._account_id,) if audiences is None else tuple(audiences)
        policy = FederationPolicy(issuer, named, subject, subject_claim, client_id)
        policy_id = str(uuid.uuid4())
        with self._lock:
            self._policies = {**self._policies, policy_id: policy}
        return policy_id

    def remove(self, policy_id: str) -> None:
        """Remove the policy with this id, if there is one."""
        with self._lock:
            self._policies = {key: one for key, one in self._policies.items() if key != policy_id}

    def remove_of(self, client_id: str) -> None:
        """Remove the policies of a service principal."""
        with self._lock:
            self._policies = {key: one for key, one in self._policies.items() if one.client_id != client_id}

    def issue(
        self, subject: str, audience: str | None, seconds: float, issuer: str, claims: Mapping[str, Any] | None
    ) -> str:
        """Return a new identity token; without an audience, for the account."""
        now = self._now()
        return self._web_tokens.sign(
            {
                "iss": issuer,
                "sub": subject,
                "aud": self._account_id if audience is None else audience,
                "iat": int(now),
                "exp": int(now + seconds),
                "jti": secrets.token_hex(16),
                **(claims or {}),
            }
        )

    def owner(self, subject_token: str, client_id: str | None) -> str:
        """Return the owner of the access token that a subject token is exchanged for.

        Args:
            subject_token: The identity token.
            client_id: The service principal whose policies count; None = the policies of the whole account.

        Raises:
            NotExchanged: The token was not signed here, has expired, or matches no policy.
        """
        claims = self._web_tokens.read(subject_token)
        if claims is None:
            raise NotExchanged("subject_token_not_signed")
        if not _is_current(claims, self._now()):
            raise NotExchanged("subject_token_ended")
        fitting = [each for each in self._policies.values() if each.client_id == client_id and each.accepts(claims)]
        if not fitting:
            raise NotExchanged("no_federation_policy")
        if client_id is not None:
            return client_id
        names = [str(claims.get(each.subject_claim)) for each in fitting]
        known = [name for name in names if self._users.exists(name)]
        if not known:
            raise NotExchanged("no_federated_user")
        return known[0]


def _is_current(claims: Mapping[str, Any], now: float) -> bool:
    begin, end = claims.get("nbf", 0), claims.get("exp")
    return isinstance(begin, (int, float)) and isinstance(end, (int, float)) and begin <= now < end
