"""`DatabricksCredentials.from_environment`: which values count, which way to sign in they are, and what is wrong."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials, submit_run_and_wait
from prefect_databricks_runs.auth import BasicAuth, TokenAuth, TokenCommand
from prefect_databricks_runs.auth._azure import EntraAuth, ManagedIdentityAuth
from prefect_databricks_runs.auth._databricks import FederationAuth, ServicePrincipalAuth
from prefect_databricks_runs.auth._places import VARIABLES, looked_at
from prefect_databricks_runs.auth._processes import CommandAuth, ProfileAuth
from prefect_databricks_runs.local import LocalWorkspace
from tests.test_secrets_stay import SECRET, everything, raised, shows_a_secret

HOST = "https://adb-1.2.azuredatabricks.net"
AWS = "https://dbc-a1b2.cloud.databricks.com"
AZ = "az account get-access-token --resource 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d -o json"
GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
DEVOPS = {"SYSTEM_ACCESSTOKEN": "t", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://devops"}
AKS = {"AZURE_FEDERATED_TOKEN_FILE": "/f", "AZURE_CLIENT_ID": "app", "AZURE_TENANT_ID": "tenant"}
MORE = ("DATABRICKS_CONFIG_PROFILE", "DATABRICKS_CONFIG_FILE", "DATABRICKS_OIDC_TOKEN", "DATABRICKS_RUNTIME_VERSION")


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    """A home without a file of profiles, an environment without anything of Databricks, and no program on the path."""
    ours = {name for names in VARIABLES.values() for name in names} | {*MORE, *GITHUB, *DEVOPS, *AKS}
    for name in ours & set(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def written(home: Path, text: str) -> None:
    (home / ".databrickscfg").write_text(text)


def install(home: Path, *programs: str) -> None:
    (home / "bin").mkdir(exist_ok=True)
    for name in programs:
        program = home / "bin" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)


M2M = {"client_id": "app", "client_secret": "dose1"}
ENTRA = {"azure_client_id": "app", "azure_client_secret": "s", "azure_tenant_id": "tenant"}
# What is set, by the SDK's names, and which way to sign in it is.
WAYS: dict[str, tuple[dict[str, str], Any]] = {
    "a token": ({"token": "dapi1"}, TokenAuth("dapi1")),
    "a token, chosen": ({"token": "dapi1", "auth_type": "pat"}, TokenAuth("dapi1")),
    "login and password": ({"username": "ada", "password": "pw"}, BasicAuth("ada", "pw")),
    "a service principal": (M2M, ServicePrincipalAuth(HOST, "app", "dose1")),
    "a service principal, chosen beside a token": (
        {**M2M, "token": "dapi1", "auth_type": "oauth-m2m"},
        ServicePrincipalAuth(HOST, "app", "dose1"),
    ),
    "a token, chosen beside a service principal": (
        {**M2M, "token": "dapi1", "auth_type": "pat"},
        TokenAuth("dapi1"),
    ),
    "half a service principal beside a token": ({"client_id": "app", "token": "dapi1"}, TokenAuth("dapi1")),
    "Entra": (ENTRA, EntraAuth(HOST, "tenant", "app", "s")),
    "Entra, with the workspace's resource id": (
        {**ENTRA, "azure_workspace_resource_id": "/subscriptions/1"},
        EntraAuth(HOST, "tenant", "app", "s", "/subscriptions/1"),
    ),
    "Entra, chosen beside Databricks' own": (
        {**ENTRA, **M2M, "auth_type": "azure-client-secret"},
        EntraAuth(HOST, "tenant", "app", "s"),
    ),
    "a managed identity": ({"azure_use_msi": "true"}, ManagedIdentityAuth(HOST)),
    "one of several managed identities": (
        {"azure_use_msi": "1", "azure_client_id": "app", "azure_workspace_resource_id": "/subscriptions/1"},
        ManagedIdentityAuth(HOST, "app", "/subscriptions/1"),
    ),
    "no managed identity": ({"azure_use_msi": "false", "token": "dapi1"}, TokenAuth("dapi1")),
    "a file": ({"oidc_token_filepath": "/f"}, FederationAuth(HOST, "file", "", "/f")),
    "a file, for a service principal": (
        {"oidc_token_filepath": "/f", "client_id": "app", "auth_type": "file-oidc"},
        FederationAuth(HOST, "file", "app", "/f"),
    ),
    "GitHub, chosen": ({"client_id": "app", "auth_type": "github-oidc"}, FederationAuth(HOST, "github", "app")),
    "Azure DevOps, chosen": (
        {"client_id": "app", "auth_type": "azure-devops-oidc"},
        FederationAuth(HOST, "azure-devops", "app"),
    ),
    "a variable, chosen": ({"client_id": "app", "auth_type": "env-oidc"}, FederationAuth(HOST, "env", "app")),
    "AKS, chosen": ({"auth_type": "azure-workload-identity"}, EntraAuth(HOST)),
    "az": ({"auth_type": "azure-cli"}, CommandAuth(HOST, AZ, True)),
    "az, with a tenant": (
        {"auth_type": "azure-cli", "azure_tenant_id": "my tenant"},
        CommandAuth(HOST, f"{AZ} --tenant 'my tenant'", True),
    ),
}
# The same, where databricks-sdk is asked: for the profile, or the environment.
OF_THE_SDK: dict[str, dict[str, str]] = {
    "Google": {"google_credentials": "{}"},
    "Google, by the account": {"google_service_account": "a@b"},
    "the metadata service": {"metadata_service_url": "http://x"},
    "chosen": {"auth_type": "google-id", "google_service_account": "a@b"},
    "GitHub for Entra": {"auth_type": "github-oidc-azure", "azure_client_id": "app"},
    "model serving": {"auth_type": "model-serving"},
    "az with a resource id": {"auth_type": "azure-cli", "azure_workspace_resource_id": "/subscriptions/1"},
}


def in_environment(monkeypatch, values: dict[str, str], host: str = HOST) -> None:
    for key, value in {"host": host, **values}.items():
        monkeypatch.setenv(VARIABLES[key][0], value)


def section(name: str, values: dict[str, str], host: str = HOST) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in {"host": host, **values}.items()), ""])


def auth(profile: str | None = None) -> Any:
    return DatabricksCredentials.from_environment(profile).get_auth()


def fault_of(profile: Any = None) -> BaseException:
    return raised(lambda: DatabricksCredentials.from_environment(profile))


@pytest.mark.parametrize(("values", "way"), WAYS.values(), ids=WAYS)
def test_variables_are_a_way_to_sign_in(monkeypatch, values, way) -> None:
    in_environment(monkeypatch, values)
    assert auth() == way


@pytest.mark.parametrize(("values", "way"), WAYS.values(), ids=WAYS)
def test_a_profile_is_a_way_to_sign_in(home, values, way) -> None:
    written(home, section("staging", values))
    assert auth("staging") == way


@pytest.mark.parametrize("values", OF_THE_SDK.values(), ids=OF_THE_SDK)
def test_what_we_do_not_speak_is_left_to_databricks_sdk(monkeypatch, home, values) -> None:
    in_environment(monkeypatch, values)
    assert auth() == ProfileAuth(HOST, "environment")
    written(home, section("staging", values))
    assert auth("staging") == ProfileAuth(HOST, "staging")


def test_the_address_is_taken_as_people_paste_it(monkeypatch) -> None:
    in_environment(monkeypatch, {"token": " dapi1 "}, host=" ADB-1.2.azuredatabricks.net/?o=1 ")
    databricks = DatabricksCredentials.from_environment()
    assert (databricks.host, databricks.get_auth()) == (HOST, TokenAuth("dapi1"))


def test_the_older_name_of_the_token_file_counts_and_the_newer_one_wins(monkeypatch) -> None:
    in_environment(monkeypatch, {})
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN_FILE", "/older")
    assert auth() == FederationAuth(HOST, "file", "", "/older")
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN_FILEPATH", "/newer")
    assert auth() == FederationAuth(HOST, "file", "", "/newer")


@pytest.mark.parametrize(
    ("around", "values", "way"),
    [
        ({"DATABRICKS_OIDC_TOKEN": "jwt"}, {"client_id": "app"}, FederationAuth(HOST, "env", "app")),
        ({"MINE": "jwt"}, {"oidc_token_env": "MINE"}, FederationAuth(HOST, "env")),
        (GITHUB, {"client_id": "app"}, FederationAuth(HOST, "github", "app")),
        (GITHUB, {"azure_client_id": "app"}, ProfileAuth(HOST, "environment")),
        (DEVOPS, {"client_id": "app"}, FederationAuth(HOST, "azure-devops", "app")),
        (AKS, {}, EntraAuth(HOST)),
        (GITHUB, M2M, ServicePrincipalAuth(HOST, "app", "dose1")),
        ({"DATABRICKS_OIDC_TOKEN": "jwt"}, {"token": "dapi1"}, TokenAuth("dapi1")),
    ],
    ids=["env", "env by name", "GitHub", "GitHub for Entra", "DevOps", "AKS", "a secret on GitHub", "a token and env"],
)
def test_what_the_platform_sets_counts_for_the_environment(monkeypatch, around, values, way) -> None:
    in_environment(monkeypatch, values)
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    assert auth() == way


def test_what_the_platform_sets_does_not_count_for_a_profile(monkeypatch, home) -> None:
    written(home, section("staging", {"client_id": "app"}))
    for name, value in {**GITHUB, **DEVOPS, **AKS, "DATABRICKS_OIDC_TOKEN": "jwt"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidCredentials, match="`client_secret` is missing in the profile 'staging'"):
        auth("staging")


def test_the_programs_of_a_laptop_are_asked_where_nothing_but_the_address_is_set(monkeypatch, home) -> None:
    in_environment(monkeypatch, {})
    install(home, "databricks")
    assert auth() == CommandAuth(HOST, f"databricks auth token --host {HOST}", True)
    install(home, "az")
    assert auth() == CommandAuth(HOST, AZ, True)
    written(home, section("DEFAULT", {}, host=AWS) + section("my work", {}, host=AWS))
    monkeypatch.delenv("DATABRICKS_HOST")
    assert auth() == CommandAuth(AWS, "databricks auth token --profile DEFAULT", True)
    assert auth("my work") == CommandAuth(AWS, "databricks auth token --profile 'my work'", True)


def test_the_program_of_databricks_may_be_somewhere_else(monkeypatch) -> None:
    in_environment(monkeypatch, {"auth_type": "databricks-cli", "databricks_cli_path": "/opt/data bricks"}, host=AWS)
    assert auth() == CommandAuth(AWS, f"'/opt/data bricks' auth token --host {AWS}", True)


def test_a_command_of_ours_runs_without_leave_until_it_was_saved(monkeypatch, home, prefect_server) -> None:
    install(home, "databricks")
    (home / "bin" / "databricks").write_text('#!/bin/sh\necho \'{"access_token": "of-the-cli"}\'\n')
    in_environment(monkeypatch, {"auth_type": "databricks-cli"}, host=AWS)
    databricks = DatabricksCredentials.from_environment()
    assert databricks.get_auth().token().headers["Authorization"] == "Bearer of-the-cli"
    databricks.save("of-the-environment", overwrite=True)
    loaded = DatabricksCredentials.load("of-the-environment")
    assert type(loaded.sign_in) is TokenCommand
    with pytest.raises(Exception, match="token commands are not allowed here"):
        loaded.get_auth().token()


def test_a_profile_and_the_environment_are_never_mixed(monkeypatch, home) -> None:
    """As databricks-sdk does: it sends the token of the environment to the host of the profile, and the like."""
    written(
        home, section("staging", M2M, host=AWS) + section("bare", {}, host=AWS) + section("DEFAULT", {"token": "d"})
    )
    in_environment(monkeypatch, {"token": "dapi1", "auth_type": "pat"})
    assert auth() == TokenAuth("dapi1")  # and nothing of DEFAULT
    assert auth("staging") == ServicePrincipalAuth(AWS, "app", "dose1")
    monkeypatch.setenv("DATABRICKS_CONFIG_PROFILE", "staging")
    assert auth() == ServicePrincipalAuth(AWS, "app", "dose1")
    with pytest.raises(InvalidCredentials, match="No way to sign in is set in the profile 'bare'"):
        auth("bare")
    monkeypatch.delenv("DATABRICKS_CONFIG_PROFILE")
    monkeypatch.delenv("DATABRICKS_HOST")
    databricks = DatabricksCredentials.from_environment()
    assert (databricks.host, databricks.get_auth()) == (HOST, TokenAuth("d"))  # DEFAULT, and not the token beside it


def test_a_host_of_the_environment_takes_no_secret_from_the_default_profile(monkeypatch, home) -> None:
    written(home, section("DEFAULT", {"token": "dapi1"}))
    monkeypatch.setenv("DATABRICKS_HOST", AWS)
    with pytest.raises(InvalidCredentials, match="No way to sign in is set in the environment"):
        auth()


@pytest.mark.parametrize(("key", "way"), [("oidc_token_env", "env-oidc"), ("token_audience", "github-oidc")])
def test_a_variable_beside_a_profile_does_not_change_its_way(monkeypatch, home, key, way) -> None:
    written(home, section("staging", {"client_id": "app", "auth_type": way}))
    monkeypatch.setenv(VARIABLES[key][0], "OTHER")
    assert auth("staging") == ProfileAuth(HOST, "staging")  # the SDK's child has no such variable
    monkeypatch.delenv(VARIABLES[key][0])
    written(home, section("staging", {"client_id": "app", "auth_type": way, key: "MINE"}))
    assert auth("staging") == ProfileAuth(HOST, "staging")


def test_a_profile_has_nothing_of_the_default_section(home) -> None:
    written(home, "[DEFAULT]\ntoken = dapi1\n" + section("staging", M2M))
    assert auth("staging") == ServicePrincipalAuth(HOST, "app", "dose1")


def test_the_settings_name_the_default_profile(home) -> None:
    settings = "[__settings__]\ndefault_profile = staging\n"
    written(home, section("DEFAULT", {"token": "dapi1"}) + section("staging", M2M) + settings)
    assert auth() == ServicePrincipalAuth(HOST, "app", "dose1")


def test_the_file_may_be_somewhere_else_and_have_any_characters(monkeypatch, home) -> None:
    (home / "other").write_text("\ufeff" + section("é %(x)s", {"token": "50%-%(y)s"}), "utf-8")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", "~/other")
    assert auth("é %(x)s") == TokenAuth("50%-%(y)s")


FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "no way at all": ({}, "No way to sign in is set in the environment. Set DATABRICKS_HOST and DATABRICKS_TOKEN, or"),
    "half a service principal": (
        {"client_id": "app"},
        "DATABRICKS_CLIENT_SECRET is missing in the environment, to sign in with oauth-m2m.",
    ),
    "half a login": ({"password": SECRET}, "DATABRICKS_USERNAME is missing in the environment, to sign in with basic."),
    "half of Entra": (
        {"azure_client_secret": SECRET},
        "ARM_CLIENT_ID and ARM_TENANT_ID are missing in the environment, to sign in with azure-client-secret.",
    ),
    "a chosen way that is not set": (
        {"token": SECRET, "auth_type": "oauth-m2m"},
        "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET are missing in the environment, to sign in with oauth-m2m.",
    ),
    "two ways": (
        {"token": SECRET, "client_id": "app", "client_secret": SECRET},
        "Two ways to sign in are set in the environment: DATABRICKS_TOKEN, and DATABRICKS_CLIENT_ID and "
        "DATABRICKS_CLIENT_SECRET. Set DATABRICKS_AUTH_TYPE to pat or oauth-m2m, or remove one of them.",
    ),
    "a token as the way": ({"auth_type": SECRET}, "DATABRICKS_AUTH_TYPE in the environment is not a way to sign in."),
    "a token as the host": ({"host": SECRET, "token": SECRET}, "the current value is a token"),
    "a browser": ({"auth_type": "external-browser"}, "Run `databricks auth login`, and set it to databricks-cli."),
    "a notebook": ({"auth_type": "runtime"}, "is the sign-in of a notebook"),
    "a token with a space": ({"token": f"{SECRET} {SECRET}"}, "The token for .* has a space"),
}


@pytest.mark.parametrize(("values", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_with_the_environment_is_one_sentence_without_a_value(monkeypatch, values, sentence) -> None:
    in_environment(monkeypatch, values)
    check(fault_of(), sentence)


def test_what_is_wrong_with_a_profile_is_one_sentence_with_the_names_of_its_keys(home) -> None:
    written(home, section("staging", {"token": SECRET, "client_id": "app", "client_secret": SECRET}))
    sentence = (
        f"Two ways to sign in are set in the profile 'staging' of {home}/.databrickscfg: `token`, and `client_id` and "
        "`client_secret`. Set `auth_type` to pat or oauth-m2m, or remove one of them."
    )
    check(fault_of("staging"), sentence)


FILES = {
    "none": (None, "x", ".databrickscfg does not exist"),
    "no such profile": (section("staging", {"token": SECRET}), "x", ".databrickscfg has no profile 'x'"),
    "a token as the profile": (section("a", {}), SECRET, "has no profile .not shown: it looks like a token."),
    "no section": (f"token = {SECRET}\n", "x", ".databrickscfg is not a file of profiles"),
    "no text": (b"\xff\xfe\x00", "x", ".databrickscfg is not a file of profiles"),
    "the settings": (section("a", {}), "__settings__", "__settings__ is not a profile"),
    "no host": (f"[x]\ntoken = {SECRET}\n", "x", "`host` is missing in the profile 'x' of"),
    "the name of the environment": (
        section("environment", {"google_credentials": SECRET}),
        "environment",
        "is reserved for the environment",
    ),
    "a number": (None, 7, "`profile` must be a string, not int"),
}


@pytest.mark.parametrize(("content", "profile", "sentence"), FILES.values(), ids=FILES)
def test_what_is_wrong_with_the_file_is_one_sentence_without_a_value(home, content, profile, sentence) -> None:
    if content is not None:
        (home / ".databrickscfg").write_bytes(content if isinstance(content, bytes) else content.encode())
    check(fault_of(profile), sentence)


def test_a_file_that_is_a_folder_is_named(monkeypatch, home) -> None:
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(home))
    check(
        fault_of(),
        f"DATABRICKS_HOST is not set, and {home} is not a file.",
    )


def test_nothing_at_all_says_what_was_looked_at(home) -> None:
    error = fault_of()
    check(error, f"No credentials found: DATABRICKS_HOST is not set, and {home}/.databrickscfg does not exist. Set ")
    written(home, section("staging", {}))
    check(
        fault_of(),
        f"and {home}/.databrickscfg has no profile DEFAULT. Set ",
    )


@pytest.mark.parametrize("host", ["", HOST], ids=["no host", "a host"])
def test_inside_databricks_it_says_what_is_possible(monkeypatch, home, host) -> None:
    install(home, "databricks")
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "16.4")
    monkeypatch.setenv("DATABRICKS_HOST", host)
    check(fault_of(), "This process runs inside Databricks .*secret scope")
    in_environment(monkeypatch, M2M)
    assert auth() == ServicePrincipalAuth(HOST, "app", "dose1")


def check(error: BaseException, sentence: str) -> None:
    assert isinstance(error, InvalidCredentials)
    assert re.search(sentence, str(error)), error
    left = everything(error)
    assert "_environment.py" not in left  # where secrets are in plain, nothing is raised
    assert "_places.py" not in left
    assert not shows_a_secret(left)


def test_what_was_looked_at_has_names_and_no_values(monkeypatch, home) -> None:
    in_environment(monkeypatch, {"token": SECRET})
    assert looked_at() == "the environment (DATABRICKS_HOST, DATABRICKS_TOKEN)"
    written(home, section("staging", {"token": SECRET, "unknown": SECRET}))
    assert looked_at("staging") == f"the profile 'staging' of {home}/.databrickscfg (`host`, `token`)"


def test_a_flow_signs_in_with_a_command_of_ours(monkeypatch, home, prefect_server) -> None:
    """The block is the parameter of a subflow, which Prefect validates: the command stays ours."""
    with LocalWorkspace(script={"*": {}}) as workspace:
        install(home, "databricks")
        answer = f'{{"access_token": "{workspace.token}", "expires_in": 3600}}'
        (home / "bin" / "databricks").write_text(f"#!/bin/sh\necho '{answer}'\n")
        monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
        databricks = DatabricksCredentials.from_environment()
        run = submit_run_and_wait(databricks, notebook_task={"notebook_path": "/n"}, polling_period_seconds=0.05)
        assert run.state.name == "Success"


@pytest.mark.parametrize("name", ["a token", "login and password", "a service principal", "two ways"])
def test_databricks_sdk_takes_the_same_way(monkeypatch, name) -> None:
    from databricks.sdk.core import Config

    with LocalWorkspace(client_id="app", client_secret="dose1") as workspace:
        values = FAULTS[name][0] if name in FAULTS else WAYS[name][0]
        in_environment(monkeypatch, values, host=workspace.url)
        if name == "two ways":
            with pytest.raises(ValueError, match="more than one authorization method"):
                Config()
            with pytest.raises(InvalidCredentials, match="Two ways to sign in"):
                auth()
            return
        of_the_sdk = {"pat": TokenAuth, "basic": BasicAuth, "oauth-m2m": ServicePrincipalAuth}
        assert type(auth()) is of_the_sdk[Config().auth_type]
