"""How a request signs in: one `httpx.Auth` class a way.

They compare by what they sign in with, so that those who sign in alike can share a client, and never show it.
"""

from __future__ import annotations

import base64
from collections.abc import Generator
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class TokenAuth(httpx.Auth):
    """A personal access token, or any other bearer token.

    Attributes:
        token: The token itself, without `Bearer`.
    """

    token: str = field(repr=False)

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

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header."""
        pair = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
        request.headers["Authorization"] = f"Basic {pair}"
        yield request
