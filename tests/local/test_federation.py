"""Token federation: the exchange grant, its policies, and which identity tokens it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.tokens import ask, exchange, refusal, use, who
from tests.support.identities import claims_of

GRANT = (400, "invalid_grant")


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(virtual_time=True) as workspace:
        workspace.add_service_principal("etl")
        yield workspace


def test_an_identity_token_is_exchanged_for_a_token_of_the_service_principal(workspace: LocalWorkspace) -> None:
    workspace.add_federation_policy(client_id="etl", subject="repo:acme/etl")
    response = exchange(workspace, workspace.issue_identity_token("repo:acme/etl"), client_id="etl")
    token = response.json()["access_token"]
    expected = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "all-apis"}
    assert response.json() == expected
    assert response.headers["cache-control"] == "no-store"
    assert who(workspace, response) == "etl"


def test_the_claims_are_those_of_the_platform_and_of_the_test(workspace: LocalWorkspace) -> None:
    given: dict[str, Any] = {"issuer": "https://gitlab.com", "audience": "databricks", "seconds": 60}
    claims = claims_of(workspace.issue_identity_token("project:1", **given, claims={"email": "a@b"}))
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("https://gitlab.com", "databricks", "project:1")
    assert (claims["exp"] - claims["iat"], claims["email"]) == (60, "a@b")
    assert claims_of(workspace.issue_identity_token("x"))["aud"] == workspace.account_id
    assert workspace.issue_identity_token("x") != workspace.issue_identity_token("x")


@pytest.mark.parametrize(
    ("policy", "token", "fits"),
    [
        ({}, {}, True),
        ({}, {"subject": "other"}, False),
        ({}, {"issuer": "https://evil.example"}, False),
        ({}, {"audience": "other"}, False),
        ({"audiences": ["a", "b"]}, {"audience": "b"}, True),
        ({"audiences": ["a", "b"]}, {}, False),
        ({"audiences": ["a"]}, {"claims": {"aud": ["x", "a"]}}, True),
        ({"audiences": ["a"]}, {"claims": {"aud": {}}}, False),
        ({"issuer": "https://gitlab.com"}, {"issuer": "https://gitlab.com"}, True),
        ({"subject_claim": "job"}, {"subject": "x", "claims": {"job": "s"}}, True),
        ({"subject_claim": "job"}, {}, False),
        ({"subject_claim": "job"}, {"claims": {"job": ["s"]}}, False),
    ],
)
def test_a_policy_looks_at_issuer_audience_and_subject(
    workspace: LocalWorkspace, policy: dict[str, Any], token: dict[str, Any], fits: bool
) -> None:
    workspace.add_federation_policy(client_id="etl", subject="s", **policy)
    response = exchange(workspace, workspace.issue_identity_token(**{"subject": "s", **token}), client_id="etl")
    assert response.status_code == 200 if fits else refusal(response) == GRANT


def test_one_of_several_policies_is_enough_until_it_is_removed(workspace: LocalWorkspace) -> None:
    workspace.add_federation_policy(client_id="etl", subject="a")
    second = workspace.add_federation_policy(client_id="etl", subject="b")
    token = workspace.issue_identity_token("b")
    access = exchange(workspace, token, client_id="etl").json()["access_token"]
    workspace.remove_federation_policy(second)
    workspace.remove_federation_policy(second)
    assert refusal(exchange(workspace, token, client_id="etl")) == GRANT
    assert exchange(workspace, workspace.issue_identity_token("a"), client_id="etl").status_code == 200
    assert use(workspace, access).status_code == 200


def test_a_policy_is_for_its_own_service_principal_and_no_other(workspace: LocalWorkspace) -> None:
    workspace.add_service_principal("other")
    workspace.add_federation_policy(client_id="etl", subject="s")
    token = workspace.issue_identity_token("s")
    for client_id in ("other", "nobody", None, ""):
        assert refusal(exchange(workspace, token, client_id=client_id)) == GRANT


def test_a_policy_of_the_account_signs_in_the_user_that_the_token_names(workspace: LocalWorkspace) -> None:
    workspace.add_user("anna@example.com")
    workspace.add_federation_policy()
    anna = workspace.issue_identity_token("anna@example.com")
    assert who(workspace, exchange(workspace, anna)) == "anna@example.com"
    assert who(workspace, exchange(workspace, workspace.issue_identity_token("etl"))) == "etl"
    assert refusal(exchange(workspace, workspace.issue_identity_token("nobody"))) == GRANT
    assert refusal(exchange(workspace, anna, client_id="etl")) == GRANT


def test_the_user_may_be_in_another_claim(workspace: LocalWorkspace) -> None:
    workspace.add_user("anna@example.com")
    workspace.add_federation_policy(subject_claim="email")
    token = workspace.issue_identity_token("4711", claims={"email": "anna@example.com"})
    assert who(workspace, exchange(workspace, token)) == "anna@example.com"
    assert refusal(exchange(workspace, workspace.issue_identity_token("anna@example.com"))) == GRANT


def test_an_identity_token_ends_and_the_access_token_lives_on(workspace: LocalWorkspace) -> None:
    workspace.add_federation_policy(client_id="etl", subject="s")
    token = workspace.issue_identity_token("s", seconds=300)
    workspace.advance(299)
    access = exchange(workspace, token, client_id="etl").json()["access_token"]
    workspace.advance(1)
    assert refusal(exchange(workspace, token, client_id="etl")) == GRANT
    assert use(workspace, access).status_code == 200
    workspace.advance(3600)
    assert use(workspace, access).status_code == 403


@pytest.mark.parametrize("claims", [{"nbf": 10**12}, {"exp": 1}, {"exp": "never"}, {"exp": None}, {"nbf": []}])
def test_a_token_without_a_right_time_is_refused(workspace: LocalWorkspace, claims: dict[str, Any]) -> None:
    workspace.add_federation_policy(client_id="etl", subject="s")
    token = workspace.issue_identity_token("s", claims=claims)
    assert refusal(exchange(workspace, token, client_id="etl")) == GRANT


def forged(token: str) -> list[str]:
    header, content, signature = token.split(".")
    no_signature = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    changed = base64.urlsafe_b64encode(json.dumps({**claims_of(token), "sub": "s"}).encode()).decode().rstrip("=")
    return [
        f"{header}.{changed}.{signature}",
        f"{no_signature}.{changed}.",
        f"{header}.{content}",
        f"{header}.{content}.",
        f"{header}.{content}.{signature}x",
        "..",
        ".",
        "x",
        "ü",
        "a.b.c.d",
    ]


def test_what_it_did_not_sign_is_refused(workspace: LocalWorkspace) -> None:
    workspace.add_federation_policy(client_id="etl", subject="s")
    for token in forged(workspace.issue_identity_token("other")):
        assert refusal(exchange(workspace, token, client_id="etl")) == GRANT
    with LocalWorkspace() as other:
        foreign = other.issue_identity_token("s", audience=workspace.account_id)
    assert refusal(exchange(workspace, foreign, client_id="etl")) == GRANT


def test_an_access_token_is_no_identity_token_and_the_other_way_round(workspace: LocalWorkspace) -> None:
    workspace.add_federation_policy(client_id="etl", subject="etl", issuer="https://workspace.localhost/oidc")
    assert refusal(exchange(workspace, workspace.issue_token(user="etl"), client_id="etl")) == GRANT
    assert refusal(exchange(workspace, workspace.token, client_id="etl")) == GRANT
    assert use(workspace, workspace.issue_identity_token("etl")).status_code == 403


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "sql"}, "invalid_scope"),
        ({"client_id": ["etl", "etl"]}, "invalid_request"),
    ],
)
def test_a_wrong_form_is_refused_as_oauth_says(workspace: LocalWorkspace, fields: dict[str, Any], error: str) -> None:
    workspace.add_federation_policy(client_id="etl", subject="s")
    form = {"client_id": "etl", "subject_token": workspace.issue_identity_token("s"), **fields}
    assert refusal(exchange(workspace, **form)) == (400, error)


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        ({"client_id": "nobody", "subject": "s"}, "no service principal nobody"),
        ({"client_id": "etl"}, "needs a subject"),
        ({"client_id": "etl", "subject": ""}, "needs a subject"),
        ({"subject": "s"}, "cannot have a subject"),
        ({"issuer": ""}, "cannot be empty"),
        ({"audiences": []}, "cannot be empty"),
        ({"audiences": [""]}, "cannot be empty"),
        ({"subject_claim": ""}, "cannot be empty"),
    ],
)
def test_a_policy_that_makes_no_sense_is_an_error(
    workspace: LocalWorkspace, policy: dict[str, Any], error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        workspace.add_federation_policy(**policy)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_an_identity_token_must_live_for_some_time(workspace: LocalWorkspace, seconds: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        workspace.issue_identity_token("s", seconds=seconds)


def test_discovery_names_both_grants_and_the_account_has_the_same_endpoint(workspace: LocalWorkspace) -> None:
    secret = workspace.add_service_principal("two")
    config = httpx.get(f"{workspace.url}/.well-known/databricks-config").json()
    assert config["account_id"] == workspace.account_id
    account = f"/oidc/accounts/{workspace.account_id}"
    for path in ("/oidc", account):
        server = httpx.get(f"{workspace.url}{path}/.well-known/oauth-authorization-server").json()
        assert server["grant_types_supported"] == [
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ]
        assert server["issuer"] == f"{workspace.url}{path}"
        assert server["token_endpoint"] == f"{workspace.url}{path}/v1/token"
        assert who(workspace, ask(workspace, "two", secret, f"{path}/v1/token")) == "two"
    assert ask(workspace, "two", secret, "/oidc/accounts/another/v1/token").status_code == 404


def test_no_token_is_told_or_remembered(workspace: LocalWorkspace) -> None:
    workspace.add_federation_policy(client_id="etl", subject="s")
    token = workspace.issue_identity_token("s")
    access = exchange(workspace, token, client_id="etl").json()["access_token"]
    told = exchange(workspace, token, client_id="nobody").text + exchange(workspace, token, scope="sql").text
    httpx.post(f"{workspace.url}/oidc/v1/token", json={"subject_token": token})
    httpx.post(f"{workspace.url}/api/2.2/jobs/create", json={"subject_token": token, "client_assertion": token})
    httpx.get(f"{workspace.url}/api/2.2/jobs/list", params={"subject_token": token, "id_token": token})
    parts = workspace._parts
    seen = told + repr(workspace) + repr(workspace.requests) + repr(parts) + repr(vars(parts.accounts.federation))
    assert token not in seen
    assert access not in seen
