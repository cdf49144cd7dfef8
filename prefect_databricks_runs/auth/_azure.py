"""Sign in with identities of Azure: a service principal of Microsoft Entra ID, or the identity of this machine."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from .._client.hosts import is_loopback
from .._client.tokens import Token
from ..errors import SignInFailed
from ._files import not_here, text_of_file
from ._http import HttpAuth, address, bearer, text_in

DATABRICKS_ON_AZURE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"  # the application id of Azure Databricks, in every cloud
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_POD_IDENTITY = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
_AUTHORITY = "AZURE_AUTHORITY_HOST"
_METADATA_SERVICE = "http://169.254.169.254"
_ADVICE = "Check `azure_tenant_id`, `client_id` and `client_secret` in the credentials block."
_POD_ADVICE = (
    "Check that the identity has a federated credential with the issuer of this cluster and the service account of "
    "this pod."
)
_SET_BY_AKS = 'AKS sets it in pods with the label `azure.workload.identity/use: "true"`.'


class Cloud(NamedTuple):
    """A cloud of Azure.

    Attributes:
        login: The address of Microsoft Entra ID.
        management: The resource of a token that may ask Azure about the workspace.
    """

    login: str
    management: str


_PUBLIC = Cloud("https://login.microsoftonline.com", "https://management.core.windows.net/")
_CLOUDS = {
    ".azure.us": Cloud("https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/"),
    ".azure.cn": Cloud("https://login.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/"),
}


def cloud_of(host: str) -> Cloud:
    """Return the cloud of a workspace.

    Args:
        host: The workspace's address.
    """
    name = urlsplit(host).hostname or ""
    return next((cloud for suffix, cloud in _CLOUDS.items() if name.endswith(suffix)), _PUBLIC)


class AzureAuth(HttpAuth):
    """Sign with a token of Azure, and with a second one if only Azure, not the workspace, knows the identity."""

    azure_workspace_resource_id: str

    @abstractmethod
    async def of_azure(self, resource: str) -> tuple[dict[str, object], str]:
        """Return the answer with a token for a resource of Azure, and its source."""

    @property
    @abstractmethod
    def cloud(self) -> Cloud:
        """Return the cloud of the workspace."""

    async def afetch(self) -> Token:
        """Fetch one or both tokens."""
        more = {}
        if self.azure_workspace_resource_id:
            answer, source = await self.of_azure(self.cloud.management)
            more = {
                "X-Databricks-Azure-SP-Management-Token": text_in(answer, "access_token", source),
                "X-Databricks-Azure-Workspace-Resource-Id": self.azure_workspace_resource_id,
            }
        answer, source = await self.of_azure(DATABRICKS_ON_AZURE)
        return bearer(answer, source, **more)


@dataclass(frozen=True)
class EntraAuth(AzureAuth):
    """Sign in as a service principal of Microsoft Entra ID, with a secret, or on AKS with the token of the pod.

    Attributes:
        host: The workspace's address.
        azure_tenant_id: The tenant; empty for `AZURE_TENANT_ID` of the environment.
        client_id: The application; empty for `AZURE_CLIENT_ID` of the environment.
        client_secret: Its secret; empty for the token in the file that `AZURE_FEDERATED_TOKEN_FILE` names.
        azure_workspace_resource_id: The workspace in Azure, if the principal was not added to the workspace; else
            empty.
    """

    host: str
    azure_tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    azure_workspace_resource_id: str = ""

    def own_secrets(self) -> Sequence[str]:
        """Return the secret, if there is one."""
        return (self.client_secret,) if self.client_secret else ()

    @property
    def cloud(self) -> Cloud:
        """Return the cloud of the workspace; `AZURE_AUTHORITY_HOST` names another login host."""
        cloud, login = cloud_of(self.host), os.environ.get(_AUTHORITY, "").strip().rstrip("/")
        if login and "://" not in login:
            login = f"https://{login}"
        return cloud._replace(login=login or cloud.login)

    async def of_azure(self, resource: str) -> tuple[dict[str, object], str]:
        """Ask Entra for a token."""
        tenant = self.azure_tenant_id or _variable("AZURE_TENANT_ID")
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id or _variable("AZURE_CLIENT_ID"),
            "scope": f"{resource}/.default",  # a resource that ends with a slash keeps it, so there are two
        }
        hide: tuple[str, ...] = ()
        advice = _ADVICE if self.client_secret else _POD_ADVICE
        if self.client_secret:
            form["client_secret"] = self.client_secret
        else:
            hide = (await text_of_file(_variable("AZURE_FEDERATED_TOKEN_FILE")),)
            form |= {"client_assertion_type": _JWT_BEARER, "client_assertion": hide[0]}
        url = address(f"{self.cloud.login}/{tenant}/oauth2/v2.0/token", f"the environment variable {_AUTHORITY}")
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            reason = "it is plain http, which would send the secret in the clear"
            raise SignInFailed(reason, source=f"the environment variable {_AUTHORITY}", advice="Use https.")
        return await self.ask("POST", url, advice=advice, hide=hide, data=form), url


@dataclass(frozen=True)
class ManagedIdentityAuth(AzureAuth):
    """Sign in with the identity that Azure assigned to this machine, container or function.

    Attributes:
        host: The workspace's address.
        client_id: The user-assigned identity; empty for the system-assigned one.
        azure_workspace_resource_id: The workspace in Azure, if the identity was not added to the workspace; else empty.
    """

    host: str
    client_id: str = ""
    azure_workspace_resource_id: str = ""

    def own_secrets(self) -> Sequence[str]:
        """Return nothing: the machine itself is the secret."""
        return ()

    @property
    def cloud(self) -> Cloud:
        """Return the cloud of the workspace."""
        return cloud_of(self.host)

    async def of_azure(self, resource: str) -> tuple[dict[str, object], str]:
        """Ask App Service, Functions or Container Apps if the flow runs there, else the machine's metadata service."""
        endpoint, secret = os.environ.get("IDENTITY_ENDPOINT", ""), os.environ.get("IDENTITY_HEADER", "")
        query = {"resource": resource} | ({"client_id": self.client_id} if self.client_id else {})
        if endpoint and secret:
            url, version, headers = endpoint, "2019-08-01", {"X-IDENTITY-HEADER": secret}
        else:
            base = os.environ.get(_POD_IDENTITY) or _METADATA_SERVICE
            url, version = f"{base.rstrip('/')}/metadata/identity/oauth2/token", "2018-02-01"
            headers = {"Metadata": "true"}
        where = f"the environment variable {'IDENTITY_ENDPOINT' if secret and endpoint else _POD_IDENTITY}"
        asked = address(url, where, **{"api-version": version}, **query)
        advice = "Check that this machine has a system-assigned identity; for a user-assigned one, set `client_id`."
        if self.client_id:
            advice = "Check that the user-assigned identity with this `client_id` is assigned to this machine."
        hide = (secret,) if secret else ()
        # Without a proxy: a proxy has another identity, or none.
        return await self.ask("GET", asked, advice=advice, hide=hide, direct=True, headers=headers), url


def _variable(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise not_here("it is not set", f"the environment variable {name}", _SET_BY_AKS)
    return value
