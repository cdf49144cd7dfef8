"""The `DatabricksCredentials` block, which a data engineer saves once in the Prefect UI."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import httpx
from prefect.blocks.abstract import CredentialsBlock
from typing_extensions import Self

from ._client.hosts import EXAMPLE_HOST, fault_of_host, normalize_host
from ._client.http import AnyClient, client_options, new_client
from ._client.signing import ahide_in_pickles, hide_in_pickles
from ._prefect import portal
from ._prefect.compat import (
    PREFECT_3,
    REQUIRED_MODEL,
    REQUIRED_TEXT,
    BlockOfEitherPydantic,
    Field,
    SecretStr,
    ValidationError,
    field_names,
    what_is_wrong,
)
from ._prefect.references import saved_block
from .auth import fault_of_names, hidden, is_token, of_connection, with_sign_in
from .auth.sign_in import FIELDS, SECRETS, WAYS, SignIn
from .errors import DatabricksConnectionError, InvalidCredentials

__all__ = ["DatabricksCredentials", "normalize_host"]


if TYPE_CHECKING:
    AnyWay: TypeAlias = SignIn
else:
    AnyWay = Union[WAYS]  # noqa: UP007 - from a tuple; a discriminator would turn the form into a JSON box


class DatabricksCredentials(BlockOfEitherPydantic, CredentialsBlock):
    """Sign in to a Databricks workspace with a token, as a service principal, with an Azure identity, or by federation.

    In code, the fields of a way to sign in are keywords and attributes of the block itself:
    `DatabricksCredentials(host=…, client_id=…, client_secret=…)`.

    Attributes:
        host: Address of the workspace, as copied from the browser.
        sign_in: How to sign in: one of the models of `prefect_databricks_runs.auth`.
        request_timeout_seconds: Seconds to wait for an answer to one request.
        requests_per_second: How many requests a second one process may send to the workspace, on average.

    Example:
        Load a saved block and run a notebook with it:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            return submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})

        nightly()
        ```
    """

    # Prefect's own catalog has "Databricks Credentials" / "databricks-credentials" for another package.
    _block_type_name = "Databricks Runs Credentials"
    _block_type_slug = "databricks-runs-credentials"
    _logo_url = "https://cdn.sanity.io/images/3ugk85nk/production/ff9a2573c23954bedd27b0f420465a55b1a99dfd-250x250.png"  # type: ignore[assignment]  # a URL on either line, whose types differ
    _documentation_url = "https://docs.databricks.com/aws/en/dev-tools/auth/"  # type: ignore[assignment]  # as above

    host: str = Field(
        default=REQUIRED_TEXT,
        title="Host",
        # In a code span. Otherwise the UI would turn it into a link to a workspace that does not exist.
        description=f"Address of the workspace, as copied from the browser, such as `{EXAMPLE_HOST}`.",
    )
    sign_in: AnyWay = Field(default=REQUIRED_MODEL, title="Sign in with")
    request_timeout_seconds: float = Field(
        default=60.0, title="Request timeout", description="Seconds to wait for an answer to one request."
    )
    requests_per_second: float = Field(
        default=10.0,
        title="Requests per second",
        description="How many requests a second one process may send to the workspace, on average.",
    )

    if TYPE_CHECKING:  # the fields of a way to sign in that code may pass and read
        token: SecretStr = SecretStr("")
        client_id: str = ""
        client_secret: SecretStr = SecretStr("")
        azure_tenant_id: str = ""
        azure_workspace_resource_id: str = ""
        azure_identity: str = ""
        oidc: str = ""
        oidc_token_filepath: str = ""
        token_command: str = ""
        profile: str = ""
        login: str = ""
        password: SecretStr = SecretStr("")
    else:

        def __new__(cls, **fields: Any) -> Self:
            """Create a block that checks its fields first: Prefect 2 sets them unchecked, and its `repr` shows them."""
            return super().__new__(cls, **hidden(fields, cls._known())[0])

        def __init__(self, **fields: Any) -> None:
            # An exception may be shown with the variables of its frames, so none of them holds a plain secret, and none
            # holds a field that may contain a misplaced one.
            known = self._known()
            unknown = fault_of_names(fields, known)
            fields, fault = hidden(fields, known)
            try:
                fault = fault or self._fault_of_host(fields) or unknown
                if not fault:
                    fields["host"] = normalize_host(fields["host"])
                    fields, fault = with_sign_in(fields, self._flat(), may_have_none=self._signs_in_itself())
                if not fault:
                    super().__init__(**fields)
            except ValidationError as error:  # it contains the values that were passed, and pickles with them
                fault = f"DatabricksCredentials has invalid fields: {what_is_wrong(error)}."
            if fault:
                fields.clear()
                vars(self).clear()
                raise InvalidCredentials(fault)

        def __getattr__(self, name: str) -> Any:
            """Return a field of the way to sign in; empty if there is none."""
            if name in type(self)._flat():
                return getattr(self.sign_in, name, None) or (SecretStr("") if name in SECRETS else "")
            inherited = getattr(super(), "__getattr__", None)
            if inherited is None:  # under pydantic 1
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return inherited(name)

        def __setattr__(self, name: str, value: Any) -> None:
            if name == "sign_in" or name in self._flat():
                name, value = "sign_in", self._sign_in_with({name: value})
            super().__setattr__(name, value)

        if PREFECT_3:

            def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
                """Copy the block with other values of some fields, including those of its way to sign in."""
                return self._updated(super().model_copy(deep=deep), update)
        else:

            def copy(self, *, update: Mapping[str, Any] | None = None, **options: Any) -> Self:
                """Copy the block with other values of some fields, including those of its way to sign in."""
                return self._updated(super().copy(**options), update)

    def block_initialization(self) -> None:
        """Check and normalize the block. Prefect calls this on construction, on load and for a flow's parameter.

        Raises:
            InvalidCredentials: The block has a fault; the message says what to set.
        """
        self.host = normalize_host(self.host)
        if not 0 < self.request_timeout_seconds < math.inf:
            raise InvalidCredentials("`request_timeout_seconds` must be above 0, and finite.")
        if not 0 < self.requests_per_second < math.inf:
            raise InvalidCredentials("`requests_per_second` must be above 0, and finite.")
        self.get_auth()

    def get_auth(self) -> httpx.Auth:
        """Return the `httpx.Auth` that signs requests with these credentials.

        Nothing is sent or read now: a token that must be fetched is fetched for the first request.

        Raises:
            InvalidCredentials: A way to sign in that was set later is not valid.
        """
        fault = self.sign_in.fault(self.host)
        if fault:
            raise InvalidCredentials(fault)
        return self.sign_in.get_auth(self.host)

    def get_client(self) -> httpx.Client:
        """Return an authenticated `httpx.Client`; paths such as `/api/2.2/jobs/list` are enough. Close it after use.

        Raises:
            DatabricksConnectionError: The environment names a proxy that cannot be used.

        Example:
            ```python
            from prefect_databricks_runs import DatabricksCredentials

            with DatabricksCredentials.from_environment().get_client() as client:
                print(client.get("/api/2.2/jobs/list").json())
            ```
        """
        return self._new_client(httpx.Client, hide_in_pickles)

    def get_async_client(self) -> httpx.AsyncClient:
        """Return an authenticated `httpx.AsyncClient`; paths like `/api/2.2/jobs/list` are enough. Close it after use.

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
    def from_environment(cls, profile: str | None = None) -> DatabricksCredentials:
        """Read the environment variables of Databricks, or a profile of `~/.databrickscfg`, as its other tools do.

        All values come from one place: from the profile named here or by `DATABRICKS_CONFIG_PROFILE`, else from the
        environment if it has `DATABRICKS_HOST`, else from the default profile. Nothing is sent.

        Args:
            profile: The profile's name.

        Raises:
            InvalidCredentials: No credentials were found, or they are not one complete way to sign in.

        Example:
            ```python
            from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

            databricks = DatabricksCredentials.from_environment()
            submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
            ```
        """
        from .auth import of_environment  # imported here, because only scripts need it

        fields, fault = of_environment(profile)
        del profile  # an exception may be shown with the variables here, and the profile may be a misplaced token
        if fault:
            raise InvalidCredentials(fault)
        return cls._of(fields)

    @classmethod
    def from_connection_string(cls, connection: str | Mapping[str, Any]) -> DatabricksCredentials:
        """Read the secret of the Prefect 1 tasks, `DATABRICKS_CONNECTION_STRING`.

        Args:
            connection: `{"host", "token"}`, `{"host", "login", "password"}`, or `host` and the fields of another way to
                sign in, as a mapping or as a JSON string.

        Raises:
            InvalidCredentials: It is not JSON or not a mapping, lacks a key, or has an unknown key.

        Example:
            ```python
            import os
            from prefect_databricks_runs import DatabricksCredentials

            connection = os.environ["DATABRICKS_CONNECTION_STRING"]
            databricks = DatabricksCredentials.from_connection_string(connection)
            ```
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
            InvalidCredentials: The block does not exist, or has no way to sign in.

        Example:
            ```python
            from prefect_databricks_runs import DatabricksCredentials

            databricks = DatabricksCredentials.from_prefect_databricks("my-old-block")
            ```
        """
        read = partial(saved_block, advice="`prefect block ls` lists all saved blocks.")
        data = portal.call(read, {"block_document_slug": f"databricks-credentials/{name}"}).data
        fields = {ours: data.get(theirs) for theirs, ours in _OF_PREFECT_DATABRICKS.items() if data.get(theirs)}
        del data  # an exception may be shown with the variables here
        fields, fault = hidden(fields, _OF_PREFECT_DATABRICKS.values())
        if fault:
            raise InvalidCredentials(fault)
        return cls._of(fields)

    @classmethod
    def _flat(cls) -> frozenset[str]:
        """Return the fields of a way to sign in that may be among those of the block: all that are not its own."""
        return frozenset(FIELDS) - field_names(cls)

    @classmethod
    def _known(cls) -> frozenset[str]:
        return field_names(cls) | cls._flat()

    @classmethod
    def _signs_in_itself(cls) -> bool:
        """Return whether this is a user's subclass with its own way to sign in."""
        return cls.get_auth is not DatabricksCredentials.get_auth

    @staticmethod
    def _fault_of_host(fields: Mapping[str, Any]) -> str:
        sign_in, host = fields.get("sign_in"), fields.get("host")
        nested = sign_in.get("token") if isinstance(sign_in, dict) else getattr(sign_in, "token", None)
        return fault_of_host(host, is_token=bool(host) and is_token(str(host), fields.get("token") or nested))

    def _updated(self, copied: Self, update: Mapping[str, Any] | None) -> Self:
        others = dict(update or {})
        of_the_way = {name: others.pop(name) for name in list(others) if name in self._flat()}
        if of_the_way:
            copied.sign_in = self._sign_in_with(of_the_way)
        for name, value in others.items():
            setattr(copied, name, value)
        return copied

    def _sign_in_with(self, given: dict[str, Any]) -> SignIn:
        """Return the way to sign in with other values of some fields; another way if this one does not have them."""
        now = {each: getattr(self.sign_in, each) for each in FIELDS if hasattr(self.sign_in, each)}
        fields, fault = hidden({**(now if set(given) <= set(now) else {}), **given}, {*FIELDS, "sign_in"})
        given.clear()
        if not fault:
            fields, fault = with_sign_in({**fields, "host": self.host}, FIELDS)
        if fault:
            fields.clear()
            raise InvalidCredentials(fault)
        way: SignIn = fields["sign_in"]
        return way

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> DatabricksCredentials:
        """Make a block of fields and empty them: an exception may be shown with the variables here and above."""
        try:
            return cls(**fields)
        finally:
            fields.clear()


# The field names of that package's block, and ours.
_OF_PREFECT_DATABRICKS = {
    "databricks_instance": "host",
    "token": "token",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "tenant_id": "azure_tenant_id",
}
