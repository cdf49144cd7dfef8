"""Each way to sign in, against a workspace and the other parties over HTTP: what it asks for, and how it fails."""

from __future__ import annotations

import asyncio
import base64
import json
import shlex
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from prefect_databricks_runs import DatabricksCredentials, SignInFailed, SignInUnavailable
from prefect_databricks_runs._client.tokens import Tokens
from prefect_databricks_runs._runtime import of_process
from prefect_databricks_runs.auth._azure import cloud_of
from prefect_databricks_runs.auth._processes import CommandAuth
from tests.support.clocks import FakeClock
from tests.support.sign_ins import CLIENT_ID, CLIENT_SECRET, RESOURCE, WAYS, SignIns

HOST = "https://adb-1.2.azuredatabricks.net"
TOKEN_REQUEST = "POST /oidc/v1/token"
JOBS = "/api/2.2/jobs/list"


def token_requests(sign_ins: SignIns) -> int:
    return sum(each.path == "/oidc/v1/token" for each in sign_ins.workspace.requests)


def list_jobs(credentials: DatabricksCredentials) -> int:
    with credentials.get_client() as client:
        return client.get(JOBS).status_code


@pytest.fixture
def no_pauses() -> FakeClock:
    """The pauses between two tries take no time."""
    clock = of_process(Tokens).clock = FakeClock(time.time())
    return clock


@pytest.mark.parametrize("way", WAYS)
def test_each_way_signs_in_and_asks_for_no_second_token(way: str, sign_ins: SignIns) -> None:
    credentials = sign_ins.of(way)
    for _ in range(3):
        assert list_jobs(credentials) == 200
    for party in ("entra", "imds", "github", "azure-devops"):
        assert sign_ins.identities.count(party) == WAYS[way].count(party)
    assert token_requests(sign_ins) == WAYS[way].count("databricks")
    with credentials.get_client() as client:
        who = client.get("/api/2.0/preview/scim/v2/Me").json()["userName"]
    assert who == (CLIENT_ID if way in ("service principal", "command") else sign_ins.identities.client_id)


@pytest.fixture(autouse=True)
def printed(sign_ins: SignIns) -> None:
    sign_ins.printed.write_text(sign_ins.workspace.issue_token(user=CLIENT_ID))


def test_on_app_service_the_identity_is_asked_for_there(sign_ins: SignIns, monkeypatch) -> None:
    for name, value in sign_ins.identities.environment("app-service").items():
        monkeypatch.setenv(name, value)
    token = sign_ins.of("managed identity").get_auth().token()
    assert sign_ins.identities.count("app-service") == 1
    assert 3590 < token.seconds <= 3600


USER_ASSIGNED = {
    "the only one of a virtual machine": ("imds", 1, ""),
    "one of several of a virtual machine": ("imds", 2, "Multiple user assigned identities exist.*"),
    "the only one of App Service": ("app-service", 1, "Unable to load the proper Managed Identity..*"),
}


@pytest.mark.parametrize("kind", USER_ASSIGNED)
def test_a_user_assigned_identity_is_named_by_its_client_id(kind: str, sign_ins: SignIns, monkeypatch) -> None:
    party, number, refusal = USER_ASSIGNED[kind]
    for name, value in sign_ins.identities.environment(party).items():
        monkeypatch.setenv(name, value)
    sign_ins.identities.user_assigned = number
    if refusal:
        with pytest.raises(SignInFailed, match=f"{refusal} for a user-assigned one, set `client_id`"):
            list_jobs(sign_ins.of("managed identity"))
    managed = {"host": sign_ins.workspace.url, "azure_identity": "managed"}
    assert list_jobs(DatabricksCredentials(**managed, client_id=sign_ins.identities.client_id)) == 200
    with pytest.raises(SignInFailed, match="Identity not found.* with this `client_id` is assigned to this machine"):
        list_jobs(DatabricksCredentials(**managed, client_id="another"))


def test_with_a_resource_id_two_tokens_go_with_each_request(sign_ins: SignIns) -> None:
    token = sign_ins.of("entra with a resource id").get_auth().token()
    assert token.headers["X-Databricks-Azure-Workspace-Resource-Id"] == RESOURCE
    assert token.headers["X-Databricks-Azure-SP-Management-Token"].startswith("management-")
    assert set(token.headers) == {
        "Authorization",
        "X-Databricks-Azure-SP-Management-Token",
        "X-Databricks-Azure-Workspace-Resource-Id",
    }
    scopes = [each.fields["scope"] for each in sign_ins.identities.asked]
    assert scopes == ["https://management.core.windows.net//.default", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"]


@pytest.mark.parametrize(
    ("host", "login"),
    [
        (HOST, "https://login.microsoftonline.com"),
        ("https://adb-1.2.databricks.azure.us", "https://login.microsoftonline.us"),
        ("https://adb-1.2.databricks.azure.cn", "https://login.chinacloudapi.cn"),
        ("https://azure.us.example", "https://login.microsoftonline.com"),
    ],
)
def test_each_cloud_of_azure_has_a_login_of_its_own(host: str, login: str) -> None:
    assert cloud_of(host).login == login


def wrong_secret(sign_ins: SignIns) -> DatabricksCredentials:
    return DatabricksCredentials(host=sign_ins.workspace.url, client_id=CLIENT_ID, client_secret="dose-hunter3")


def wrong_entra_secret(sign_ins: SignIns) -> DatabricksCredentials:
    credentials: Any = sign_ins.of("entra")
    credentials.client_secret = "hunter3"
    return credentials


def wrong_tenant(sign_ins: SignIns) -> DatabricksCredentials:
    credentials: Any = sign_ins.of("entra")
    credentials.azure_tenant_id = "nobodys"
    return credentials


def untrusted(sign_ins: SignIns) -> DatabricksCredentials:
    sign_ins.file.write_text(sign_ins.workspace.issue_identity_token("somebody else"))
    return sign_ins.of("federation by a file")


def no_web_token(sign_ins: SignIns) -> DatabricksCredentials:
    sign_ins.file.write_text("a-token")
    return sign_ins.of("federation by a file")


def several_audiences(sign_ins: SignIns) -> DatabricksCredentials:
    claims = {"iss": "https://issuer", "sub": 7, "aud": ["a", {}, "b", "c", "d", "e"]}
    content = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    sign_ins.file.write_text(f"e30.{content}.x")
    return sign_ins.of("federation by a file")


def untrusted_pod(sign_ins: SignIns) -> DatabricksCredentials:
    sign_ins.pod_file.write_text(sign_ins.identities.service_account_token("other"))
    return sign_ins.of("workload identity")


def no_file(sign_ins: SignIns) -> DatabricksCredentials:
    sign_ins.file.unlink()
    return sign_ins.of("federation by a file")


def empty_file(sign_ins: SignIns) -> DatabricksCredentials:
    sign_ins.file.write_text("\n")
    return sign_ins.of("federation by a file")


def folder(sign_ins: SignIns) -> DatabricksCredentials:
    sign_ins.file.unlink()
    sign_ins.file.mkdir()
    return sign_ins.of("federation by a file")


REFUSALS = {
    "wrong secret": (wrong_secret, "No token from http://.*/oidc/v1/token: invalid_client: .* Check `client_id` and"),
    "wrong secret of Entra": (
        wrong_entra_secret,
        "invalid_client: AADSTS7000215: .* provided. Check `azure_tenant_id`",
    ),
    "wrong tenant": (wrong_tenant, "AADSTS90002: Tenant 'nobodys' not found."),
    "untrusted": (
        untrusted,
        "invalid_grant: .* has issuer 'http.*', subject 'somebody else', audience '.*'. Check the federation policy",
    ),
    "not a web token": (no_web_token, "invalid_grant: [^']* Check the federation policy"),
    "audiences": (several_audiences, "audience 'a' and 'b' and 'c' and 2 more. Check"),
    "pod": (untrusted_pod, "AADSTS700212: .* Check that the identity has a federated credential"),
    "no file": (no_file, "No token from the file .*identity-token: it does not exist. It is read where the flow runs"),
    "empty file": (empty_file, "it is empty"),
    "folder": (folder, "it is not a file"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_says_whose_and_why_and_what_to_check(kind: str, sign_ins: SignIns) -> None:
    make, says = REFUSALS[kind]
    with pytest.raises(SignInFailed, match=says) as caught:
        list_jobs(make(sign_ins))
    shown = str(caught.value)
    assert "hunter" not in shown
    assert "Trace ID" not in shown
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("way", "variable", "says"),
    [
        ("federation of github", "ACTIONS_ID_TOKEN_REQUEST_URL", "must be set. .* The job needs `permissions"),
        ("federation of azure devops", "SYSTEM_ACCESSTOKEN", "SYSTEM_ACCESSTOKEN must be set. .* The step needs"),
        ("federation by a variable", "DATABRICKS_OIDC_TOKEN", "DATABRICKS_OIDC_TOKEN must be set. .* runs.$"),
        ("workload identity", "AZURE_FEDERATED_TOKEN_FILE", "variable AZURE_FEDERATED_TOKEN_FILE: it is not set"),
        ("workload identity", "AZURE_TENANT_ID", "variable AZURE_TENANT_ID: it is not set. .* AKS sets it in pods"),
        (
            "command",
            "PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS",
            "not allowed here. Set PREFECT_DATABRICKS_RUNS_TOKEN_COMM",
        ),
    ],
)
def test_what_is_missing_in_the_environment_is_named(way, variable, says, sign_ins: SignIns, monkeypatch) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(SignInFailed, match=says):
        list_jobs(sign_ins.of(way))


def test_the_hint_of_a_secret_that_is_entras(sign_ins: SignIns) -> None:
    auth: Any = DatabricksCredentials(host=HOST, client_id="id", client_secret="entra").get_auth()
    asked: dict[str, Any] = {}

    async def ask(*_: object, advice: str, **__: object) -> dict[str, Any]:
        asked["advice"] = advice
        return {"access_token": "t"}

    object.__setattr__(auth, "ask", ask)
    asyncio.run(auth.afetch())
    assert (
        "Secrets of Databricks begin with dose; those of Microsoft Entra ID need `azure_tenant_id`" in asked["advice"]
    )


TROUBLES: dict[str, dict[str, Any]] = {
    "503": {"status": 503},
    "429": {"status": 429, "retry_after": 7},
    "page of a proxy": {"html": True, "status": 200},
    "page of a proxy with 403": {"html": True, "status": 403},
    "reset": {"reset": True},
    "truncated": {"truncate": True},
    "no JSON": {"body": "busy"},
    "empty": {"status": 200, "body": ""},
    "redirect": {"status": 302, "body": ""},
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.usefixtures("no_pauses")
def test_an_issuer_in_trouble_is_asked_three_times_and_then_an_outage(trouble: str, sign_ins: SignIns) -> None:
    sign_ins.workspace.fault(TOKEN_REQUEST, **TROUBLES[trouble], times=2)
    assert list_jobs(sign_ins.of("service principal")) == 200
    sign_ins.workspace.expire_tokens()
    other = DatabricksCredentials(
        host=sign_ins.workspace.url,
        client_id=sign_ins.identities.client_id,
        client_secret=sign_ins.workspace.rotate_client_secret(sign_ins.identities.client_id),
    )
    sign_ins.workspace.fault(TOKEN_REQUEST, **TROUBLES[trouble])
    before = token_requests(sign_ins)
    with pytest.raises(SignInUnavailable, match="No token from http://127.*Nothing was sent to the Jobs API") as caught:
        list_jobs(other)
    assert token_requests(sign_ins) - before == 3
    assert caught.value.retry_after == (7 if trouble == "429" else None)


@pytest.mark.usefixtures("no_pauses")
def test_an_answer_without_a_token_is_an_error_of_ours(sign_ins: SignIns) -> None:
    sign_ins.workspace.fault(TOKEN_REQUEST, body={"access_token": 5})
    with pytest.raises(SignInFailed, match="its answer has no `access_token`"):
        list_jobs(sign_ins.of("service principal"))


@pytest.mark.parametrize("way", ["service principal", "entra", "federation by a file", "federation of github"])
@pytest.mark.usefixtures("no_pauses")
def test_an_issuer_that_repeats_what_it_was_sent_shows_no_secret(way: str, sign_ins: SignIns, caplog) -> None:
    caplog.set_level("DEBUG")
    secrets = [CLIENT_SECRET, sign_ins.identities.client_secret, sign_ins.file.read_text().strip()]
    said = {"error": "invalid_client", "error_description": f"You sent {' and '.join(secrets)}"}
    sign_ins.workspace.fault(TOKEN_REQUEST, status=401, body=said)
    for party in ("entra", "github"):
        sign_ins.identities.fail(party, 401, 9, json.dumps(said).encode())
    with pytest.raises(SignInFailed, match=r"\*\*\*" if way != "federation of github" else "You sent") as caught:
        list_jobs(sign_ins.of(way))
    mine = {"service principal": secrets[0], "entra": secrets[1]}.get(way, secrets[2] if "file" in way else "nothing")
    assert mine not in str(caught.value)
    assert sign_ins.identities.request_token not in str(caught.value) + caplog.text
    assert mine not in "".join(line for line in caplog.text.splitlines() if "multipart" not in line)


@pytest.mark.parametrize(
    ("published", "asked_for"),
    [("0d7c2b1a-6f1c-4c9a-9a4e-3e7a4e4c9a9a", "published"), ("sts.amazonaws.com", "endpoint"), (5, "endpoint")],
)
def test_github_vouches_for_the_account_and_for_nobody_that_the_host_names(
    published, asked_for, sign_ins: SignIns
) -> None:
    """Whoever may edit the block chooses the host."""
    page = {"token_federation_default_oidc_audiences": [published]}
    sign_ins.workspace.fault("GET /.well-known/databricks-config", body=page)
    auth: Any = sign_ins.of("federation of github").get_auth()
    with suppress(SignInFailed):
        auth.token()
    (asked,) = [each for each in sign_ins.identities.asked if each.party == "github"]
    assert asked.fields["audience"] == (published if asked_for == "published" else f"{auth.host}/oidc/v1/token")


def test_a_command_that_fails_shows_no_secret_of_its_words(sign_ins: SignIns) -> None:
    command = shlex.join([sys.executable, "-c", "import sys; sys.exit(f'no {sys.argv[1]}')", "s.0123456789abcdef"])
    with pytest.raises(SignInFailed, match=r"ended with status 1: no \*\*\*") as caught:
        asyncio.run(CommandAuth(HOST, command).afetch())
    assert "0123456789abcdef" not in str(caught.value)


def prints(text: str) -> str:
    return shlex.join([sys.executable, "-c", f"import sys; sys.stdout.write({text!r})"])


NOW = 1_800_000_000
JWT = "e30.eyJleHAiOjE4MDAwMDEwMDAsImlhdCI6MTc5OTk5OTkwMH0.x"  # exp NOW + 1000, iat NOW - 100
PRINTED = {
    "a token alone": ("dapi-1", "dapi-1", 600),
    "a token with a line break": ("dapi-1\n", "dapi-1", 600),
    "a web token": (JWT, JWT, 1000),
    "az": ('{"accessToken": "t", "expires_on": 1800000500, "expiresOn": "2026-11-28 10:00"}', "t", 500),
    "databricks": (
        '{"access_token": "t", "token_type": "Bearer", "expiry": "2027-01-15T08:10:00.123456789Z"}',
        "t",
        600,
    ),
    "gcloud": ('{"token": "t", "expires_in": 60}', "t", 60),
}


@pytest.mark.parametrize("kind", PRINTED)
def test_a_command_may_print_a_token_as_others_do(kind: str, sign_ins: SignIns) -> None:
    of_process(Tokens).clock = FakeClock(NOW)
    text, token, seconds = PRINTED[kind]
    fetched = asyncio.run(CommandAuth(HOST, prints(text)).afetch())
    assert fetched.headers == {"Authorization": f"Bearer {token}"}
    assert fetched.seconds == seconds


NO_TOKENS = {
    "nothing": (prints(""), "did not print exactly one token"),
    "words": (prints("not signed in"), "did not print exactly one token"),
    "JSON without one": (prints('{"a": 1}'), "did not print exactly one token"),
    "a failure": (f"{sys.executable} -c \"import sys; sys.exit('please log in')\"", "status 1: please log in. Run it"),
    "a silent failure": (f'{sys.executable} -c "raise SystemExit(3)"', "status 3. Run it"),
    "no program": ("/nowhere/az account", "az cannot be run .No such file"),
    "quotes": ("az 'account", "No closing quotation"),
    "nothing to run": ("''", "cannot be run"),
}


@pytest.mark.parametrize("kind", NO_TOKENS)
@pytest.mark.usefixtures("sign_ins")
def test_a_command_without_a_token_says_why(kind: str) -> None:
    command, says = NO_TOKENS[kind]
    with pytest.raises(SignInFailed, match=says):
        asyncio.run(CommandAuth(HOST, command).afetch())


def test_a_command_that_hangs_is_killed_with_all_that_it_started(
    sign_ins: SignIns, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("prefect_databricks_runs.auth._processes._SECONDS", 1.0)
    script = tmp_path / "hangs.py"
    script.write_text(
        "import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
    )
    began = time.monotonic()
    with pytest.raises(SignInFailed, match="did not end within 1 s"):
        asyncio.run(CommandAuth(HOST, f"{sys.executable} {script}").afetch())
    assert time.monotonic() - began < 20


def test_no_shell_reads_a_command(sign_ins: SignIns, tmp_path: Path) -> None:
    with pytest.raises(SignInFailed):
        asyncio.run(CommandAuth(HOST, f"{prints('t t')} ; touch {tmp_path}/made").afetch())
    assert not (tmp_path / "made").exists()


def profiles(sign_ins: SignIns, tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "databrickscfg"
    file.write_text(
        f"[mine]\nhost = {sign_ins.workspace.url}\ntoken = {sign_ins.workspace.token}\n"
        f"[principal]\nhost = {sign_ins.workspace.url}/\nclient_id = {CLIENT_ID}\nclient_secret = {CLIENT_SECRET}\n"
        f"[elsewhere]\nhost = https://other.example\ntoken = dapi-hunter2\n"
    )
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))


@pytest.mark.parametrize("profile", ["mine", "principal"])
def test_a_profile_is_read_by_databricks_sdk_whatever_stands_in_the_environment(
    profile, sign_ins: SignIns, tmp_path, monkeypatch
) -> None:
    profiles(sign_ins, tmp_path, monkeypatch)
    monkeypatch.setenv("DATABRICKS_TOKEN", "a stray one")
    monkeypatch.setenv("DATABRICKS_HOST", "https://other.example")
    assert list_jobs(DatabricksCredentials(host=sign_ins.workspace.url, profile=profile)) == 200


def test_the_environment_is_one_too(sign_ins: SignIns, monkeypatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", sign_ins.workspace.token)
    monkeypatch.setenv("DATABRICKS_HOST", sign_ins.workspace.url)
    monkeypatch.delenv("DATABRICKS_OIDC_TOKEN")
    assert list_jobs(DatabricksCredentials(host=sign_ins.workspace.url, profile="environment")) == 200


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ("elsewhere", "it is for other.example, but the credentials block is for 127"),
        ("nobodys", "the profile does not exist"),
    ],
)
def test_a_profile_of_another_workspace_or_none_sends_nothing(
    profile, says, sign_ins: SignIns, tmp_path, monkeypatch
) -> None:
    profiles(sign_ins, tmp_path, monkeypatch)
    with pytest.raises(SignInFailed, match=f"{says}.* Nothing was sent") as caught:
        list_jobs(DatabricksCredentials(host=sign_ins.workspace.url, profile=profile))
    assert "hunter2" not in str(caught.value)
    assert sign_ins.workspace.requests == ()


def test_without_databricks_sdk_a_profile_says_what_to_install(sign_ins: SignIns, tmp_path, monkeypatch) -> None:
    from prefect_databricks_runs.auth import _sdk_child

    profiles(sign_ins, tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "databricks.sdk.core", None)
    answer = _sdk_child.answer_to(sign_ins.workspace.url, "mine")
    assert answer == {"error": "databricks-sdk is not installed", "advice": _sdk_child._INSTALL}


def test_a_redirect_to_another_host_never_gets_the_management_token(sign_ins: SignIns) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    token = sign_ins.of("entra with a resource id").get_auth()
    with httpx.Client(auth=token, transport=httpx.MockTransport(answer)) as client:
        client.get(HOST)
    assert [each.url.host for each in seen] == ["adb-1.2.azuredatabricks.net"]
