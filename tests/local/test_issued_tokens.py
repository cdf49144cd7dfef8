"""Tokens that someone else made, tokens that end earlier than they say, and what a bad token is answered."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.accounts.oauth_tokens import OAuthTokens
from tests.local.client import API, Client, notebook_task
from tests.local.tokens import ask, use
from tests.support.identities import claims_of

MANAGEMENT_TOKEN = "X-Databricks-Azure-SP-Management-Token"
RESOURCE_ID = "X-Databricks-Azure-Workspace-Resource-Id"
RESOURCE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Databricks/workspaces/w"


def name_of(workspace: LocalWorkspace, token: str) -> str:
    url = f"{workspace.url}/api/2.0/preview/scim/v2/Me"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}).json()["userName"]


def test_a_token_of_someone_else_lets_in_until_it_ends() -> None:
    with LocalWorkspace(virtual_time=True) as workspace:
        token = workspace.issue_token(seconds=60)
        claims = claims_of(token)
        assert claims["exp"] - claims["iat"] == 60
        workspace.advance(59)
        assert use(workspace, token).status_code == 200
        workspace.advance(1)
        assert use(workspace, token).status_code == 403


def test_it_is_of_whom_the_test_says() -> None:
    with LocalWorkspace(oauth_token_seconds=90) as workspace:
        assert name_of(workspace, workspace.issue_token()) == "someone@localhost"
        assert name_of(workspace, workspace.issue_token(user="anna@example.com")) == "anna@example.com"
        claims = claims_of(workspace.issue_token())
        assert claims["exp"] - claims["iat"] == 90
    with LocalWorkspace(client_id="etl", client_secret="x") as workspace:
        assert name_of(workspace, workspace.issue_token()) == "etl"


def test_it_may_be_issued_before_the_start_and_ends_with_all_others() -> None:
    workspace = LocalWorkspace()
    token = workspace.issue_token()
    assert token not in repr(workspace)
    with workspace:
        assert use(workspace, token).status_code == 200
        workspace.expire_tokens()
        assert use(workspace, token).status_code == 403
        assert use(workspace, workspace.issue_token()).status_code == 200


@pytest.mark.parametrize("options", [{"seconds": 0}, {"seconds": float("nan")}, {"early_seconds": -1}])
def test_a_time_that_makes_no_sense_is_an_error(options: dict[str, float]) -> None:
    workspace = LocalWorkspace()
    with pytest.raises(ValueError, match="must"):
        workspace.issue_token(**options)
    workspace.stop()


def test_a_token_may_end_earlier_than_it_says() -> None:
    options: dict[str, Any] = {"client_id": "etl", "client_secret": "x", "oauth_token_seconds": 60}
    with LocalWorkspace(**options, oauth_token_early_seconds=30, virtual_time=True) as workspace:
        answer = ask(workspace, "etl", "x").json()
        assert answer["expires_in"] == 60
        tokens = [answer["access_token"], workspace.issue_token(), workspace.issue_token(early_seconds=0)]
        workspace.advance(29)
        assert [use(workspace, token).status_code for token in tokens] == [200, 200, 200]
        workspace.advance(1)
        assert [use(workspace, token).status_code for token in tokens] == [403, 403, 200]
        assert claims_of(tokens[0])["exp"] - claims_of(tokens[0])["iat"] == 60


@pytest.mark.parametrize("options", [{"oauth_token_early_seconds": -1}, {"token_refusal": "x"}])
def test_an_option_that_makes_no_sense_is_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        LocalWorkspace(**options)


def test_ended_tokens_are_forgotten() -> None:
    time = 100.0
    tokens = OAuthTokens(10.0, 0.0, lambda: time)
    for _ in range(100):
        tokens.issue("etl")
        time += 1
    assert len(tokens._known) <= 11


def test_a_bad_token_may_be_called_one_that_is_expiring() -> None:
    with LocalWorkspace(token_refusal="expiring") as workspace:
        response = use(workspace, "wrong")
    text = "Token is expiring within 30 seconds. (token expired)"
    assert (response.status_code, response.json()) == (403, {"error_code": 403, "message": text})
    assert response.headers["x-databricks-reason-phrase"] == text


def test_a_bad_token_may_be_answered_with_a_page() -> None:
    with LocalWorkspace(token_refusal="page") as workspace:
        response = use(workspace, "wrong")
        odd = httpx.get(f"{workspace.url}/api/2.2/%3Cb%3E", headers={"Authorization": "Bearer x"})
        personal = use(workspace, workspace.token)
        none = httpx.get(f"{workspace.url}{API}/list")
    assert (response.status_code, response.headers["content-type"]) == (403, "text/html;charset=utf-8")
    assert "<title>Error 403 Invalid access token.</title>" in response.text
    assert f"Problem accessing {API}/list. Reason:" in response.text
    assert "<b>" not in odd.text
    assert personal.status_code == 200
    assert (none.status_code, none.json()["error_code"]) == (401, 401)


def test_a_resource_of_azure_needs_a_management_token_and_neither_is_remembered() -> None:
    with LocalWorkspace() as workspace:
        token = workspace.issue_token()
        both = {MANAGEMENT_TOKEN: "management-secret", RESOURCE_ID: RESOURCE}
        assert use(workspace, token, **both).status_code == 200
        # databricks-sdk sends it to every workspace.
        assert use(workspace, token, **{MANAGEMENT_TOKEN: "management-secret"}).status_code == 200
        refused = use(workspace, token, **{RESOURCE_ID: RESOURCE})
        assert (refused.status_code, refused.json()["message"]) == (403, "User not authorized.")
        assert use(workspace, "wrong", **both).status_code == 403
        assert [each.sign_in_headers for each in workspace.requests[:3]] == [
            ("authorization", MANAGEMENT_TOKEN.lower(), RESOURCE_ID.lower()),
            ("authorization", MANAGEMENT_TOKEN.lower()),
            ("authorization", RESOURCE_ID.lower()),
        ]
        assert "management-secret" not in repr(workspace.requests) + refused.text
        assert RESOURCE not in repr(workspace.requests) + refused.text


def test_no_task_finds_a_token_or_a_new_secret_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [f"LEAK_{number}" for number in range(5)]
    with LocalWorkspace(pass_environment=[*passed, "HARMLESS"]) as workspace:
        secrets = [workspace.issue_token(), workspace.add_service_principal("etl", "dose-1")]
        secrets += [workspace.rotate_client_secret("etl", "dose-2"), workspace.issue_identity_token("s"), "dose-1"]
        for name, secret in zip(passed, secrets, strict=True):
            monkeypatch.setenv(name, f"it is {secret}")
        monkeypatch.setenv("HARMLESS", "yes")
        client = Client(workspace)
        code = "import os\ndbutils.notebook.exit(' '.join(n for n in os.environ if n[:4] in ('LEAK', 'HARM')))"
        run = client.finish(notebook_task(client.notebook(code)))
        assert client.output(run)["notebook_output"]["result"] == "HARMLESS"
        client.close()
