"""OAuth machine-to-machine: discovery, the token endpoint, and tokens that end."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from urllib.parse import quote_plus

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.accounts.oauth_tokens import OAuthTokens
from tests.local.tokens import TOKEN, refusal, use

CLIENT = ("6f1c1f3e-7a4e-4c9a-9a4e-0d7c2b1a0001", "dose secret+/%41")
FORM = {"grant_type": "client_credentials", "scope": "all-apis"}


@pytest.fixture(scope="module")
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(client_id=CLIENT[0], client_secret=CLIENT[1]) as workspace:
        yield workspace


def ask(workspace: LocalWorkspace, form: object = FORM, **options: object) -> httpx.Response:
    return httpx.post(workspace.url + TOKEN, data=form, **{"auth": CLIENT, **options})  # type: ignore[arg-type]


def test_client_id_and_secret_get_a_token_that_lets_in(workspace: LocalWorkspace) -> None:
    response = ask(workspace)
    answer = response.json()
    assert answer == {
        "access_token": answer["access_token"],
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "all-apis",
    }
    assert response.headers["cache-control"] == "no-store"
    assert use(workspace, answer["access_token"]).status_code == 200


@pytest.mark.parametrize("how", ["header", "encoded header", "form"])
def test_a_client_may_sign_in_as_rfc_6749_allows_and_as_clients_do(workspace: LocalWorkspace, how: str) -> None:
    if how == "form":
        response = ask(workspace, {**FORM, "client_id": CLIENT[0], "client_secret": CLIENT[1]}, auth=None)
    else:
        pair = tuple(quote_plus(part) for part in CLIENT) if how == "encoded header" else CLIENT
        response = ask(workspace, auth=pair)
    assert use(workspace, response.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("pair", [(CLIENT[0], "wrong"), ("wrong", CLIENT[1]), ("", ""), ("token", "x")])
def test_a_wrong_client_gets_the_real_refusal(workspace: LocalWorkspace, pair: tuple[str, str]) -> None:
    response = ask(workspace, auth=pair)
    assert refusal(response) == (401, "invalid_client")
    assert response.json()["error_description"] == "Client authentication failed"
    assert response.headers["www-authenticate"].startswith("Basic ")
    in_form = ask(workspace, {**FORM, "client_id": pair[0], "client_secret": pair[1]}, auth=None)
    assert refusal(in_form) == (401, "invalid_client")
    assert "www-authenticate" not in in_form.headers


def test_the_header_counts_when_there_is_one(workspace: LocalWorkspace) -> None:
    form = {**FORM, "client_id": CLIENT[0], "client_secret": CLIENT[1]}
    assert refusal(ask(workspace, form, auth=(CLIENT[0], "wrong"))) == (401, "invalid_client")
    bearer = ask(workspace, form, auth=None, headers={"Authorization": f"Bearer {workspace.token}"})
    assert refusal(bearer) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "all-apis"}, "invalid_request"),
        ({**FORM, "grant_type": "password"}, "unsupported_grant_type"),
        ({**FORM, "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "invalid_scope"),
        ({**FORM, "scope": "sql"}, "invalid_scope"),
        ({**FORM, "scope": ["all-apis", "all-apis"]}, "invalid_request"),
    ],
)
def test_a_wrong_form_is_refused_as_oauth_says(workspace: LocalWorkspace, form: object, error: str) -> None:
    assert refusal(ask(workspace, form)) == (400, error)


@pytest.mark.parametrize("body", [b"\xff", b"", b"{}", b"&" * 5000, b"grant_type=client_credentials&scope=%ff"])
def test_no_body_makes_the_token_endpoint_fail(workspace: LocalWorkspace, body: bytes) -> None:
    assert httpx.post(workspace.url + TOKEN, content=body, auth=CLIENT).status_code == 400


def test_expired_tokens_are_wrong_tokens_and_personal_ones_stay(workspace: LocalWorkspace) -> None:
    token = ask(workspace).json()["access_token"]
    workspace.expire_tokens()
    response = use(workspace, token)
    assert (response.status_code, response.json()["error_code"]) == (403, 403)
    assert response.json()["message"].startswith("Invalid access token. [ReqId: ")
    assert use(workspace, workspace.token).status_code == 200
    assert use(workspace, ask(workspace).json()["access_token"]).status_code == 200


def test_a_token_lives_as_long_as_it_says() -> None:
    time = 100.0
    tokens = OAuthTokens(10.0, 0.0, lambda: time)
    first = tokens.issue(CLIENT[0])
    time = 105.0
    second = tokens.issue(CLIENT[0])
    assert first != second
    time = 109.9
    assert tokens.owner(first) == CLIENT[0]
    time = 110.0
    assert tokens.owner(first) is None
    assert tokens.owner(second) == CLIENT[0]
    third = tokens.issue(CLIENT[0])
    time = 115.0
    assert tokens.owner(second) is None
    assert tokens.owner(third) == CLIENT[0]


def test_the_answer_says_how_long_a_token_lives() -> None:
    with LocalWorkspace(client_id="a", client_secret="b", oauth_token_seconds=90) as workspace:
        assert ask(workspace, auth=("a", "b")).json()["expires_in"] == 90


def test_without_a_service_principal_no_client_is_known(shared_workspace: LocalWorkspace) -> None:
    assert (shared_workspace.client_id, shared_workspace.client_secret) == (None, None)
    assert refusal(ask(shared_workspace)) == (401, "invalid_client")
    assert refusal(ask(shared_workspace, auth=("", ""))) == (401, "invalid_client")
    assert refusal(ask(shared_workspace, auth=None)) == (401, "invalid_client")


def test_a_token_of_one_workspace_is_nothing_in_another(workspace: LocalWorkspace) -> None:
    with LocalWorkspace(client_id=CLIENT[0], client_secret=CLIENT[1]) as other:
        assert use(other, ask(workspace).json()["access_token"]).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_discovery_leads_to_the_token_endpoint_by_the_address_that_was_used(
    workspace: LocalWorkspace, name: str
) -> None:
    base = workspace.url.replace("127.0.0.1", name)
    config = httpx.get(f"{base}/.well-known/databricks-config").json()
    assert config["oidc_endpoint"] == f"{base}/oidc"
    assert config["host_type"] == "workspace"
    assert config["cloud"] == "AWS"
    server = httpx.get(f"{config['oidc_endpoint']}/.well-known/oauth-authorization-server").json()
    assert server["token_endpoint"] == base + TOKEN
    assert server["authorization_endpoint"] == f"{base}/oidc/v1/authorize"
    assert config["token_federation_default_oidc_audiences"] == [server["token_endpoint"]]
    assert httpx.post(server["token_endpoint"], data=FORM, auth=CLIENT).status_code == 200


def test_a_client_that_does_not_tell_its_address_gets_the_workspaces(workspace: LocalWorkspace) -> None:
    with socket.create_connection(("127.0.0.1", int(workspace.url.rpartition(":")[2]))) as plain:
        plain.sendall(b"GET /.well-known/databricks-config HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: plain.recv(65536), b""))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["oidc_endpoint"] == f"{workspace.url}/oidc"


def test_the_sign_in_of_a_person_is_not_served_and_says_so(workspace: LocalWorkspace) -> None:
    response = httpx.get(f"{workspace.url}/oidc/v1/authorize")
    assert (response.status_code, response.json()["error_code"]) == (501, "NOT_IMPLEMENTED")


def test_no_secret_and_no_token_is_told_or_remembered(workspace: LocalWorkspace) -> None:
    token = ask(workspace).json()["access_token"]
    use(workspace, token)
    httpx.post(workspace.url + TOKEN, json={"client_secret": CLIENT[1]})
    told = httpx.get(workspace.url + TOKEN, auth=CLIENT).text + ask(workspace, {}).text
    seen = told + repr(workspace) + repr(workspace.requests)
    encoded = base64.b64encode(":".join(CLIENT).encode()).decode()
    assert not [secret for secret in (CLIENT[1], encoded, token) if secret in seen]
    assert workspace.requests[-1].path == TOKEN


@pytest.mark.parametrize("options", [{"client_id": "a"}, {"client_secret": "b"}])
def test_half_a_service_principal_is_an_error(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="both client_id and client_secret"):
        LocalWorkspace(**options)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_token_must_live_for_some_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        LocalWorkspace(oauth_token_seconds=seconds)
