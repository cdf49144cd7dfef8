"""Several service principals, each with its own secrets, which rotate."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.tokens import ask, refusal, use, who

INVALID = (401, "invalid_client")


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(client_id="first", client_secret="dose-1") as workspace:
        yield workspace


def test_each_gets_in_with_its_own_secret_and_is_known_by_its_client_id(workspace: LocalWorkspace) -> None:
    second = workspace.add_service_principal("second")
    assert second.startswith("dose")
    assert workspace.add_service_principal("third", "dose-3") == "dose-3"
    for client_id, secret in [("first", "dose-1"), ("second", second), ("third", "dose-3")]:
        assert who(workspace, ask(workspace, client_id, secret)) == client_id
    assert refusal(ask(workspace, "second", "dose-3")) == INVALID
    assert (workspace.client_id, workspace.client_secret) == ("first", "dose-1")


def test_they_may_be_added_before_it_starts_and_without_a_first_one() -> None:
    workspace = LocalWorkspace()
    secret = workspace.add_service_principal("etl")
    with workspace:
        assert who(workspace, ask(workspace, "etl", secret)) == "etl"
        assert workspace.client_id is None


def test_what_a_service_principal_makes_carries_its_client_id(workspace: LocalWorkspace) -> None:
    token = ask(workspace, "first", "dose-1").json()["access_token"]
    api = httpx.Client(base_url=f"{workspace.url}/api/2.2/jobs/", headers={"Authorization": f"Bearer {token}"})
    with api:
        job_id = api.post("create", json={"name": "x"}).json()["job_id"]
        assert api.get("get", params={"job_id": job_id}).json()["creator_user_name"] == "first"


def test_a_secret_that_is_rotated_is_refused_at_once(workspace: LocalWorkspace) -> None:
    token = ask(workspace, "first", "dose-1").json()["access_token"]
    new = workspace.rotate_client_secret()
    assert workspace.client_secret == new != "dose-1"
    assert refusal(ask(workspace, "first", "dose-1")) == INVALID
    assert who(workspace, ask(workspace, "first", new)) == "first"
    assert use(workspace, token).status_code == 200  # as on Databricks
    workspace.expire_tokens()
    assert use(workspace, token).status_code == 403


def test_the_old_secret_may_be_kept_until_it_is_revoked(workspace: LocalWorkspace) -> None:
    assert workspace.rotate_client_secret("first", "dose-2", keep_old=True) == "dose-2"
    assert [ask(workspace, "first", secret).status_code for secret in ("dose-1", "dose-2")] == [200, 200]
    workspace.revoke_client_secret("first", "dose-1")
    workspace.revoke_client_secret("first", "nobody's")
    workspace.revoke_client_secret("nobody", "dose-2")
    assert refusal(ask(workspace, "first", "dose-1")) == INVALID
    assert who(workspace, ask(workspace, "first", "dose-2")) == "first"


def test_another_ones_secret_rotates_too_and_the_first_stays(workspace: LocalWorkspace) -> None:
    old = workspace.add_service_principal("second")
    new = workspace.rotate_client_secret("second")
    assert refusal(ask(workspace, "second", old)) == INVALID
    assert who(workspace, ask(workspace, "second", new)) == "second"
    assert workspace.client_secret == "dose-1"


def test_one_has_up_to_five_secrets(workspace: LocalWorkspace) -> None:
    for number in range(2, 6):
        workspace.add_service_principal("first", f"dose-{number}")
    workspace.add_service_principal("first", "dose-5")  # it has it already
    with pytest.raises(ValueError, match="has 5 secrets") as caught:
        workspace.add_service_principal("first", "dose-6")
    assert "dose-" not in str(caught.value)
    workspace.revoke_client_secret("first", "dose-1")
    workspace.add_service_principal("first", "dose-6")
    assert ask(workspace, "first", "dose-6").status_code == 200
    assert workspace.rotate_client_secret("first", "dose-7") == "dose-7"
    assert [ask(workspace, "first", f"dose-{number}").status_code for number in (5, 6, 7)] == [401, 401, 200]


def test_one_that_is_removed_leaves_nothing(workspace: LocalWorkspace) -> None:
    secret = workspace.add_service_principal("second")
    workspace.add_federation_policy(client_id="second", subject="s")
    personal = workspace.add_user("second")
    tokens = [personal, ask(workspace, "second", secret).json()["access_token"], workspace.issue_token(user="second")]
    first = ask(workspace, "first", "dose-1").json()["access_token"]
    workspace.remove_service_principal("second")
    workspace.remove_service_principal("second")
    assert refusal(ask(workspace, "second", secret)) == INVALID
    assert [use(workspace, token).status_code for token in tokens] == [403, 403, 403]
    assert use(workspace, first).status_code == 200
    with pytest.raises(ValueError, match="no service principal second"):
        workspace.rotate_client_secret("second")


def test_the_first_one_may_be_removed_too(workspace: LocalWorkspace) -> None:
    workspace.remove_service_principal("first")
    assert (workspace.client_id, workspace.client_secret) == (None, None)
    assert refusal(ask(workspace, "first", "dose-1")) == INVALID
    assert use(workspace, workspace.issue_token()).status_code == 200


def test_removing_takes_no_person_away(workspace: LocalWorkspace) -> None:
    token = workspace.add_user("anna@example.com")
    workspace.remove_service_principal("anna@example.com")
    assert use(workspace, token).status_code == 200


def test_what_makes_no_sense_is_an_error() -> None:
    workspace = LocalWorkspace()
    with pytest.raises(ValueError, match="needs a client_id"):
        workspace.add_service_principal("")
    with pytest.raises(ValueError, match="made without one"):
        workspace.rotate_client_secret()
    workspace.stop()


@pytest.mark.parametrize("client_id", ["ü", "", "first "])
def test_no_client_id_confuses_the_comparison(workspace: LocalWorkspace, client_id: str) -> None:
    assert refusal(ask(workspace, client_id, "dose-1")) == INVALID
