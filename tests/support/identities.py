"""The other parties of a sign-in, on loopback: Entra ID, managed identity, GitHub Actions, Azure DevOps, Kubernetes.

They issue the tokens of a local workspace, so that what a client gets here lets it in there. What they answer is what
their documentation and the clients that are known to work say; nothing of it was compared with the real ones.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from prefect_databricks_runs.local import LocalWorkspace
from tests.support.identity_server import Asked, Failure, handler

DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
MANAGEMENT = "https://management.core.windows.net/"
ENTRA_AUDIENCE = "api://AzureADTokenExchange"
TENANT = "9f37a392-f0ae-4280-9796-f1864a10effc"
PROJECT, PLAN, JOB = "a-project", "a-plan", "a-job"

# Whom the parties name in their identity tokens: issuer and subject.
GITHUB = ("https://token.actions.githubusercontent.com", "repo:acme/etl:environment:prod")
AZURE_DEVOPS = ("https://vstoken.dev.azure.com/7f1078d6-b20d-4a20-9d88-05a2f0d645a3", "p://acme/etl/nightly")
KUBERNETES = ("https://kubernetes.default.svc", "system:serviceaccount:etl:nightly")

_ASSERTION = 3600.0  # seconds; on a machine with other work, much may lie between its making and its exchange
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SEVERAL = "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity"


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status, self.answer = status, answer


class Identities:
    """The parties `entra`, `imds`, `app-service`, `github` and `azure-devops`, at one address; a context manager.

    Args:
        workspace: A workspace that has started, whose tokens they issue.
        client_id: The service principal that they all sign in; it is made in the workspace if it is new.
        client_secret: What Entra ID wants of it. It is no secret of the workspace.
        seconds: How long their access tokens are good. Assertions, which are exchanged for these, last.

    Attributes:
        asked: All requests, in order.
        user_assigned: How many user-assigned identities the machine has, and no system-assigned one; 0 for the
            system-assigned one alone. App Service takes none of them without a `client_id`, and a virtual machine the
            only one.
    """

    def __init__(
        self,
        workspace: LocalWorkspace,
        client_id: str = "0d7c2b1a-6f1c-4c9a-9a4e-3e7a4e4c9a9a",
        client_secret: str = "entra~secret",
        seconds: float = 3600.0,
    ) -> None:
        self.workspace, self.client_id, self.client_secret, self.seconds = workspace, client_id, client_secret, seconds
        self.user_assigned = 0
        self.asked: list[Asked] = []
        self.request_token, self.identity_header = f"request-{uuid.uuid4()}", f"header-{uuid.uuid4()}"
        self._assertions: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(_party, self.answer))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        workspace.add_service_principal(client_id)

    def __enter__(self) -> Identities:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The address of all: of Entra ID (`AZURE_AUTHORITY_HOST`), and instead of `http://169.254.169.254`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self, party: str) -> dict[str, str]:
        """What the party puts into the environment of a process."""
        return {
            "entra": {"AZURE_AUTHORITY_HOST": f"{self.url}/", "AZURE_TENANT_ID": TENANT},
            # As azure-identity has it, which else asks http://169.254.169.254.
            "imds": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url},
            "app-service": {
                "IDENTITY_ENDPOINT": f"{self.url}/msi/token",
                "IDENTITY_HEADER": self.identity_header,
            },
            "github": {
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/idtoken?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
            },
            "azure-devops": {
                "SYSTEM_ACCESSTOKEN": self.request_token,
                "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": f"{self.url}/acme/",
                "SYSTEM_TEAMPROJECTID": PROJECT,
                "SYSTEM_PLANID": PLAN,
                "SYSTEM_JOBID": JOB,
                "SYSTEM_HOSTTYPE": "build",
            },
        }[party]

    def trust(self, *parties: tuple[str, str], audiences: list[str] | None = None) -> None:
        """Let the workspace exchange tokens of issuers, such as `GITHUB`, for those of the service principal."""
        for issuer, subject in parties:
            self.workspace.add_federation_policy(
                client_id=self.client_id, subject=subject, audiences=audiences, issuer=issuer
            )

    def service_account_token(self, audience: str | None = None) -> str:
        """Return what Kubernetes writes into a pod; with `ENTRA_AUDIENCE` it is an assertion for Entra ID."""
        return self._identity_token(KUBERNETES, audience)

    def fail(self, party: str, status: int | None, times: int = 1, body: bytes | None = None) -> None:
        """Let the next answers of a party be errors, or connections that end without one when `status` is None."""
        with self._lock:
            self._failures[party] = Failure(status, times, body)

    def count(self, party: str) -> int:
        """How many requests a party has got."""
        return sum(each.party == party for each in self.asked)

    def answer(self, asked: Asked, headers: Mapping[str, str]) -> tuple[int | None, bytes]:
        """Return status and body of the answer to a request."""
        with self._lock:
            self.asked.append(asked)
            failure = self._failures.get(asked.party)
            if failure and failure.times > 0:
                failure.times -= 1
                return failure.status, b'{"error":"temporarily_unavailable"}' if failure.body is None else failure.body
        answers = {
            "entra": self._entra,
            "imds": self._imds,
            "app-service": self._app_service,
            "github": self._github,
            "azure-devops": self._azure_devops,
        }
        try:
            if asked.party not in answers:
                raise Refused(404, {"error": "not_found"})
            return 200, json.dumps(answers[asked.party](asked, headers)).encode()
        except Refused as error:
            return error.status, json.dumps(error.answer).encode()

    def _entra(self, asked: Asked, _headers: Mapping[str, str]) -> dict[str, Any]:
        form, tenant = asked.fields, asked.path.split("/")[1]
        if tenant != TENANT:
            raise _aadsts(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            raise _aadsts(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if form.get("client_id") != self.client_id:
            text = f"Application with identifier '{form.get('client_id')}' was not found in the directory 'Acme'."
            raise _aadsts(400, "unauthorized_client", 700016, text)
        if form.get("client_assertion_type") == _JWT_BEARER:
            self._check_assertion(form.get("client_assertion", ""))
        elif form.get("client_secret") != self.client_secret:
            raise _aadsts(401, "invalid_client", 7000215, "Invalid client secret provided.")
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            raise _aadsts(400, "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid.")
        token = self._access_token(scope.removesuffix("/.default"))
        return {"token_type": "Bearer", "expires_in": int(self.seconds), "access_token": token}

    def _check_assertion(self, assertion: str) -> None:
        if assertion not in self._assertions:
            text = "Client assertion failed signature validation."
            raise _aadsts(401, "invalid_client", 700027, text)
        claims = claims_of(assertion)
        if claims["aud"] != ENTRA_AUDIENCE:
            text = "No matching federated identity record found for presented assertion audience."
            raise _aadsts(400, "invalid_request", 700212, text)
        if claims["exp"] <= self._now():
            text = "Client assertion is not within its valid time range."
            raise _aadsts(401, "invalid_client", 700024, text)

    def _imds(self, asked: Asked, headers: Mapping[str, str]) -> dict[str, Any]:
        if headers.get("Metadata") != "true":
            raise _invalid_request("Required metadata header not specified")
        if headers.get("X-Forwarded-For"):
            raise _invalid_request("Requests that come through a proxy are refused")
        self._check_identity(asked, self.user_assigned > 1, _SEVERAL)
        return {**self._managed(asked), "expires_in": str(int(self.seconds))}

    def _app_service(self, asked: Asked, headers: Mapping[str, str]) -> dict[str, Any]:
        if headers.get("X-IDENTITY-HEADER") != self.identity_header:
            raise Refused(401, {"statusCode": 401, "message": "Unauthorized"})
        self._check_identity(asked, self.user_assigned > 0, "Unable to load the proper Managed Identity.")
        return self._managed(asked)

    def _check_identity(self, asked: Asked, is_needed: bool, refusal: str) -> None:
        client_id = asked.fields.get("client_id")
        if client_id is None and is_needed:
            raise _invalid_request(refusal)
        if client_id not in (None, self.client_id):
            raise _invalid_request("Identity not found")

    def _managed(self, asked: Asked) -> dict[str, Any]:
        resource = asked.fields.get("resource", "")
        if not asked.fields.get("api-version") or not resource:
            raise _invalid_request("Required query variables are missing: api-version and resource")
        return {
            "access_token": self._access_token(resource),
            "client_id": self.client_id,
            "expires_on": str(int(self._now() + self.seconds)),
            "resource": resource,
            "token_type": "Bearer",
        }

    def _github(self, asked: Asked, headers: Mapping[str, str]) -> dict[str, Any]:
        self._check_bearer(headers)
        token = self._identity_token(GITHUB, asked.fields.get("audience") or "https://github.com/acme")
        return {"count": len(token), "value": token}

    def _azure_devops(self, _asked: Asked, headers: Mapping[str, str]) -> dict[str, Any]:
        self._check_bearer(headers)
        return {"oidcToken": self._identity_token(AZURE_DEVOPS, ENTRA_AUDIENCE)}

    def _check_bearer(self, headers: Mapping[str, str]) -> None:
        if headers.get("Authorization") != f"Bearer {self.request_token}":
            raise Refused(401, {"message": "Unauthorized"})

    def _access_token(self, resource: str) -> str:
        if resource == DATABRICKS:
            return self.workspace.issue_token(self.seconds, user=self.client_id)
        if resource == MANAGEMENT:
            return f"management-{uuid.uuid4()}"
        raise _aadsts(400, "invalid_resource", 500011, f"The resource principal named {resource} was not found.")

    def _identity_token(self, party: tuple[str, str], audience: str | None) -> str:
        issuer, subject = party
        token = self.workspace.issue_identity_token(subject, audience=audience, seconds=_ASSERTION, issuer=issuer)
        self._assertions.add(token)
        return token

    def _now(self) -> float:
        return self.workspace._parts.clock.now()


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JSON Web Token, whoever signed it."""
    content = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))


def _aadsts(status: int, error: str, code: int, text: str) -> Refused:
    trace = uuid.uuid4()
    description = f"AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {trace}\r\nTimestamp: 2026-11-28"
    return Refused(status, {"error": error, "error_description": description, "error_codes": [code]})


def _invalid_request(description: str) -> Refused:
    return Refused(400, {"error": "invalid_request", "error_description": description})


def _party(method: str, path: str) -> str:
    project = f"/acme/{PROJECT}/_apis/distributedtask/hubs/build/plans/{PLAN}/jobs/{JOB}/oidctoken"
    if method == "POST" and path.endswith("/oauth2/v2.0/token"):
        return "entra"
    exact = {
        ("GET", "/metadata/identity/oauth2/token"): "imds",
        ("GET", "/msi/token"): "app-service",
        ("GET", "/idtoken"): "github",
        ("POST", project): "azure-devops",
    }
    return exact.get((method, path), "nobody")
