"""Sign in as a service principal of Databricks, with a secret or with a token of a trusted identity provider."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from .._client.tokens import Token
from .._fields import as_text
from .._text import quoted
from ..errors import SignInFailed, SignInUnavailable
from ._files import not_here, text_of_file
from ._http import HttpAuth, address, bearer, text_in
from ._web_tokens import claims_of

_ACCOUNT_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCOPE = "all-apis"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
_FOR_GITHUB = "The job needs `permissions: id-token: write`."
_FOR_AZURE_DEVOPS = "The step needs `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` in its `env`."
_MOST_VALUES = 3  # a token may be for any number of audiences
_OWN_SECRET = "dose"  # noqa: S105 - the beginning of every secret that Databricks creates


@dataclass(frozen=True)
class ServicePrincipalAuth(HttpAuth):
    """Sign in as a service principal with a secret that Databricks created: OAuth machine-to-machine.

    Attributes:
        host: The workspace's address.
        client_id: The application id of the service principal.
        client_secret: Its secret.
    """

    host: str
    client_id: str
    client_secret: str = field(repr=False)

    def own_secrets(self) -> Sequence[str]:
        """Return the secret."""
        return (self.client_secret,)

    async def afetch(self) -> Token:
        """Fetch a token from the workspace, with the client credentials grant."""
        url = f"{self.host}/oidc/v1/token"
        advice = "Check `client_id` and `client_secret` in the credentials block; the secret may have expired."
        if is_azure(self.host) and not self.client_secret.startswith(_OWN_SECRET):
            advice += (
                f" Secrets of Databricks begin with {_OWN_SECRET}; those of Microsoft Entra ID need `azure_tenant_id`."
            )
        form = {"grant_type": "client_credentials", "scope": _SCOPE}
        pair = httpx.BasicAuth(self.client_id, self.client_secret)
        return bearer(await self.ask("POST", url, advice=advice, data=form, headers=_signed_by(pair, url)), url)


@dataclass(frozen=True)
class FederationAuth(HttpAuth):
    """Exchange a token of a trusted identity provider for a token of Databricks.

    Attributes:
        host: The workspace's address.
        oidc: The source of the identity provider's token: `file`, `env`, `github` or `azure-devops`.
        client_id: The service principal whose federation policy trusts the token; empty for a policy of the whole
            account.
        oidc_token_filepath: The file, for `file`.
    """

    host: str
    oidc: str
    client_id: str = ""
    oidc_token_filepath: str = ""

    def own_secrets(self) -> Sequence[str]:
        """Return nothing: the secret is a new token each time."""
        return ()

    async def afetch(self) -> Token:
        """Fetch the identity provider's token, and exchange it at the workspace."""
        url = f"{self.host}/oidc/v1/token"
        subject = await self._identity_token(url)
        form = {"grant_type": _EXCHANGE, "subject_token": subject, "subject_token_type": _JWT, "scope": _SCOPE}
        if self.client_id:
            form["client_id"] = self.client_id
        advice = (
            f"{_who(subject)}Check the federation policy (issuer, subject, audience) and `client_id` in the "
            "credentials block."
        )
        return bearer(await self.ask("POST", url, advice=advice, hide=(subject,), data=form), url)

    async def _identity_token(self, token_endpoint: str) -> str:
        if self.oidc == "file":
            return await text_of_file(self.oidc_token_filepath)
        if self.oidc == "env":
            [token] = _variables(os.environ.get("DATABRICKS_OIDC_TOKEN_ENV") or "DATABRICKS_OIDC_TOKEN")
            return token
        return await (self._of_github(token_endpoint) if self.oidc == "github" else self._of_azure_devops())

    async def _of_github(self, token_endpoint: str) -> str:
        url, token = _variables("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", advice=_FOR_GITHUB)
        audience = os.environ.get("DATABRICKS_TOKEN_AUDIENCE") or await self._default_audience() or token_endpoint
        asked = address(url, "the environment variable ACTIONS_ID_TOKEN_REQUEST_URL", audience=audience)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.ask("GET", asked, advice=_FOR_GITHUB, hide=(token,), headers=headers)
        return text_in(answer, "value", "GitHub Actions")

    async def _default_audience(self) -> str:
        """Return the audience that the account expects; empty if it is not published."""
        try:
            answer = await self.ask("GET", f"{self.host}/.well-known/databricks-config", advice="")
        except (SignInFailed, SignInUnavailable):  # an older workspace does not have this page, or has another one
            return ""
        audiences: Any = answer.get("token_federation_default_oidc_audiences")
        audience = str(audiences[0]) if isinstance(audiences, list) and audiences else ""
        # Anyone who may edit the block chooses the host. The host must not choose the audience of GitHub's token: the
        # account does.
        return audience if _ACCOUNT_ID.fullmatch(audience) else ""

    async def _of_azure_devops(self) -> str:
        token, collection, project, hub, plan, job = _variables(
            "SYSTEM_ACCESSTOKEN",
            "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
            "SYSTEM_TEAMPROJECTID",
            "SYSTEM_HOSTTYPE",
            "SYSTEM_PLANID",
            "SYSTEM_JOBID",
            advice=_FOR_AZURE_DEVOPS,
        )
        base = f"{collection.rstrip('/')}/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}"
        where = "the environment variable SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"
        url = address(f"{base}/oidctoken?api-version=7.2-preview.1", where)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = await self.ask("POST", url, advice=_FOR_AZURE_DEVOPS, hide=(token,), headers=headers)
        return text_in(answer, "oidcToken", "Azure DevOps")


def _who(token: str) -> str:
    """Return a sentence with the claims that a federation policy is compared with; empty if the token has none."""
    claims = claims_of(token)
    found = []
    for name, claim in (("issuer", "iss"), ("subject", "sub"), ("audience", "aud")):
        value = claims.get(claim)
        texts = [text for each in (value if isinstance(value, list) else [value]) if (text := as_text(each))]
        if texts:
            shown = [quoted(text) for text in texts[:_MOST_VALUES]]
            hidden = [f"{len(texts) - len(shown)} more"] if len(texts) > len(shown) else []
            found.append(f"{name} {' and '.join([*shown, *hidden])}")
    return f"The identity token has {', '.join(found)}. " if found else ""


def _variables(*names: str, advice: str = "") -> list[str]:
    """Return the values of environment variables that must be set."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        source = f"the environment variable {missing[0]}"
        raise not_here(f"{' and '.join(missing)} must be set", source, advice)
    return [os.environ[name].strip() for name in names]


def _signed_by(pair: httpx.BasicAuth, url: str) -> dict[str, str]:
    request = next(pair.auth_flow(httpx.Request("POST", url)))
    return {"Authorization": request.headers["Authorization"]}


def is_azure(host: str) -> bool:
    """Return whether a workspace is on Azure.

    Args:
        host: The workspace's address.
    """
    return ".azuredatabricks." in (urlsplit(host).hostname or "") or ".databricks.azure." in host
