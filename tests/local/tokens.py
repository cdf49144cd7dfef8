"""Signing in to a local workspace by hand: asking for a token, and using one."""

from __future__ import annotations

from typing import Any

import httpx

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API

TOKEN = "/oidc/v1/token"
WITH_SECRET = {"grant_type": "client_credentials", "scope": "all-apis"}
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "scope": "all-apis",
}


def ask(workspace: LocalWorkspace, client_id: str, client_secret: str, path: str = TOKEN) -> httpx.Response:
    return httpx.post(workspace.url + path, data=WITH_SECRET, auth=(client_id, client_secret))


def exchange(workspace: LocalWorkspace, subject_token: str | None, **fields: Any) -> httpx.Response:
    form = {**EXCHANGE, "subject_token": subject_token, **fields}
    return httpx.post(workspace.url + TOKEN, data={name: value for name, value in form.items() if value is not None})


def use(workspace: LocalWorkspace, token: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{workspace.url}{API}/list", headers={"Authorization": f"Bearer {token}", **headers})


def who(workspace: LocalWorkspace, answer: httpx.Response) -> str:
    """Returns whose token an answer of the token endpoint has."""
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.get(f"{workspace.url}/api/2.0/preview/scim/v2/Me", headers=headers).json()["userName"]


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Returns status and error of a token endpoint that refuses, in the form of RFC 6749."""
    answer = response.json()
    assert set(answer) == {"error", "error_id", "error_description"}
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, answer["error"]
