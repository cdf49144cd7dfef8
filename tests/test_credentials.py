"""The block: what it takes, what it refuses, and that it shows no secret."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials
from prefect_databricks_runs.auth import BasicAuth, TokenAuth
from prefect_databricks_runs.credentials import normalize_host

HOST = "https://adb-1.2.azuredatabricks.net"


@pytest.mark.parametrize(
    "pasted",
    [
        "adb-1.2.azuredatabricks.net",
        "https://adb-1.2.azuredatabricks.net",
        "https://adb-1.2.azuredatabricks.net/",
        "https://adb-1.2.azuredatabricks.net/?o=1",
        "https://adb-1.2.azuredatabricks.net/?o=1#job/42",
        "  HTTPS://ADB-1.2.AzureDatabricks.net/jobs/3  ",
    ],
)
def test_a_host_is_taken_as_people_paste_it(pasted: str) -> None:
    assert DatabricksCredentials(host=pasted, token="t").host == HOST


@pytest.mark.parametrize("host", [f"{HOST}:8443", "http://127.0.0.1:80", "http://localhost:8765", "http://[::1]:1"])
def test_a_port_and_plain_http_to_this_machine_are_kept(host: str) -> None:
    assert normalize_host(host) == host


@pytest.mark.parametrize(
    ("host", "says"),
    [
        (" ", "must be the address of a workspace"),
        ("https://", "must be the address"),
        ("two words", "must be the address"),
        ("[", "must be the address"),
        ("<workspace>", "must be the address"),
        ("ftp://x", "must be the address"),
        ("https://x:99999", "must be the address"),
        ("https://ada:pw@x", "remove the user and password"),
        ("https://ada:pw@x:99999", "remove the user and password"),
        ("https://x.example\t.evil.example", "remove tabs, line breaks"),
        ("https://x.example\n.evil.example", "remove tabs, line breaks"),
        ("https://x.example/\rpw", "remove tabs, line breaks"),
        ("https://x.\u202eexample", "remove tabs, line breaks"),
        ("https://x\x00.example", "remove tabs, line breaks"),
        ("pw\x1b[2J", "remove tabs, line breaks"),
        ("https://x.example:0", "a port other than 0"),
        ("http://127.0.0.1:0/pw", "a port other than 0"),
        ("http://example.com", "plain http"),
        ("http://127.0.0.1.example.com", "plain http"),
    ],
)
def test_a_host_that_is_none_is_refused(host: str, says: str) -> None:
    with pytest.raises(InvalidCredentials, match=says) as caught:
        DatabricksCredentials(host=host, token="t")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("fields", [{}, {"host": None}, {"host": ""}, {"tokne": "hunter2"}], ids=str)
def test_no_host_is_refused_with_what_to_give(fields) -> None:
    with pytest.raises(InvalidCredentials, match="no `host`. Set it to the address.*such as https://adb") as caught:
        DatabricksCredentials(**{"token": "hunter2", **fields})
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_host_or_a_clear_error(text: str) -> None:
    try:
        host = normalize_host(text)
    except InvalidCredentials:
        return
    assert normalize_host(host) == host
    assert host.startswith(("https://", "http://"))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "No way to sign in is set"),
        ({"token": "  "}, "No way to sign in is set"),
        ({"token": "t", "login": "ada"}, "Two ways"),
        ({"token": "t", "login": "ada", "password": "hunter2"}, "Two ways"),
        ({"login": "ada"}, "`password` is missing"),
        ({"password": "hunter2"}, "`login` is missing"),
        ({"tokne": "hunter2"}, "no field 'tokne'"),
        ({"token": "t", "request_timeout_seconds": 0}, "must be above 0"),
        ({"token": "t", "request_timeout_seconds": float("nan")}, "must be above 0"),
        ({"token": "dapi\nhunter2"}, "line break"),
        ({"token": "dapi hunter2"}, "a space"),
    ],
)
def test_none_both_or_half_a_way_to_sign_in_is_refused(fields, says) -> None:
    with pytest.raises(InvalidCredentials, match=says) as caught:
        DatabricksCredentials(host=HOST, **fields)
    assert "hunter2" not in str(caught.value)


def test_a_masked_secret_is_refused_with_the_way_to_do_it() -> None:
    with pytest.raises(InvalidCredentials, match="masked.*block_document_slug"):
        DatabricksCredentials(host=HOST, token="**********", block_type_slug="databricks-runs-credentials")


def test_each_way_to_sign_in() -> None:
    assert DatabricksCredentials(host=HOST, token=" t\n").get_auth() == TokenAuth("t")
    assert DatabricksCredentials(host=HOST, login="ada", password="pw").get_auth() == BasicAuth("ada", "pw")


def test_clients_are_signed_in_and_know_the_workspace() -> None:
    credentials = DatabricksCredentials(host=HOST, token="dapi-secret", request_timeout_seconds=5)
    with credentials.get_client() as client:
        request = client.build_request("GET", "/api/2.2/jobs/list")
        assert str(request.url) == f"{HOST}/api/2.2/jobs/list"
        assert client.auth == TokenAuth("dapi-secret")
        assert client.timeout.read == 5
    assert credentials.get_async_client().headers["User-Agent"] == client.headers["User-Agent"]


def test_no_secret_is_shown() -> None:
    for credentials in (
        DatabricksCredentials(host=HOST, token="hunter2"),
        DatabricksCredentials(host=HOST, login="ada", password="hunter2"),
    ):
        assert "hunter2" not in repr(credentials) + str(credentials)
        again = pickle.loads(pickle.dumps(credentials))
        assert again.get_auth() == credentials.get_auth()


@pytest.mark.parametrize("connection", ['{"host": "h.net", "token": "t"}', {"host": "h.net", "token": "t"}])
def test_the_secret_of_prefect_1_is_read(connection) -> None:
    credentials = DatabricksCredentials.from_connection_string(connection)
    assert (credentials.host, credentials.get_auth()) == ("https://h.net", TokenAuth("t"))


def test_the_secret_of_prefect_1_may_have_login_and_password() -> None:
    connection = {"host": "abcdef.xyz", "login": "ghijklmn", "password": "opqrst"}
    assert DatabricksCredentials.from_connection_string(connection).get_auth() == BasicAuth("ghijklmn", "opqrst")


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        ("hunter2", "not JSON"),
        ('["hunter2"]', "must be a mapping"),
        ({"token": "hunter2"}, "no `host`"),
        ({"host": "h", "token": "hunter2", "user": "hunter2"}, "has 1 unknown key. Valid keys are 'host'"),
        ({"host": "h", "hunter2": "token", "hunter2hunter2": "x"}, "has 2 unknown keys"),
        ({"host": "h", "token": ["hunter2"]}, "'token' must be a string"),
        ({"host": "h"}, "No way to sign in"),
    ],
)
def test_a_connection_string_that_is_wrong_is_one_clear_error_without_the_secret(connection, says) -> None:
    with pytest.raises(InvalidCredentials, match=says) as caught:
        DatabricksCredentials.from_connection_string(connection)
    assert "hunter2" not in str(caught.value)


def test_the_block_is_not_the_one_of_prefects_own_catalogue() -> None:
    assert DatabricksCredentials.get_block_type_slug() == "databricks-runs-credentials"
    assert DatabricksCredentials._block_type_name == "Databricks Runs Credentials"


TABS = [
    "Token",
    "Service principal",
    "Entra ID",
    "Azure identity",
    "Federation",
    "Command",
    "Profile",
    "Login",
]


def test_the_form_has_the_host_first_a_tab_for_each_way_and_a_sentence_for_each_field() -> None:
    schema: Any = (
        DatabricksCredentials.model_json_schema()
        if hasattr(DatabricksCredentials, "model_json_schema")
        else DatabricksCredentials.schema()
    )
    properties, models = schema["properties"], schema.get("$defs") or schema["definitions"]
    numbers = ["request_timeout_seconds", "requests_per_second"]
    assert list(properties) == ["host", "sign_in", *numbers]
    tabs = [models[each["$ref"].rpartition("/")[2]] for each in properties["sign_in"]["anyOf"]]
    assert [tab["title"] for tab in tabs] == TABS
    assert len(models) == len(tabs)
    described = {name: field for name, field in properties.items() if name != "sign_in"}
    for form in (described, *(tab["properties"] for tab in tabs)):
        for name, field in form.items():
            assert field["description"].endswith("."), name
            assert "anyOf" not in field, name
    # One tab is told from another by what it needs.
    assert len({frozenset(tab["required"]) for tab in tabs}) == len(tabs)


def test_what_the_ui_shows_of_the_block() -> None:
    assert DatabricksCredentials.get_description().startswith("Sign in to a Databricks workspace with a token, as a")
    example = DatabricksCredentials.get_code_example()
    assert "from prefect_databricks_runs import DatabricksCredentials" in example
    assert 'DatabricksCredentials.load("BLOCK_NAME")' in example
