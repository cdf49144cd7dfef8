"""Who is let in, and what the others are told."""

from __future__ import annotations

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client


def list_jobs(workspace: LocalWorkspace, **options: object) -> httpx.Response:
    return httpx.get(f"{workspace.url}{API}/list", **options)  # type: ignore[arg-type]


def test_without_credential_the_answer_is_the_real_401(shared_workspace: LocalWorkspace) -> None:
    response = list_jobs(shared_workspace)
    assert response.status_code == 401
    assert response.json()["error_code"] == 401
    assert response.json()["message"].startswith(
        "Credential was not sent or was of an unsupported type for this API. [ReqId: "
    )
    assert response.headers["www-authenticate"] == 'Bearer realm="DatabricksRealm"'


def test_a_wrong_token_gets_the_real_403(shared_workspace: LocalWorkspace) -> None:
    response = list_jobs(shared_workspace, headers={"Authorization": "Bearer dapi-wrong"})
    assert response.status_code == 403
    assert response.json()["error_code"] == 403
    assert response.json()["message"].startswith("Invalid access token. [ReqId: ")
    assert response.headers["x-databricks-reason-phrase"] == "Invalid access token."


@pytest.mark.parametrize("credential", ["Digest x", "Basic", "Basic !!!", "Basic /w==", "dapi", ""])
def test_a_credential_that_cannot_be_used_is_none(shared_workspace: LocalWorkspace, credential: str) -> None:
    assert list_jobs(shared_workspace, headers={"Authorization": credential}).status_code == 401


def test_login_and_password_let_in(shared_workspace: LocalWorkspace) -> None:
    assert list_jobs(shared_workspace, auth=("someone", "a-password")).status_code == 200


def test_the_token_lets_in_as_a_password_too(shared_workspace: LocalWorkspace) -> None:
    assert list_jobs(shared_workspace, auth=("token", shared_workspace.token)).status_code == 200
    assert list_jobs(shared_workspace, auth=("token", "wrong")).status_code == 403


@pytest.mark.parametrize("auth", [("someone", "wrong"), ("somebody", "a-password"), ("ü", "ü")])
def test_a_wrong_login_or_password_is_refused(shared_workspace: LocalWorkspace, auth: tuple[str, str]) -> None:
    assert list_jobs(shared_workspace, auth=auth).status_code == 401


def test_unknown_paths_ask_for_a_credential_first(shared_workspace: LocalWorkspace) -> None:
    assert httpx.get(f"{shared_workspace.url}/api/2.2/jobs/xyz").status_code == 401


def test_no_answer_and_no_repr_has_a_secret(client: Client) -> None:
    workspace = client.workspace
    client.get("list")
    seen = repr(workspace) + repr(workspace.requests) + httpx.get(workspace.url).text
    assert workspace.token not in seen
    assert "a-password" not in seen
