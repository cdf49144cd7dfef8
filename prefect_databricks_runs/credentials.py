"""The `DatabricksCredentials` block: what a data engineer saves once in the Prefect UI."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from prefect.blocks.abstract import CredentialsBlock

from ._client.http import AnyClient, client_options, new_client
from ._prefect import portal
from ._prefect.compat import (
    REQUIRED_TEXT,
    BlockOfEitherPydantic,
    EmptySecret,
    EmptyText,
    Field,
    SecretStr,
    unknown_fields,
)
from ._prefect.references import saved_block
from .auth import BasicAuth, TokenAuth
from .errors import DatabricksConnectionError, InvalidCredentials

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_TOKEN = re.compile(r"[!-~]+")
_MASKED = re.compile(r"\*{4,}")
_EXAMPLE_HOST = "https://adb-1.2.azuredatabricks.net"
_WAYS = "Set `token`, or both `login` and `password`."


class DatabricksCredentials(BlockOfEitherPydantic, CredentialsBlock):
    """Signs in to a Databricks workspace, with a token, or with a login and a password.

    Attributes:
        host: Address of the workspace, as copied from the browser.
        token: Personal access token.
        login: User name, together with `password` instead of `token`.
        password: Password of `login`.
        request_timeout_seconds: How long to wait for an answer to one request.
        requests_per_second: How fast one process may send to the workspace.

    Example:
        Load stored credentials and run a notebook with them:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            return submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
        ```
    """

    # Prefect's own catalogue ships "Databricks Credentials" / "databricks-credentials" for another package.
    _block_type_name = "Databricks Runs Credentials"
    _block_type_slug = "databricks-runs-credentials"
    _logo_url = "https://cdn.sanity.io/images/3ugk85nk/production/ff9a2573c23954bedd27b0f420465a55b1a99dfd-250x250.png"  # type: ignore[assignment]  # a URL on either line, whose types differ
    _documentation_url = "https://docs.databricks.com/aws/en/dev-tools/auth/pat"  # type: ignore[assignment]  # as above

    host: str = Field(
        default=REQUIRED_TEXT,
        title="Host",
        # In a code span, or the UI makes a link of it, to a workspace that does not exist.
        description=f"Address of the workspace, as copied from the browser, such as `{_EXAMPLE_HOST}`.",
    )
    token: EmptySecret = Field(
        default=SecretStr(""),
        title="Token",
        description="Personal access token. A block needs this, or both a login and a password.",
    )
    login: EmptyText = Field(
        default="",
        title="Login",
        description="User name, together with a password. Leave it empty if there is a token.",
    )
    password: EmptySecret = Field(default=SecretStr(""), title="Password", description="Password of the login.")
    request_timeout_seconds: float = Field(
        default=60.0, title="Request timeout", description="Seconds to wait for an answer to one request."
    )
    requests_per_second: float = Field(
        default=10.0,
        title="Requests per second",
        description="How many requests a second one process may send to the workspace, on average.",
    )

    if not TYPE_CHECKING:  # a type checker takes the fields from above

        def __init__(self, **fields: Any) -> None:
            # Pydantic would say it before `block_initialization` can, without a word of what to give. None is what an
            # environment variable that is not set gives, and Prefect 2's form lets the field be empty.
            if not fields.get("host"):
                raise InvalidCredentials(
                    f"DatabricksCredentials has no `host`. Give the address of the workspace, such as {_EXAMPLE_HOST}."
                )
            super().__init__(**fields)

    def block_initialization(self) -> None:
        """Check and normalise; Prefect calls it on construction, on load and for a flow's parameter.

        Raises:
            InvalidCredentials: What is wrong, and what to set.
        """
        unknown = unknown_fields(self)
        if unknown:
            raise InvalidCredentials(
                f"DatabricksCredentials has no field {', '.join(map(repr, unknown))}. "
                "Its fields are host, token, login, password, request_timeout_seconds and requests_per_second."
            )
        self.host = normalize_host(self.host)
        self.token, self.password = self.token or SecretStr(""), self.password or SecretStr("")
        self.login = self.login or ""
        if not 0 < self.request_timeout_seconds < math.inf:
            raise InvalidCredentials("`request_timeout_seconds` must be above 0, and finite.")
        if not 0 < self.requests_per_second < math.inf:
            raise InvalidCredentials("`requests_per_second` must be above 0, and finite.")
        self.get_auth()

    def get_auth(self) -> TokenAuth | BasicAuth:
        """Return the `httpx.Auth` with which these credentials sign a request.

        Raises:
            InvalidCredentials: None, both, or half of a way to sign in is set.
        """
        token, password = self.token.get_secret_value().strip(), self.password.get_secret_value()
        if _MASKED.fullmatch(token or password):
            raise InvalidCredentials(
                f"The secret for {self.host} is masked (***), as it is when Prefect sends a block as data. Give the "
                'parameter as {"$ref": {"block_document_slug": "databricks-runs-credentials/NAME"}} instead.'
            )
        if token and (self.login or password):
            raise InvalidCredentials(f"Two ways to sign in to {self.host} are set. {_WAYS} Leave the others empty.")
        if token:
            if not _TOKEN.fullmatch(token):
                raise InvalidCredentials(
                    f"The token for {self.host} has a space, a line break or another character that no token has. "
                    "Copy it again."
                )
            return TokenAuth(token)
        if self.login and password:
            return BasicAuth(self.login, password)
        missing = (
            "`password` is missing" if self.login else "`login` is missing" if password else "No way to sign in is set"
        )
        raise InvalidCredentials(f"{missing} for {self.host}. {_WAYS}")

    def get_client(self) -> httpx.Client:
        """Give an authenticated `httpx.Client`; paths such as `/api/2.2/jobs/list` are enough. Close it when done."""
        return self._new_client(httpx.Client)

    def get_async_client(self) -> httpx.AsyncClient:
        """Give an authenticated `httpx.AsyncClient`; paths like `/api/2.2/jobs/list` are enough. Close it when done."""
        return self._new_client(httpx.AsyncClient)

    def _new_client(self, kind: type[AnyClient]) -> AnyClient:
        options = client_options(self.host, self.request_timeout_seconds)
        try:
            return new_client(kind, auth=self.get_auth(), **options)
        except httpx.UnsupportedProtocol as error:
            raise DatabricksConnectionError(str(error), host=self.host, method="GET", path="/") from error

    @classmethod
    def from_connection_string(cls, connection: str | Mapping[str, Any]) -> DatabricksCredentials:
        """Read the secret of the Prefect 1 tasks, `DATABRICKS_CONNECTION_STRING`.

        Args:
            connection: `{"host", "token"}` or `{"host", "login", "password"}`, as a mapping or as JSON text.

        Raises:
            InvalidCredentials: It is not JSON, no mapping, lacks a key, or has one that is not known.
        """
        if isinstance(connection, str):
            try:
                connection = json.loads(connection)
            except ValueError:  # its message would show a part of the secret
                raise InvalidCredentials("The Databricks connection string is not JSON.") from None
        if not isinstance(connection, Mapping):
            raise InvalidCredentials('The Databricks connection must be a mapping such as {"host": …, "token": …}.')
        unknown = sorted(str(key) for key in connection if key not in ("host", "token", "login", "password"))
        if unknown:
            raise InvalidCredentials(f"The Databricks connection has unknown keys: {', '.join(map(repr, unknown))}.")
        if not connection.get("host"):
            raise InvalidCredentials("The Databricks connection has no `host`.")
        wrong = sorted(key for key, value in connection.items() if not isinstance(value, (str, type(None))))
        if wrong:
            raise InvalidCredentials(f"The Databricks connection's {', '.join(map(repr, wrong))} must be text.")
        return cls(**{key: value for key, value in connection.items() if value is not None})

    @classmethod
    def from_prefect_databricks(cls, name: str) -> DatabricksCredentials:
        """Read a saved `databricks-credentials` block of the package prefect-databricks, which need not be installed.

        Args:
            name: The block's name.

        Raises:
            InvalidCredentials: There is no such block, or it signs in as a service principal.
        """
        data = portal.call(saved_block, {"block_document_slug": f"databricks-credentials/{name}"}).data
        if data.get("client_id") or data.get("client_secret"):
            raise InvalidCredentials(f"The block {name!r} signs in as a service principal, which is not supported yet.")
        return cls(host=data.get("databricks_instance") or "", token=SecretStr(data.get("token") or ""))


def normalize_host(host: str) -> str:
    """Turn an address as people paste it into `https://name[:port]`, in lower case.

    Args:
        host: With or without `https://`, path, query or trailing slash.

    Raises:
        InvalidCredentials: There is no host name in it, or it is plain `http` to another machine.
    """
    text = host.strip()
    if not text.isprintable():  # some of them would silently be left out, and what is left is another host
        raise _not_an_address("with no tab, line break or other control character in it")
    if "@" in text:
        raise _not_an_address("with no user or password in it")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_an_address(f"it is {host!r}") from None
    if parts.scheme not in ("http", "https") or not (_HOST_NAME.fullmatch(name) or _is_ip(name)):
        raise _not_an_address(f"it is {host!r}")
    if port == 0:
        raise _not_an_address("with another port than 0")
    if parts.scheme == "http" and not _is_loopback(name):
        raise InvalidCredentials(f"`host` is plain http, which would send the token in the clear. Use https://{name}.")
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def _not_an_address(what: str) -> InvalidCredentials:
    return InvalidCredentials(f"`host` must be the address of a workspace, such as {_EXAMPLE_HOST}; {what}.")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    if _is_ip(name):
        return ipaddress.ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")
