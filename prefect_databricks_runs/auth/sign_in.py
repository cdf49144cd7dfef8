"""Ways to sign in for the form of the credentials block: each model is one tab.

The form has tabs because there is no discriminator, no two models have the same required fields, and no model accepts a
field that it does not have. The class that signs is imported when it is first needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import httpx

from .._prefect.compat import PREFECT_3, BaseModel, EmptyText, Field, SecretStr, fields_of
from . import BasicAuth, TokenAuth

_MASKED = re.compile(r"\*{4,}")
_SECRET = re.compile(r"[!-~]+")
# In lower case. Databricks' own tokens begin like this. The token of a service is three parts in base64, of which the
# first always begins like this.
A_TOKEN = re.compile(r"d[a-z]{3}[0-9a-f]{16,}(-\d+)?|eyj[\w-]{12,}\.[\w-]+\.[\w-]*")


class SignIn(BaseModel, extra="forbid"):
    """One way to sign in.

    Attributes:
        called: Its name in messages.
    """

    if PREFECT_3 and not TYPE_CHECKING:
        # pydantic's messages would show the secret; the block checks these models instead.
        model_config = {"hide_input_in_errors": True, "defer_build": True}
    called: ClassVar[str] = ""

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests. Nothing is sent or read for it.

        Args:
            host: The workspace's address.
        """
        raise NotImplementedError

    def text_of(self, name: str) -> str:
        """Return the value of a field, in plain, without surrounding space.

        Args:
            name: The field's name.
        """
        value: Any = getattr(self, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
        return str(text) if name == "password" else str(text).strip()

    def fault(self, host: str) -> str:
        """Return the fault; empty if there is none. Never raise: variables of frames may be shown.

        Args:
            host: The workspace's address, for the sentence.
        """
        for name, is_required in fields_of(type(self)).items():
            text = self.text_of(name)
            if isinstance(getattr(self, name), SecretStr) and _MASKED.fullmatch(text):
                return (
                    f"The secret for {host} is masked (***), as in a block that Prefect sends as data. Pass the "
                    'parameter as {"$ref": {"block_document_slug": "databricks-runs-credentials/NAME"}} instead.'
                )
            if not isinstance(getattr(self, name), SecretStr) and A_TOKEN.fullmatch(text.strip().lower()):
                return f"`{name}` for {host} is a token or a secret, but everyone can see this field. Check the fields."
            if is_required and not text:
                return f"`{name}` is missing for {host}, to sign in with {self.called}."
            if name in ("token", "client_secret") and not _SECRET.fullmatch(text):
                thing = "token" if name == "token" else "client secret"
                odd = "a space, a line break or another invalid character"
                return f"The {thing} for {host} has {odd}. Copy it again."
        return ""


class PersonalToken(SignIn, title="Token"):
    """A personal access token, or another bearer token that stays valid for as long as it is needed."""

    called: ClassVar[str] = "a token"

    token: SecretStr = Field(default=..., title="Token", description="A personal access token.")

    def get_auth(self, host: str) -> httpx.Auth:  # noqa: ARG002 - the host does not matter
        """Return the object that signs requests."""
        return TokenAuth(self.text_of("token"))


class ServicePrincipal(SignIn, title="Service principal"):
    """A service principal of Databricks, on any cloud, with a secret of Databricks: OAuth machine-to-machine."""

    called: ClassVar[str] = "a service principal"

    client_id: str = Field(default=..., title="Client id", description="Application id of the service principal.")
    client_secret: SecretStr = Field(
        default=..., title="Client secret", description="A secret that Databricks created for it. It begins with dose."
    )

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests."""
        from ._databricks import ServicePrincipalAuth

        return ServicePrincipalAuth(host, self.text_of("client_id"), self.text_of("client_secret"))


class EntraServicePrincipal(SignIn, title="Entra ID"):
    """A service principal of Microsoft Entra ID, with a secret that Entra created."""

    called: ClassVar[str] = "Microsoft Entra ID"

    azure_tenant_id: str = Field(default=..., title="Tenant id", description="Id of the directory in Entra.")
    client_id: str = Field(default=..., title="Client id", description="Id of the application in Entra.")
    client_secret: SecretStr = Field(
        default=..., title="Client secret", description="A secret that Entra created for it."
    )
    azure_workspace_resource_id: EmptyText = Field(
        default="",
        title="Resource id of the workspace",
        description="/subscriptions/…, only if the service principal was not added to the workspace.",
    )

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests."""
        from ._azure import EntraAuth

        return EntraAuth(host, *map(self.text_of, fields_of(EntraServicePrincipal)))


class AzureIdentity(SignIn, title="Azure identity"):
    """The identity that Azure assigns to the place where the flow runs. It needs no secret."""

    called: ClassVar[str] = "an Azure identity"

    azure_identity: Literal["managed", "workload"] = Field(
        default=...,
        title="Identity",
        description="`managed`: the machine, container or function. `workload`: the pod, on AKS.",
    )
    client_id: EmptyText = Field(
        default="",
        title="Client id",
        description="Id of a user-assigned identity, even of the only one. Empty for the system-assigned one, and on "
        "AKS for that of the pod.",
    )
    azure_workspace_resource_id: EmptyText = Field(
        default="",
        title="Resource id of the workspace",
        description="/subscriptions/…, only if the identity was not added to the workspace.",
    )

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests."""
        from ._azure import EntraAuth, ManagedIdentityAuth

        client_id, resource_id = self.text_of("client_id"), self.text_of("azure_workspace_resource_id")
        if self.azure_identity == "managed":
            return ManagedIdentityAuth(host, client_id, resource_id)
        return EntraAuth(host, client_id=client_id, azure_workspace_resource_id=resource_id)


class Federation(SignIn, title="Federation"):
    """A token of an identity provider that Databricks trusts. It needs no secret."""

    called: ClassVar[str] = "federation"

    oidc: Literal["file", "env", "github", "azure-devops"] = Field(
        default=...,
        title="Token of the identity provider",
        description="`file`, `env` (the variable DATABRICKS_OIDC_TOKEN), `github` or `azure-devops`.",
    )
    client_id: EmptyText = Field(
        default="",
        title="Client id",
        description="Application id of the service principal; empty for a federation policy of the account.",
    )
    oidc_token_filepath: EmptyText = Field(
        default="",
        title="Token file",
        description="For `file`: the path of the token, on the machine where the flow runs.",
    )

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests."""
        from ._databricks import FederationAuth

        return FederationAuth(host, *map(self.text_of, fields_of(Federation)))

    def fault(self, host: str) -> str:
        """Return the fault; empty if there is none."""
        if self.oidc == "file" and not self.text_of("oidc_token_filepath"):
            return f'`oidc_token_filepath` is missing for {host}, to sign in with federation and oidc="file".'
        if self.oidc != "file" and self.text_of("oidc_token_filepath"):
            return f'`oidc_token_filepath` is only read with oidc="file"; for {host} it is {self.oidc!r}.'
        return super().fault(host)


class TokenCommand(SignIn, title="Command"):
    """A command that prints a token, where `PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS=1` allows it."""

    called: ClassVar[str] = "a command"
    is_ours: ClassVar[bool] = False

    token_command: str = Field(
        default=...,
        title="Command",
        description="A command of az, databricks, gcloud or others that prints a token. "
        "Needs PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS=1 in the environment where the flow runs.",
    )

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests."""
        from ._processes import CommandAuth

        return CommandAuth(host, self.text_of("token_command"), self.is_ours)


class Profile(SignIn, title="Profile"):
    """A profile of `~/.databrickscfg` where the flow runs, read by databricks-sdk."""

    called: ClassVar[str] = "a profile"

    profile: str = Field(
        default=...,
        title="Profile",
        description="Name in ~/.databrickscfg where the flow runs; `environment` for its DATABRICKS_… variables. "
        "Needs prefect-databricks-runs[sdk] there.",
    )

    def get_auth(self, host: str) -> httpx.Auth:
        """Return the object that signs requests."""
        from ._processes import ProfileAuth

        return ProfileAuth(host, self.text_of("profile"))


class LoginAndPassword(SignIn, title="Login"):
    """A user name and a password, for gateways. Databricks itself ended them in July 2024."""

    called: ClassVar[str] = "login and password"

    login: str = Field(default=..., title="Login", description="User name. Databricks itself ended this in July 2024.")
    password: SecretStr = Field(default=..., title="Password", description="Password of the login.")

    def get_auth(self, host: str) -> httpx.Auth:  # noqa: ARG002 - the host does not matter
        """Return the object that signs requests."""
        return BasicAuth(self.text_of("login"), self.text_of("password"))


class OwnCommand(TokenCommand):
    """A command that this package wrote, which needs no permission as long as it is not saved."""

    is_ours: ClassVar[bool] = True


# In this order: incomplete fields count for the way that lacks the fewest, and among equal ones for the first.
WAYS: tuple[type[SignIn], ...] = (
    PersonalToken,
    ServicePrincipal,
    EntraServicePrincipal,
    AzureIdentity,
    Federation,
    TokenCommand,
    Profile,
    LoginAndPassword,
)
FIELDS = tuple(dict.fromkeys(name for way in WAYS for name in fields_of(way)))
SECRETS = ("token", "client_secret", "password")
