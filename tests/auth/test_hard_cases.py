"""Ways to sign in where something is odd: who answers, what is set around a flow, what stands in a field."""

from __future__ import annotations

import asyncio
import pickle
import shlex
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials, SignInFailed, SignInUnavailable
from prefect_databricks_runs._client.tokens import FetchingAuth, Tokens
from prefect_databricks_runs._runtime import of_process
from prefect_databricks_runs._start.in_flight import Handover
from prefect_databricks_runs.auth import _sdk_child
from prefect_databricks_runs.auth._azure import EntraAuth
from prefect_databricks_runs.auth._files import text_of_file
from prefect_databricks_runs.auth._processes import CommandAuth
from tests.support.clocks import FakeClock
from tests.support.sign_ins import SignIns

HOST = "https://adb-1.2.azuredatabricks.net"
TOKEN_REQUEST = "POST /oidc/v1/token"
A_TOKEN = "dapi" + "0123456789abcdef" * 2


@pytest.fixture
def no_pauses() -> None:
    of_process(Tokens).clock = FakeClock(time.time())


def token_of(credentials: DatabricksCredentials) -> Any:
    auth = credentials.get_auth()
    assert isinstance(auth, FetchingAuth)
    return auth.token()


@pytest.mark.usefixtures("no_pauses")
def test_a_good_answer_in_another_form_is_not_shown_for_it_may_be_the_token(sign_ins: SignIns) -> None:
    sign_ins.workspace.fault(TOKEN_REQUEST, status=200, body=A_TOKEN)
    with pytest.raises(SignInUnavailable, match="it answered 200: not a JSON object") as caught:
        token_of(sign_ins.of("service principal"))
    assert A_TOKEN not in str(caught.value)


@pytest.mark.usefixtures("sign_ins")
def test_what_a_command_has_started_in_a_session_of_its_own_is_not_waited_for(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("prefect_databricks_runs.auth._processes._SECONDS", 1.0)
    child = f"[{sys.executable!r}, '-c', 'import time; time.sleep(20)']"
    script = tmp_path / "starts_a_daemon.py"
    script.write_text(f"import subprocess\nsubprocess.Popen({child}, start_new_session=True).wait()\n")
    began = time.monotonic()
    with pytest.raises(SignInFailed, match="did not end within 1 s"):
        asyncio.run(CommandAuth(HOST, shlex.join([sys.executable, str(script)])).afetch())
    assert time.monotonic() - began < 10


def test_a_login_host_may_have_no_scheme_and_is_not_asked_in_the_clear(monkeypatch) -> None:
    auth = EntraAuth(HOST, "tenant", "id", "secret")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "login.microsoftonline.us/")
    assert auth.cloud.login == "https://login.microsoftonline.us"
    for value, says in (
        ("http://login.example", "it is plain http"),
        ("https://login.example:port", "it is not a valid address"),
    ):
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", value)
        with pytest.raises(SignInFailed, match=f"variable AZURE_AUTHORITY_HOST: {says}"):
            asyncio.run(auth.afetch())


@pytest.mark.parametrize(
    ("way", "variable"),
    [("federation of github", "ACTIONS_ID_TOKEN_REQUEST_URL"), ("managed identity", "IDENTITY_ENDPOINT")],
)
def test_an_address_of_the_environment_that_is_none_is_named(way, variable, sign_ins: SignIns, monkeypatch) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "a-secret")
    monkeypatch.setenv("DATABRICKS_TOKEN_AUDIENCE", "an-audience")
    for value in ("https://login.example:port", "metadata"):
        monkeypatch.setenv(variable, value)
        with pytest.raises(
            SignInFailed, match=f"No token from the environment variable {variable}: it is not a valid addr"
        ):
            token_of(sign_ins.of(way))


def test_a_file_of_nobodys_home_is_an_error_of_ours() -> None:
    with pytest.raises(SignInFailed, match="the home directory does not exist"):
        asyncio.run(text_of_file("~nobody-of-that-name/token"))


@pytest.mark.parametrize(
    "fields",
    [
        {"profile": A_TOKEN},
        {"token_command": A_TOKEN},
        {"oidc": "file", "oidc_token_filepath": A_TOKEN},
        {"client_id": A_TOKEN.replace("dapi", "dose"), "client_secret": "an-id"},
        {"login": A_TOKEN, "password": "p"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_token_in_a_field_that_everyone_sees_is_refused_and_not_quoted(fields) -> None:
    with pytest.raises(InvalidCredentials, match="is a token or a secret, but everyone can see this field") as caught:
        DatabricksCredentials(host=HOST, **fields)
    assert "0123456789abcdef" not in str(caught.value)


def answer_of_the_sdk(host: str, monkeypatch, tmp_path: Path, profile: str, **environment: str) -> dict[str, Any]:
    file = tmp_path / "databrickscfg"
    file.write_text(f"[other]\nhost = https://other.example\ntoken = {A_TOKEN}\n[homeless]\ntoken = {A_TOKEN}\n")
    for name, value in {"DATABRICKS_CONFIG_FILE": str(file), **environment}.items():
        monkeypatch.setenv(name, value)
    return _sdk_child.answer_to(host, profile)


@pytest.mark.parametrize(
    ("profile", "environment"),
    [
        ("environment", {"DATABRICKS_TOKEN": A_TOKEN}),
        ("environment", {"DATABRICKS_CONFIG_PROFILE": "other"}),
        ("environment", {"DATABRICKS_CONFIG_PROFILE": "other", "DATABRICKS_HOST": "HOST"}),
        ("homeless", {}),
    ],
)
def test_what_is_not_for_the_host_of_the_block_is_not_for_it(
    profile, environment, sign_ins, monkeypatch, tmp_path
) -> None:
    host = sign_ins.workspace.url  # which answers: the SDK looks for 20 s for one that does not
    named = {name: host if value == "HOST" else value for name, value in environment.items()}
    answer = answer_of_the_sdk(host, monkeypatch, tmp_path, profile, **named)
    assert "headers" not in answer
    assert A_TOKEN not in str(answer)


def test_a_redirect_is_pickled_without_the_token_and_takes_no_second_token_elsewhere(sign_ins: SignIns) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        elsewhere = {"/there": "/here", "/here": "https://elsewhere.example/"}.get(request.url.path)
        return httpx.Response(302 if elsewhere else 200, headers={"Location": elsewhere} if elsewhere else {})

    token = token_of(sign_ins.of("entra with a resource id"))
    with sign_ins.of("entra with a resource id").get_client() as client:
        client._mounts = {}
        client._transport = httpx.MockTransport(answer)
        left = pickle.dumps(client.get("/there"))
        client.get("/there", follow_redirects=True)
    for value in token.secrets()[:2]:
        assert value.encode() not in left
    management = "X-Databricks-Azure-SP-Management-Token"
    assert [management in each.headers for each in seen] == [True, True, True, False]
    assert "Authorization" not in seen[-1].headers


def test_an_issuer_that_hangs_does_not_hold_up_who_is_interrupted_at_a_start() -> None:
    """What is shielded from an interruption begins when there is a token: only then a run may be started."""
    sent: list[str] = []
    call: Any = SimpleNamespace(hook=SimpleNamespace(sign_in=anyio.sleep_forever))

    async def ask() -> Any:
        sent.append("a request")

    async def start() -> None:
        with anyio.move_on_after(0.1):
            await Handover(call).start(ask, lambda: sent.append("a warning"))

    asyncio.run(asyncio.wait_for(start(), 5))
    assert sent == []
