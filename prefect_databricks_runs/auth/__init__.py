"""Ways to sign a request: one `httpx.Auth` class for each way, and one model for the form of the credentials block.

The classes compare by their secrets and never show them, so equal credentials share a client and a token. `TokenAuth`
and `BasicAuth` are here. Tokens of `_databricks`, `_azure` and `_processes` must be fetched, over HTTP (`_http`) or
from another program (`_sdk_child` is databricks-sdk in its own process). `_files` reads tokens from files.
`_web_tokens` reads in a token when it ends and whom it names. `sign_in` has the models; `_fields` reads and checks the
fields that users pass. `_places` finds the one place that counts, the environment or a profile, and `_environment`
makes the fields from it.
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
    from ._azure import EntraAuth as EntraAuth
    from ._azure import ManagedIdentityAuth as ManagedIdentityAuth
    from ._databricks import FederationAuth as FederationAuth
    from ._databricks import ServicePrincipalAuth as ServicePrincipalAuth
    from ._environment import of_environment as of_environment
    from ._fields import fault_of_names as fault_of_names
    from ._fields import hidden as hidden
    from ._fields import is_token as is_token
    from ._fields import of_connection as of_connection
    from ._fields import with_sign_in as with_sign_in
    from ._places import looked_at as looked_at
    from ._processes import UNKNOWN_SECONDS as UNKNOWN_SECONDS
    from ._processes import CommandAuth as CommandAuth
    from ._processes import ProfileAuth as ProfileAuth
    from ._web_tokens import claims_of as claims_of
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

_HOMES = {
    "sign_in": [name for name in __all__ if name not in ("BasicAuth", "TokenAuth")],
    # Not public: other rooms of the package use these.
    "_azure": ["EntraAuth", "ManagedIdentityAuth"],
    "_databricks": ["FederationAuth", "ServicePrincipalAuth"],
    "_environment": ["of_environment"],
    "_fields": ["fault_of_names", "hidden", "is_token", "of_connection", "with_sign_in"],
    "_places": ["looked_at"],
    "_processes": ["UNKNOWN_SECONDS", "CommandAuth", "ProfileAuth"],
    "_web_tokens": ["claims_of"],
}
__getattr__, __dir__ = names_of(__name__, _HOMES)


@dataclass(frozen=True)
class TokenAuth(httpx.Auth):
    """Sign in with a personal access token or another bearer token.

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
    """Sign in with login and password.

    Databricks itself ended this way to sign in on 2024-07-10. Gateways in front of it and the local workspace accept
    it.

    Attributes:
        login: The user's name.
        password: The user's password.
    """

    advice: ClassVar[str] = (
        "Check login and password in the credentials block; Databricks itself has not accepted them since July 2024."
    )

    login: str
    password: str = field(repr=False)

    def secrets(self) -> Sequence[str]:
        """Return the password and the encoded pair, which is secret even if the password is too short to search for."""
        return (self.password, self._pair())

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the `Authorization` header, which is not pickled with the request."""
        return signed(request, {"Authorization": f"Basic {self._pair()}"})

    def _pair(self) -> str:
        return base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
