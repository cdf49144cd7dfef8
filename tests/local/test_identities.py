"""The helper that plays Entra ID, managed identity, GitHub Actions and Azure DevOps answers as they are said to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.tokens import exchange, use, who
from tests.support.identities import (
    AZURE_DEVOPS,
    DATABRICKS,
    ENTRA_AUDIENCE,
    GITHUB,
    JOB,
    KUBERNETES,
    MANAGEMENT,
    PLAN,
    PROJECT,
    TENANT,
    Identities,
)

IMDS = "/metadata/identity/oauth2/token"


@pytest.fixture
def identities() -> Iterator[Identities]:
    with LocalWorkspace(virtual_time=True) as workspace, Identities(workspace) as identities:
        yield identities


def entra(identities: Identities, tenant: str = TENANT, **form: Any) -> httpx.Response:
    fields = {
        "grant_type": "client_credentials",
        "client_id": identities.client_id,
        "scope": f"{DATABRICKS}/.default",
        **(form or {"client_secret": identities.client_secret}),
    }
    return httpx.post(f"{identities.url}/{tenant}/oauth2/v2.0/token", data=fields)


def assertion(identities: Identities, token: str) -> dict[str, str]:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return {"client_assertion_type": kind, "client_assertion": token}


def managed(identities: Identities, path: str = IMDS, header: str = "Metadata", value: str = "true", **query: str):
    fields = {"api-version": "2018-02-01", "resource": DATABRICKS, **query}
    return httpx.get(identities.url + path, params=fields, headers={header: value})


def test_entra_gives_a_token_for_the_secret_that_the_workspace_accepts(identities: Identities) -> None:
    identities.seconds = 90
    answer = entra(identities).json()
    assert answer.keys() == {"token_type", "expires_in", "access_token"}
    assert answer["expires_in"] == 90
    assert use(identities.workspace, answer["access_token"]).status_code == 200
    identities.workspace.advance(90)
    assert use(identities.workspace, answer["access_token"]).status_code == 403


def test_entra_gives_a_management_token_that_is_none_of_the_workspace(identities: Identities) -> None:
    answer = entra(identities, client_secret=identities.client_secret, scope=f"{MANAGEMENT}/.default").json()
    assert use(identities.workspace, answer["access_token"]).status_code == 403


def test_entra_takes_the_token_of_a_pod_until_it_ends(identities: Identities) -> None:
    token = identities.service_account_token(ENTRA_AUDIENCE)
    answer = entra(identities, **assertion(identities, token)).json()
    assert use(identities.workspace, answer["access_token"]).status_code == 200
    identities.workspace.advance(identities.seconds)
    refused = entra(identities, **assertion(identities, token))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert refused.json()["error_description"].startswith("AADSTS700024: ")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_secret": None, "client_id": "nobody"}, 400, 700016),
        ({"tenant": "other"}, 400, 90002),
        ({"grant_type": "password"}, 400, 70003),
        ({"scope": "x"}, 400, 1002012),
        ({"scope": "x/.default"}, 400, 500011),
        ({"client_assertion": "x"}, 401, 7000215),
    ],
)
def test_entra_refuses_with_its_own_codes(identities: Identities, form: Any, status: int, code: int) -> None:
    if not form.keys() & {"client_secret", "client_assertion"}:
        form = {"client_secret": identities.client_secret, **form}
    response = entra(identities, **{name: value for name, value in form.items() if value is not None})
    assert (response.status_code, response.json()["error_codes"]) == (status, [code])
    assert response.json()["error_description"].startswith(f"AADSTS{code}: ")
    assert "\r\nTrace ID: " in response.json()["error_description"]


@pytest.mark.parametrize(("audience", "code"), [("other", 700212), (None, 700212)])
def test_entra_refuses_the_assertion_of_another_audience(identities: Identities, audience: Any, code: int) -> None:
    token = identities.service_account_token(audience)
    assert entra(identities, **assertion(identities, token)).json()["error_codes"] == [code]
    forged = entra(identities, **assertion(identities, token + "x"))
    assert forged.json()["error_codes"] == [700027]


def test_a_machine_has_an_identity(identities: Identities) -> None:
    answer = managed(identities).json()
    assert answer["expires_in"] == "3600"
    assert int(answer["expires_on"]) == identities._now() + 3600
    assert use(identities.workspace, answer["access_token"]).status_code == 200
    assert managed(identities, header="X-None").json()["error_description"] == "Required metadata header not specified"
    assert managed(identities, client_id="nobody").json()["error_description"] == "Identity not found"


def test_with_several_identities_the_client_id_is_a_must(identities: Identities) -> None:
    identities.user_assigned = 1
    assert managed(identities).status_code == 200
    identities.user_assigned = 2
    refused = managed(identities)
    assert refused.status_code == 400
    assert refused.json()["error_description"].startswith("Multiple user assigned identities exist")
    assert managed(identities, client_id=identities.client_id).status_code == 200


def test_app_service_has_its_own_endpoint_and_header(identities: Identities) -> None:
    variables = identities.environment("app-service")
    path = variables["IDENTITY_ENDPOINT"].removeprefix(identities.url)
    answer = managed(identities, path, "X-IDENTITY-HEADER", variables["IDENTITY_HEADER"]).json()
    assert "expires_in" not in answer
    assert answer["expires_on"].isdigit()
    assert use(identities.workspace, answer["access_token"]).status_code == 200
    assert managed(identities, path, "X-IDENTITY-HEADER", "x").status_code == 401


def test_on_app_service_the_client_id_of_the_only_identity_is_a_must(identities: Identities) -> None:
    identities.user_assigned = 1
    variables = identities.environment("app-service")
    path = variables["IDENTITY_ENDPOINT"].removeprefix(identities.url)
    header = variables["IDENTITY_HEADER"]
    assert managed(identities, path, "X-IDENTITY-HEADER", header).status_code == 400
    named = managed(identities, path, "X-IDENTITY-HEADER", header, client_id=identities.client_id)
    assert named.status_code == 200


def test_github_gives_the_token_of_the_job(identities: Identities) -> None:
    variables = identities.environment("github")
    url = f"{variables['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience=databricks"
    headers = {"Authorization": f"Bearer {variables['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    token = httpx.get(url, headers=headers).json()["value"]
    identities.trust(GITHUB, audiences=["databricks"])
    assert who(identities.workspace, exchange(identities.workspace, token, client_id=identities.client_id))
    assert httpx.get(url).status_code == 401


def test_azure_devops_gives_the_token_of_the_job(identities: Identities) -> None:
    variables = identities.environment("azure-devops")
    base = variables["SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"] + PROJECT
    path = f"/_apis/distributedtask/hubs/build/plans/{PLAN}/jobs/{JOB}/oidctoken?api-version=7.2-preview.1"
    headers = {"Authorization": f"Bearer {variables['SYSTEM_ACCESSTOKEN']}"}
    token = httpx.post(base + path, headers=headers).json()["oidcToken"]
    identities.trust(AZURE_DEVOPS, audiences=[ENTRA_AUDIENCE])
    assert exchange(identities.workspace, token, client_id=identities.client_id).status_code == 200
    assert httpx.post(base + path).status_code == 401


def test_a_pod_has_a_token_that_the_workspace_exchanges(identities: Identities) -> None:
    identities.trust(KUBERNETES)
    token = identities.service_account_token()
    assert exchange(identities.workspace, token, client_id=identities.client_id).status_code == 200


def test_a_party_fails_as_often_as_it_is_told_and_counts(identities: Identities) -> None:
    identities.fail("entra", 503, times=2)
    identities.fail("imds", 200, body=b"<html>")
    assert [entra(identities).status_code for _ in range(3)] == [503, 503, 200]
    assert managed(identities).text == "<html>"
    assert managed(identities).status_code == 200
    identities.fail("imds", None)
    with pytest.raises(httpx.RemoteProtocolError):
        managed(identities)
    assert (identities.count("entra"), identities.count("imds"), identities.count("github")) == (3, 3, 0)
    assert identities.client_secret not in repr(identities.asked)
    assert httpx.get(f"{identities.url}/elsewhere").status_code == 404
