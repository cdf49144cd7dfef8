"""How a request signs in: one `httpx.Auth` class a way.

They compare by what they sign in with, so that those who sign in alike can share a client, and never show it.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import httpx


@runtime_checkable
class KnowsItsSecrets(Protocol):
    """A way to sign in that says what must not be shown of it, so that it is taken out of what Databricks answers."""

    def secrets(self) -> Sequence[str]:
        """Return every secret that it has now, and what it sends that holds one in another form."""
        ...


def secrets_of(auth: httpx.Auth) -> Sequence[str]:
    """Return the secrets that a way to sign in has now; none if it does not say."""
    return tuple(auth.secrets()) if isinstance(auth, KnowsItsSecrets) else ()


@dataclass(frozen=True)
class TokenAuth(httpx.Auth):
    """A personal access token, or any other bearer token.

    Attributes:
        token: The token itself, without `Bearer`.
    """

    token: str = field(repr=False)

    def secrets(self) -> Sequence[str]:
        """Return the token."""
        return (self.token,)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


@dataclass(frozen=True)
class BasicAuth(httpx.Auth):
    """Login and password.

    Databricks itself ended this way to sign in on 2024-07-10; gateways before it and the local workspace still take it.

    Attributes:
        login: The user's name.
        password: The user's password.
    """

    login: str
    password: str = field(repr=False)

    def secrets(self) -> Sequence[str]:
        """Return the password, and the pair as it is sent, which is one where the password is too short to look for."""
        return (self.password, self._pair())

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header."""
        request.headers["Authorization"] = f"Basic {self._pair()}"
        yield request

    def _pair(self) -> str:
        return base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
