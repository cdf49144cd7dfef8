"""Which fields make which way to sign in, and what is said of fields that make none."""

from __future__ import annotations

import pickle
from itertools import combinations
from typing import Any

import cloudpickle
import httpx
import pytest

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials
from prefect_databricks_runs._prefect.compat import fields_of
from prefect_databricks_runs.auth import (
    AzureIdentity,
    BasicAuth,
    EntraServicePrincipal,
    Federation,
    LoginAndPassword,
    PersonalToken,
    Profile,
    ServicePrincipal,
    SignIn,
    TokenAuth,
    TokenCommand,
)
from prefect_databricks_runs.auth._azure import EntraAuth, ManagedIdentityAuth
from prefect_databricks_runs.auth._databricks import FederationAuth, ServicePrincipalAuth
from prefect_databricks_runs.auth._processes import CommandAuth, ProfileAuth
from prefect_databricks_runs.auth.sign_in import FIELDS, SECRETS, WAYS

HOST = "https://adb-1.2.azuredatabricks.net"
SECRET = "dose-hunter2"
PRINCIPAL = {"client_id": "id", "client_secret": SECRET}
RESOURCE = "/subscriptions/1"

EXAMPLES: list[tuple[dict[str, str], type[SignIn], httpx.Auth]] = [
    ({"token": f" {SECRET}\n"}, PersonalToken, TokenAuth(SECRET)),
    (PRINCIPAL, ServicePrincipal, ServicePrincipalAuth(HOST, "id", SECRET)),
    (
        {**PRINCIPAL, "azure_tenant_id": "t"},
        EntraServicePrincipal,
        EntraAuth(HOST, "t", "id", SECRET),
    ),
    (
        {**PRINCIPAL, "azure_tenant_id": "t", "azure_workspace_resource_id": RESOURCE},
        EntraServicePrincipal,
        EntraAuth(HOST, "t", "id", SECRET, RESOURCE),
    ),
    ({"azure_identity": "managed"}, AzureIdentity, ManagedIdentityAuth(HOST)),
    (
        {"azure_identity": "managed", "client_id": "id", "azure_workspace_resource_id": RESOURCE},
        AzureIdentity,
        ManagedIdentityAuth(HOST, "id", RESOURCE),
    ),
    ({"azure_identity": "workload", "client_id": "id"}, AzureIdentity, EntraAuth(HOST, client_id="id")),
    ({"oidc": "github", "client_id": "id"}, Federation, FederationAuth(HOST, "github", "id")),
    ({"oidc": "azure-devops"}, Federation, FederationAuth(HOST, "azure-devops")),
    ({"oidc": "env"}, Federation, FederationAuth(HOST, "env")),
    ({"oidc": "file", "oidc_token_filepath": "/t"}, Federation, FederationAuth(HOST, "file", "", "/t")),
    ({"token_command": f"vault {SECRET}"}, TokenCommand, CommandAuth(HOST, f"vault {SECRET}")),
    ({"profile": "dev"}, Profile, ProfileAuth(HOST, "dev")),
    ({"login": "ada", "password": SECRET}, LoginAndPassword, BasicAuth("ada", SECRET)),
]
each_way = pytest.mark.parametrize(
    ("fields", "way", "auth"), EXAMPLES, ids=lambda each: getattr(each, "__name__", None)
)


def credentials(**fields: Any) -> DatabricksCredentials:
    return DatabricksCredentials(host=HOST, **fields)


@each_way
def test_the_fields_of_a_way_are_keywords_of_the_block(fields, way, auth) -> None:
    block = credentials(**fields)
    assert type(block.sign_in) is way
    assert block.get_auth() == auth
    assert hash(block.get_auth()) == hash(auth)


@each_way
def test_they_may_stand_under_sign_in_as_a_saved_block_has_them_and_as_a_model(fields, way, auth) -> None:
    assert credentials(sign_in=fields).get_auth() == auth
    assert credentials(sign_in=way(**fields)).get_auth() == auth


@each_way
def test_a_document_of_the_first_release_has_all_other_fields_empty(fields, way, auth) -> None:
    empty: dict[str, Any] = dict.fromkeys(FIELDS, "") | {"a_field_of_a_later_release": "", "another": None}
    assert credentials(**{**empty, **fields}).get_auth() == auth
    assert type(credentials(**dict.fromkeys(FIELDS), sign_in=fields).sign_in) is way


@each_way
def test_they_are_attributes_of_the_block(fields, way, auth) -> None:
    block: Any = credentials(**fields)
    for name in FIELDS:
        value = getattr(block, name)
        text = value.get_secret_value() if name in SECRETS else value
        assert text == fields.get(name, "")


@each_way
def test_no_secret_is_shown_by_a_block_or_what_signs_for_it(fields, way, auth) -> None:
    block = credentials(**fields)
    if way is not TokenCommand:  # it is shown in the form, as it is
        assert "hunter2" not in repr(block) + str(block) + repr(block.sign_in)
    assert "hunter2" not in repr(auth) + str(auth) or way is TokenCommand
    for pickled in (pickle.dumps(block), cloudpickle.dumps(block)):
        assert pickle.loads(pickled).get_auth() == auth


def test_a_field_that_is_set_changes_the_way_or_its_value() -> None:
    block: Any = credentials(token="old")
    block.token = "new"
    assert block.get_auth() == TokenAuth("new")
    block.profile = "dev"
    assert type(block.sign_in) is Profile
    with pytest.raises(InvalidCredentials, match="`password` is missing"):
        block.login = "ada"
    assert type(block.sign_in) is Profile


def test_no_two_ways_need_the_same_fields() -> None:
    for one, other in combinations(WAYS, 2):
        assert needed(one) != needed(other)


def needed(way: type[SignIn]) -> set[str]:
    return {name for name, is_needed in fields_of(way).items() if is_needed}


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({}, "No way to sign in is set for https://adb-1"),
    ({"sign_in": None}, "No way to sign in is set"),
    ({"sign_in": {}}, "No way to sign in is set"),
    ({"client_id": "id"}, "`client_secret` is missing for .*, to sign in with a service principal"),
    ({"client_secret": SECRET}, "`client_id` is missing"),
    ({"azure_tenant_id": "t"}, "`client_id` and `client_secret` are missing for .* Microsoft Entra ID"),
    ({"azure_tenant_id": "t", "client_id": "id"}, "`client_secret` is missing for .* Microsoft Entra ID"),
    ({"azure_workspace_resource_id": RESOURCE}, "`azure_identity` is missing"),
    ({"oidc_token_filepath": "/t"}, "`oidc` is missing"),
    ({"oidc": "file"}, "`oidc_token_filepath` is missing"),
    ({"oidc": "env", "oidc_token_filepath": "/t"}, 'only read with oidc="file"'),
    ({"oidc": "gitlab"}, "`oidc`"),
    ({"azure_identity": "both"}, "`azure_identity`"),
    ({"token": SECRET, "client_id": "id"}, "Two ways .*: `token`, and `client_id`. Leave one"),
    ({"token": SECRET, **PRINCIPAL}, "Two ways .*: `token`, and `client_id` and `client_secret`"),
    ({"token": SECRET, "sign_in": PRINCIPAL}, "Two ways .*: `sign_in`, and `token`"),
    ({"login": "ada", "azure_tenant_id": "t"}, "`azure_tenant_id` and `login` are not one way"),
    ({"sign_in": 5}, "`sign_in` must be a way to sign in, .* not int"),
    ({"sign_in": [SECRET]}, "`sign_in` must be a way to sign in, .* not list"),
    ({"sign_in": {"tokne": SECRET}}, "no field 'tokne'"),
    ({"sign_in": {"token": 5}}, "`token` must be a string, not int"),
    ({"client_id": b"id", "client_secret": SECRET}, "`client_id` must be a string, not bytes"),
    ({"client_idd": "id", "client_secret": SECRET}, "no field 'client_idd'"),
    ({**PRINCIPAL, "client_secret": f"{SECRET} {SECRET}"}, "client secret for .* has a space"),
    ({**PRINCIPAL, "client_secret": "********"}, "masked"),
    ({"login": "ada", "password": "*****"}, "masked"),
    ({"profile": "  "}, "No way to sign in is set"),
]


@pytest.mark.parametrize(("fields", "says"), FAULTS, ids=lambda each: str(each)[:60])
def test_fields_that_are_no_way_to_sign_in_are_one_error_that_says_what_to_do(fields, says) -> None:
    with pytest.raises(InvalidCredentials, match=says) as caught:
        credentials(**fields)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("https://acme.databricks.com/?o=1", "several workspaces, and acme.databricks.com alone does not identify one"),
        ("https://westeurope.azuredatabricks.net/?o=7", "westeurope.azuredatabricks.net alone"),
        ("https://accounts.cloud.databricks.com", "account console"),
        ("accounts.azuredatabricks.net/?o=1", "several workspaces|account console"),
    ],
)
def test_an_address_that_names_no_workspace_is_refused(host: str, says: str) -> None:
    with pytest.raises(InvalidCredentials, match=says):
        DatabricksCredentials(host=host, token="t")


@pytest.mark.parametrize(
    "host",
    [
        "adb-1.2.azuredatabricks.net/?o=1",
        "dbc-a1.cloud.databricks.com/?o=1",
        "acme.cloud.databricks.com/?o=1",
        "1.2.gcp.databricks.com/?o=1",
        "databricks.acme.example/?o=1",
        "127.0.0.1/?o=1",
    ],
)
def test_one_that_names_its_workspace_may_have_the_number_too(host: str) -> None:
    assert DatabricksCredentials(host=host, token="t").host == f"https://{host.partition('/')[0]}"
