"""How a request signs in: one `httpx.Auth` class a way, and one model a way for the form of the credentials block.

The classes compare by what they sign in with, so that those who sign in alike share a client and a token, and never
show it. `TokenAuth` and `BasicAuth` are here; `_databricks`, `_azure` and `_processes` have those whose token has to be
fetched, over HTTP (`_http`) or from another program; `sign_in` has the models, and `_fields` reads what users give.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import httpx

from .._client.signing import signed
from .._lazy import names_of

if TYPE_CHECKING:
    from .sign_in import (
        AzureIdentity,
        EntraServicePrincipal,
        Federation,
        LoginAndPassword,
        PersonalToken,
        Profile,
        ServicePrincipal,
        SignIn,
        TokenCommand,
    )

__all__ = [
    "AzureIdentity",
    "BasicAuth",
    "EntraServicePrincipal",
    "Federation",
    "LoginAndPassword",
    "PersonalToken",
    "Profile",
    "ServicePrincipal",
    "SignIn",
    "TokenAuth",
    "TokenCommand",
]

__getattr__, __dir__ = names_of(
    __name__, {"sign_in": [name for name in __all__ if name not in ("BasicAuth", "TokenAuth")]}
)


@dataclass(frozen=True)
class TokenAuth(httpx.Auth):
    """A personal access token, or any other bearer token.

    Attributes:
        token: The token itself, without `Bearer`.
    """

    advice: ClassVar[str] = "Check the token in the credentials block; it may have expired or been revoked."

    token: str = field(repr=False)

    def secrets(self) -> Sequence[str]:
        """Return the token."""
        return (self.token,)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header, which is not pickled with the request."""
        return signed(request, {"Authorization": f"Bearer {self.token}"})


@dataclass(frozen=True)
class BasicAuth(httpx.Auth):
    """Login and password.

    Databricks itself ended this way to sign in on 2024-07-10; gateways before it and the local workspace still take it.

    Attributes:
        login: The user's name.
        password: The user's password.
    """

    advice: ClassVar[str] = (
        "Check login and password in the credentials block; Databricks itself takes none since 2024."
    )

    login: str
    password: str = field(repr=False)

    def secrets(self) -> Sequence[str]:
        """Return the password, and the pair as it is sent, which is one where the password is too short to look for."""
        return (self.password, self._pair())

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header, which is not pickled with the request."""
        return signed(request, {"Authorization": f"Basic {self._pair()}"})

    def _pair(self) -> str:
        return base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
