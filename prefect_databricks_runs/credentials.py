"""The `DatabricksCredentials` block: what a data engineer saves once in the Prefect UI."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from prefect.blocks.abstract import CredentialsBlock
from typing_extensions import Self

from ._client.http import AnyClient, client_options, is_loopback, new_client
from ._prefect import portal
from ._prefect.compat import (
    REQUIRED_TEXT,
    BlockOfEitherPydantic,
    EmptySecret,
    EmptyText,
    Field,
    SecretStr,
    ValidationError,
    field_names,
    what_is_wrong,
)
from ._prefect.references import saved_block
from .auth import BasicAuth, TokenAuth, ahide_in_pickles, hide_in_pickles
from .auth._fields import fault_of_names, hidden, is_token, of_connection, way_to_sign_in
from .errors import DatabricksConnectionError, InvalidCredentials

_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_EXAMPLE_HOST = "https://adb-1.2.azuredatabricks.net"
_NO_ADDRESS = "what it is now is not one, and not shown, for it may be a token"


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

        def __new__(cls, **fields: Any) -> Self:
            """Make a block that Prefect 2 puts the fields into before they are checked, where its `repr` shows them."""
            return super().__new__(cls, **hidden(fields, field_names(cls))[0])

        def __init__(self, **fields: Any) -> None:
            # An exception may be shown with the variables of its frames: none has a secret in plain, and where one may
            # stand in the wrong place, none has a field.
            known = field_names(type(self))
            unknown = fault_of_names(fields, known)
            fields, fault = hidden(fields, known)
            try:
                fault = fault or _fault_of_host(fields.get("host"), fields.get("token")) or unknown
                if not fault:
                    super().__init__(**fields)
            except ValidationError as error:  # it has what was given in it, and pickles with that
                fault = f"DatabricksCredentials cannot be made of this: {what_is_wrong(error)}."
            if fault:
                fields.clear()
                vars(self).clear()
                raise InvalidCredentials(fault)

    def block_initialization(self) -> None:
        """Check and normalise; Prefect calls it on construction, on load and for a flow's parameter.

        Raises:
            InvalidCredentials: What is wrong, and what to set.
        """
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
        way = way_to_sign_in(self.host, self.token, self.login, self.password)
        if isinstance(way, str):
            raise InvalidCredentials(way)
        return way

    def get_client(self) -> httpx.Client:
        """Return an authenticated `httpx.Client`; paths such as `/api/2.2/jobs/list` are enough. Close it after use.

        Raises:
            DatabricksConnectionError: The environment names a proxy that cannot be used.
        """
        return self._new_client(httpx.Client, hide_in_pickles)

    def get_async_client(self) -> httpx.AsyncClient:
        """Return an authenticated `httpx.AsyncClient`; paths like `/api/2.2/jobs/list` do. Close it after use.

        Raises:
            DatabricksConnectionError: The environment names a proxy that cannot be used.
        """
        return self._new_client(httpx.AsyncClient, ahide_in_pickles)

    def _new_client(self, kind: type[AnyClient], hide: Callable[[httpx.Request], Any]) -> AnyClient:
        options = client_options(self.host, self.request_timeout_seconds)
        try:
            return new_client(kind, auth=self.get_auth(), event_hooks={"request": [hide]}, **options)
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
        fields, fault = of_connection(connection)
        del connection  # an exception may be shown with the variables here
        if fault:
            raise InvalidCredentials(fault)
        return cls._of(fields)

    @classmethod
    def from_prefect_databricks(cls, name: str) -> DatabricksCredentials:
        """Read a saved `databricks-credentials` block of the package prefect-databricks, which need not be installed.

        Args:
            name: The block's name.

        Raises:
            InvalidCredentials: There is no such block, or it signs in as a service principal.
        """
        data = portal.call(saved_block, {"block_document_slug": f"databricks-credentials/{name}"}).data
        is_of_a_service = bool(data.get("client_id") or data.get("client_secret"))
        fields = {"host": data.get("databricks_instance") or "", "token": SecretStr(data.get("token") or "")}
        del data  # an exception may be shown with the variables here
        if is_of_a_service:
            raise InvalidCredentials(f"The block {name!r} signs in as a service principal, which is not supported yet.")
        return cls._of(fields)

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> DatabricksCredentials:
        """Make a block of fields and empty them, for an exception may be shown with the variables here and above."""
        try:
            return cls(**fields)
        finally:
            fields.clear()


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
        raise _not_an_address(_NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not (_HOST_NAME.fullmatch(name) or _is_ip(name)):
        raise _not_an_address(_NO_ADDRESS)
    if port == 0:
        raise _not_an_address("with another port than 0")
    if parts.scheme == "http" and not is_loopback(name):
        raise InvalidCredentials(f"`host` is plain http, which would send the token in the clear. Use https://{name}.")
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def _fault_of_host(host: str | None, token: SecretStr | None) -> str:
    """Return what is wrong with a block's address, or nothing."""
    # None is what an environment variable that is not set gives, and Prefect 2's form lets the field be empty.
    if not host:
        return f"DatabricksCredentials has no `host`. Give the address of the workspace, such as {_EXAMPLE_HOST}."
    if is_token(host, token):
        return str(_not_an_address("it is a token, or as long as one"))
    try:
        normalize_host(host)
    except InvalidCredentials as error:
        return str(error)
    return ""


def _not_an_address(what: str) -> InvalidCredentials:
    return InvalidCredentials(f"`host` must be the address of a workspace, such as {_EXAMPLE_HOST}; {what}.")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
