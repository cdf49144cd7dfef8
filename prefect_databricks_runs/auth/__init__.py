"""How a request signs in: one `httpx.Auth` class a way.

They compare by what they sign in with, so that those who sign in alike can share a client, and never show it.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import httpx


class SignedHeaders(httpx.Headers):
    """Headers of a request that are pickled without `Authorization`: errors of httpx keep their request."""

    def __reduce__(self) -> tuple[type[httpx.Headers], tuple[list[tuple[bytes, bytes]]]]:
        """Pickle as plain headers, with all that is no secret."""
        return httpx.Headers, ([each for each in self.raw if each[0].lower() != b"authorization"],)

    def __deepcopy__(self, _memo: object) -> SignedHeaders:
        """Copy all of them: who copies a request in this process wants to send it."""
        return SignedHeaders(self)

    def __copy__(self) -> SignedHeaders:
        """Copy all of them."""
        return SignedHeaders(self)


def hide_in_pickles(request: httpx.Request) -> None:
    """Let a request be pickled without its `Authorization` header; an event hook of clients, for redirects too."""
    request.headers = SignedHeaders(request.headers)


async def ahide_in_pickles(request: httpx.Request) -> None:
    """Do as `hide_in_pickles` does, as an event hook of async clients."""
    hide_in_pickles(request)


def _signed(request: httpx.Request, value: str) -> Generator[httpx.Request, httpx.Response, None]:
    """Send a request with an `Authorization` header, and let none of what is kept of it be pickled with that."""
    request.headers["Authorization"] = value
    hide_in_pickles(request)
    response = yield request
    if response.next_request:  # where a redirect leads that was not followed
        hide_in_pickles(response.next_request)


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
        """Add the `Authorization` header, which is not pickled with the request."""
        return _signed(request, f"Bearer {self.token}")


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
        """Add the `Authorization` header, which is not pickled with the request."""
        return _signed(request, f"Basic {self._pair()}")

    def _pair(self) -> str:
        return base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
