"""The contract of sign-in: databricks-sdk, unmodified, gets into a local workspace by each way that it has for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.sdk import SdkTime
from tests.support.identities import AZURE_DEVOPS, ENTRA_AUDIENCE, GITHUB, Identities, claims_of

pytestmark = pytest.mark.usefixtures("sdk_time")
DISCOVERY = ["/.well-known/databricks-config", "/oidc/.well-known/oauth-authorization-server"]
TOKEN = "/oidc/v1/token"


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(client_id="etl", client_secret="dose-1") as workspace:
        workspace.add_federation_policy(client_id="etl", subject="s")
        yield workspace


def client(workspace: LocalWorkspace, **options: Any) -> WorkspaceClient:
    return WorkspaceClient(config=Config(host=workspace.url, **options))


def paths(workspace: LocalWorkspace) -> list[str]:
    return [each.path for each in workspace.requests]


def who(w: WorkspaceClient) -> str | None:
    return w.current_user.me().user_name


def test_a_personal_token(workspace: LocalWorkspace) -> None:
    w = client(workspace, token=workspace.token)
    assert who(w) == "someone@localhost"
    assert w.config.auth_type == "pat"


def test_a_client_id_and_its_secret(workspace: LocalWorkspace) -> None:
    w = client(workspace, client_id="etl", client_secret="dose-1")
    assert who(w) == "etl"
    assert w.config.auth_type == "oauth-m2m"
    assert set(DISCOVERY) < set(paths(workspace))
    assert paths(workspace).count(TOKEN) == 1
    old = workspace.rotate_client_secret()
    assert who(w) == "etl"  # by its token
    with pytest.raises(ValueError, match="invalid_client: Client authentication failed"):
        client(workspace, client_id="etl", client_secret="dose-1").current_user.me()
    assert who(client(workspace, client_id="etl", client_secret=old)) == "etl"


@pytest.mark.parametrize("variable", ["DATABRICKS_OIDC_TOKEN", "MY_TOKEN"])
def test_an_identity_token_of_the_environment(
    workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, workspace.issue_identity_token("s"))
    w = client(workspace, auth_type="env-oidc", client_id="etl", oidc_token_env=variable)
    assert who(w) == "etl"
    assert w.config.auth_type == "env-oidc"
    assert set(DISCOVERY) < set(paths(workspace))


def test_an_identity_token_of_a_file_which_is_read_again(
    workspace: LocalWorkspace, tmp_path: Path, sdk_time: SdkTime
) -> None:
    file = tmp_path / "token"
    file.write_text(workspace.issue_identity_token("s", seconds=3600))
    w = client(workspace, auth_type="file-oidc", client_id="etl", oidc_token_filepath=str(file))
    assert who(w) == who(w) == "etl"
    assert paths(workspace).count(TOKEN) == 1
    file.write_text(workspace.issue_identity_token("other"))
    assert who(client(workspace, token=workspace.token)) == "someone@localhost"
    with pytest.raises(ValueError, match="invalid_grant: No federation policy accepts"):
        who(client(workspace, auth_type="file-oidc", client_id="etl", oidc_token_filepath=str(file)))


def test_a_policy_of_the_whole_account_needs_no_client_id(
    workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.add_user("anna@example.com")
    workspace.add_federation_policy()
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", workspace.issue_identity_token("anna@example.com"))
    assert who(client(workspace, auth_type="env-oidc")) == "anna@example.com"


def test_without_an_auth_type_it_finds_the_identity_token_by_itself(
    workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", workspace.issue_identity_token("s"))
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "etl")
    w = WorkspaceClient(host=workspace.url)
    assert (who(w), w.config.auth_type) == ("etl", "env-oidc")


def test_an_access_token_of_someone_else(workspace: LocalWorkspace) -> None:
    assert who(client(workspace, token=workspace.issue_token(user="entra-app"))) == "entra-app"


def test_github_actions(workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with Identities(workspace) as identities:
        identities.trust(GITHUB, audiences=[f"{workspace.url}{TOKEN}"])
        set_environment(monkeypatch, identities.environment("github"))
        w = client(workspace, auth_type="github-oidc", client_id=identities.client_id)
        assert who(w) == identities.client_id
        assert identities.count("github") >= 1


def test_azure_devops(workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with Identities(workspace) as identities:
        identities.trust(AZURE_DEVOPS, audiences=[ENTRA_AUDIENCE])
        set_environment(monkeypatch, identities.environment("azure-devops"))
        w = client(workspace, auth_type="azure-devops-oidc", client_id=identities.client_id)
        assert who(w) == identities.client_id
        assert identities.count("azure-devops") >= 1


def test_it_reads_in_an_access_token_what_it_reads_in_a_real_one(workspace: LocalWorkspace) -> None:
    w = client(workspace, client_id="etl", client_secret="dose-1")
    token = w.config.oauth_token().access_token
    assert claims_of(token).keys() == {"iss", "sub", "iat", "exp", "jti"}
    assert claims_of(token)["sub"] == "etl"


def set_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
