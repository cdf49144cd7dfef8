"""Who is let in, and what the others are told."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client, notebook_task


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


def test_each_further_user_has_a_token_and_maybe_more() -> None:
    with LocalWorkspace() as workspace:
        before = workspace.add_user("anna@example.com", "dapi-anna")
        assert before == "dapi-anna"
        tokens = {before, workspace.add_user("anna@example.com"), workspace.add_user("ben@example.com")}
        assert len(tokens | {workspace.token}) == 4
        for token in tokens:
            assert list_jobs(workspace, headers={"Authorization": f"Bearer {token}"}).status_code == 200
            assert list_jobs(workspace, auth=("token", token)).status_code == 200


def test_a_token_that_is_revoked_is_good_no_more_and_the_others_of_its_user_are() -> None:
    with LocalWorkspace(token="dapi-old") as workspace:
        new = workspace.add_user("someone@localhost")
        workspace.revoke_token("dapi-old")
        workspace.revoke_token("dapi-nobodys")
        answers = [
            list_jobs(workspace, headers={"Authorization": f"Bearer {token}"}).status_code
            for token in ("dapi-old", new)
        ]
    assert answers == [403, 200]


def test_a_user_needs_a_name_and_a_token_of_its_own() -> None:
    workspace = LocalWorkspace(token="dapi-mine")
    with pytest.raises(ValueError, match="needs a name"):
        workspace.add_user("")
    with pytest.raises(ValueError, match="token of another user") as caught:
        workspace.add_user("anna@example.com", "dapi-mine")
    assert "dapi-mine" not in str(caught.value)
    workspace.stop()


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_what_a_page_in_a_browser_can_send_runs_nothing(headers: dict[str, str]) -> None:
    with LocalWorkspace(login="someone", password="a-password") as workspace:
        body = {"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]}
        plain = {"Content-Type": "text/plain", **headers}
        sent = httpx.post(f"{workspace.url}{API}/runs/submit", content=json.dumps(body), headers=plain)
        asked = httpx.options(
            f"{workspace.url}{API}/runs/submit",
            headers={
                "Access-Control-Request-Headers": "authorization",
                "Access-Control-Request-Method": "POST",
                **headers,
            },
        )
        assert (sent.status_code, asked.status_code) == (401, 401)
        for answer in (sent, asked):
            # Nothing is shown to pages of others, and no browser asks its user for the password on their behalf.
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert not answer.headers["www-authenticate"].startswith("Basic")
        assert not workspace.runs


def test_it_listens_on_loopback_only(shared_workspace: LocalWorkspace) -> None:
    port = int(shared_workspace.url.rpartition(":")[2])
    with pytest.raises(OSError):  # noqa: PT011 - refused on Linux, no such address on macOS
        socket.create_connection(("127.0.0.2", port), timeout=2)


def test_no_child_finds_a_secret_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"login": "someone", "password": "pw-1", "client_id": "id", "client_secret": "dose-1"}
    passed = [*(f"LEAK_{number}" for number in range(4)), "LEAK_NOT"]
    with LocalWorkspace(token="dapi-1", pass_environment=passed, **options) as workspace:
        secrets = ["dapi-1", "pw-1", "dose-1", workspace.add_user("anna@example.com")]
        for number, secret in enumerate(secrets):
            monkeypatch.setenv(f"LEAK_{number}", f"it is {secret}")
        monkeypatch.setenv("LEAK_NOT", "nothing")
        client = Client(workspace)
        text = "import os\ndbutils.notebook.exit(','.join(name for name in os.environ if name.startswith('LEAK')))"
        run = client.finish(notebook_task(client.notebook(text)))
        assert client.output(run)["notebook_output"]["result"] == "LEAK_NOT"
        client.close()


def test_no_answer_and_no_repr_has_a_secret(client: Client) -> None:
    workspace = client.workspace
    client.get("list")
    seen = repr(workspace) + repr(workspace.requests) + httpx.get(workspace.url).text
    assert workspace.token not in seen
    assert "a-password" not in seen
