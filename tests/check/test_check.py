"""`prefect-databricks-runs check`: who signs in, until when, what that user may do, and the first thing that fails."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from rich.console import Console

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._check.printing import TablePrinting
from prefect_databricks_runs._check.results import FACTS, STEPS, Results, Step
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.command_line import in_this_process
from tests.test_cli import run

SECRET = "dose-" + "0123456789abcdef" * 2
ME, LIST_JOBS, LIST_RUNS = "GET */scim/v2/Me", "GET */jobs/list", "GET */jobs/runs/list"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path) -> None:
    for name in [each for each in os.environ if each.startswith(("DATABRICKS_", "ARM_", "AZURE_", "ACTIONS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(client_id="my-app", client_secret=SECRET) as workspace:
        yield workspace


@pytest.fixture
def checked(monkeypatch, prefect_server) -> Any:
    """Call the command with these variables; returns its exit code, its result as JSON, and asserts that both fit."""

    def check(*arguments: str, **variables: str) -> tuple[int, dict[str, Any]]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        done = in_this_process(prefect_server, "check", "--json", *arguments)
        found = json.loads(done.stdout)
        assert list(found) == ["result", *FACTS, "steps"]
        assert [each["step"] for each in found["steps"]] == list(STEPS)
        assert done.returncode == {"ok": 0, "failed": 1, "error": 2}[found["result"]]
        assert_no_secret(done)
        return done.returncode, found

    return check


SECRETS: set[str] = {SECRET}


def assert_no_secret(done: subprocess.CompletedProcess[str]) -> None:
    for secret in SECRETS:
        for form in (secret, base64.b64encode(f"my-app:{secret}".encode()).decode()):
            assert form not in done.stdout + done.stderr


def with_token(workspace: LocalWorkspace, token: str = "") -> dict[str, str]:
    SECRETS.add(token or workspace.token)
    return {"DATABRICKS_HOST": workspace.url, "DATABRICKS_TOKEN": token or workspace.token}


def with_principal(workspace: LocalWorkspace, secret: str = SECRET) -> dict[str, str]:
    SECRETS.add(secret)
    return {
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_CLIENT_ID": "my-app",
        "DATABRICKS_CLIENT_SECRET": secret,
    }


def results(found: dict[str, Any]) -> dict[str, str]:
    return {each["step"]: each["result"] for each in found["steps"]}


def detail(found: dict[str, Any], step: str) -> str:
    return next(each["detail"] for each in found["steps"] if each["step"] == step)


def up_to(step: str, result: str) -> dict[str, str]:
    """The results where a step is the first that fails, and the others need it."""
    number = STEPS.index(step)
    return {**dict.fromkeys(STEPS[:number], "ok"), step: result, **dict.fromkeys(STEPS[number + 1 :], "not tried")}


ALL_WELL = {**dict.fromkeys(STEPS, "ok"), "submit runs": "unknown"}


def test_a_token_of_the_environment(checked, workspace) -> None:
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (0, ALL_WELL)
    assert found["source"] == "the environment (DATABRICKS_HOST, DATABRICKS_TOKEN)"
    assert (found["host"], found["sign_in"], found["token_ends_at"]) == (workspace.url, "a token", None)
    assert found["user_name"] == "someone@localhost"
    assert abs(found["clock_difference_seconds"]) <= 5
    assert detail(found, "token") == "No request is needed to sign in with a token; its expiry is not known."


def test_a_service_principal_of_a_profile_and_when_its_token_ends(checked, workspace, tmp_path) -> None:
    profile = f"[staging]\nhost = {workspace.url}\nclient_id = my-app\nclient_secret = {SECRET}\n"
    (tmp_path / ".databrickscfg").write_text(profile)
    code, found = checked("--profile", "staging", DATABRICKS_TOKEN="dapi-of-another")
    assert (code, results(found)) == (0, ALL_WELL)
    assert (found["sign_in"], found["user_name"]) == ("a service principal", "my-app")
    assert "the profile 'staging' of " in found["source"]
    left = datetime.fromisoformat(found["token_ends_at"]) - datetime.now(timezone.utc)
    assert timedelta(minutes=55) < left < timedelta(minutes=61)
    assert f"Fetched from {workspace.url}; valid until {found['token_ends_at'][:10]}" in detail(found, "token")
    assert detail(found, "user") == "You are the service principal my-app."


def test_a_saved_block_is_checked_and_not_the_environment(checked, workspace) -> None:
    name = f"check-{uuid4()}"
    SECRETS.add(workspace.token)
    DatabricksCredentials(host=workspace.url, token=workspace.token).save(name)
    code, found = checked("--block", name, DATABRICKS_HOST="http://127.0.0.1:1", DATABRICKS_TOKEN="dapi-other-one")
    assert (code, found["source"], found["host"]) == (0, f"the saved block {name!r}", workspace.url)


def test_nothing_is_started_saved_or_changed(checked, workspace) -> None:
    checked(**with_principal(workspace))
    asked = [(each.method, each.path) for each in workspace.requests]
    assert {path for method, path in asked if method != "GET"} == {"/oidc/v1/token"}
    assert workspace.runs == {}
    assert not [each for each in workspace.requests_to("GET */databricks-config") if "authorization" in str(each)]


def test_a_command_that_we_write_is_named_and_one_of_yours_is_not_shown(
    checked, workspace, monkeypatch, tmp_path
) -> None:
    SECRETS.add(workspace.token)
    cli = tmp_path / "databricks"
    cli.write_text(f'#!/bin/sh\necho \'{{"access_token": "{workspace.token}", "expires_in": 600.5}}\'\n')
    cli.chmod(0o755)
    code, found = checked(DATABRICKS_HOST=workspace.url)
    assert (code, found["sign_in"]) == (0, "a command (databricks)")
    assert found["token_ends_at"] is not None
    name = f"check-{uuid4()}"
    monkeypatch.setenv("PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS", "1")
    command = f"/bin/echo {workspace.token}"
    DatabricksCredentials(host=workspace.url, token_command=command).save(name)
    code, found = checked("--block", name)
    assert (code, found["sign_in"], found["token_ends_at"]) == (0, "a command", None)
    assert detail(found, "token") == "Fetched from the command; its expiry is not known."


def test_a_wrong_secret_is_the_first_thing_that_fails(checked, workspace) -> None:
    code, found = checked(**with_principal(workspace, "dose-" + "f" * 20))
    assert (code, results(found)) == (1, up_to("token", "failed"))
    assert "invalid_client" in detail(found, "token")
    assert "Check `client_id` and `client_secret`" in detail(found, "token")


def test_a_token_that_was_revoked(checked, workspace) -> None:
    workspace.revoke_token(workspace.token)
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (1, up_to("user", "failed"))
    assert "Invalid access token. Check the token" in detail(found, "user")


def test_a_token_that_says_itself_that_it_has_ended(checked, workspace) -> None:
    def token(end: float) -> str:
        parts = ({"alg": "none"}, {"exp": end})
        encoded = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts)
        return ".".join([*encoded, "x"])

    code, found = checked(**with_token(workspace, token(1_700_000_000)))
    assert (code, results(found)) == (1, up_to("token", "failed"))
    assert "it expired on 2023-11-14 22:13:20 UTC. Use a new one." in detail(found, "token")
    good = workspace.add_user("anna@example.com", token(time.time() + 7300))
    code, found = checked(**with_token(workspace, good))
    assert (code, found["user_name"]) == (0, "anna@example.com")
    assert "for 2 h." in detail(found, "token")
    odd = workspace.add_user("anna@example.com", token(1e300))
    assert checked(**with_token(workspace, odd))[1]["token_ends_at"] is None


def test_a_dead_host(checked) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    code, found = checked(DATABRICKS_HOST=f"http://127.0.0.1:{port}", DATABRICKS_TOKEN="dapi-of-a-dead-host")
    assert (code, results(found)) == (2, up_to("address", "error"))
    assert f"No answer from http://127.0.0.1:{port}" in detail(found, "address")
    assert "Check the `host`" in detail(found, "address")


def test_a_token_endpoint_that_is_down_is_not_a_refusal(checked, workspace) -> None:
    workspace.fault("POST /oidc/v1/token", status=503)
    code, found = checked(**with_principal(workspace))
    assert (code, results(found)) == (2, up_to("token", "error"))


def test_no_such_block_names_those_that_there_are(checked, workspace) -> None:
    name = f"check-{uuid4()}"
    DatabricksCredentials(host=workspace.url, token="dapi-of-a-block").save(name)
    code, found = checked("--block", "nightly-typo")
    assert (code, results(found)) == (2, up_to("credentials", "error"))
    assert "The saved block 'nightly-typo'" in detail(found, "credentials")
    assert name in detail(found, "credentials")


def test_nothing_set_and_half_a_way(checked, workspace) -> None:
    code, found = checked()
    assert (code, results(found)) == (2, up_to("credentials", "error"))
    assert "DATABRICKS_HOST is not set" in detail(found, "credentials")
    code, found = checked(DATABRICKS_HOST=workspace.url, DATABRICKS_CLIENT_ID="my-app")
    assert code == 2
    assert "DATABRICKS_CLIENT_SECRET is missing" in detail(found, "credentials")


@pytest.mark.parametrize(("pattern", "step"), [(LIST_JOBS, "list jobs"), (LIST_RUNS, "list runs")])
def test_a_permission_that_is_missing(checked, workspace, pattern, step) -> None:
    workspace.fault(pattern, status=403, error_code="PERMISSION_DENIED", message="You may not list them")
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (1, {**ALL_WELL, step: "failed"})
    assert "You may not list them. Ask a workspace admin" in detail(found, step)


def test_what_could_not_be_asked_is_no_finding_and_a_finding_beside_it_counts(checked, workspace) -> None:
    fault = workspace.fault(LIST_JOBS, status=503)
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (2, {**ALL_WELL, "list jobs": "error"})
    workspace.fault(LIST_RUNS, status=403, error_code="PERMISSION_DENIED", message="no")
    assert checked()[0] == 1
    fault.remove()


def me(workspace: LocalWorkspace, **more: Any) -> None:
    workspace.fault(ME, body={"userName": "ada@example.com", "displayName": "Ada L.", "id": "7", **more})


def test_what_the_user_may_do_is_said_where_databricks_tells(checked, workspace) -> None:
    me(workspace, groups=[{"display": "users"}, {"display": "admins"}])
    _, found = checked(**with_token(workspace))
    assert results(found)["submit runs"] == "ok"
    assert detail(found, "user") == "You are the user ada@example.com (Ada L.)."
    assert (found["display_name"], found["user_id"]) == ("Ada L.", "7")
    workspace.clear_faults()
    me(workspace, entitlements=[{"value": "workspace-access"}, {"value": "allow-cluster-create"}])
    _, found = checked()
    assert results(found)["submit runs"] == "unknown"
    assert "You may create any cluster." in detail(found, "submit runs")


def test_a_user_who_is_deactivated(checked, workspace) -> None:
    me(workspace, active=False)
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (1, up_to("user", "failed"))
    assert "deactivated. Ask a workspace admin" in detail(found, "user")


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "error_code": "ENDPOINT_NOT_FOUND", "message": "No API found"},
        {"status": 501, "error_code": "NOT_IMPLEMENTED", "message": "no"},
        {"body": {}},
        {"body": {"userName": 7, "groups": "admins", "entitlements": [7], "schemas": None}},
    ],
    ids=["404", "501", "nothing", "odd"],
)
def test_a_workspace_that_does_not_say_who_signs_in(checked, workspace, answer) -> None:
    workspace.fault(ME, **answer)
    code, found = checked(**with_token(workspace))
    assert (code, results(found)["list jobs"], results(found)["submit runs"]) == (0, "ok", "unknown")


@pytest.mark.parametrize(
    ("ahead", "sentence"),
    [
        (300.0, "s ahead of the clock of Databricks. Set it, because tokens seem to expire too early."),
        (-300.0, "s behind the clock of Databricks. Set it, because tokens seem to expire too late."),
    ],
)
def test_clocks_that_differ(checked, workspace, monkeypatch, ahead, sentence) -> None:
    monkeypatch.setattr("prefect_databricks_runs._check.steps.answered_at", lambda _response: time.time() - ahead)
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (1, {**ALL_WELL, "clock": "failed"})
    assert sentence in detail(found, "clock")
    assert found["clock_difference_seconds"] == pytest.approx(ahead, abs=2)


def test_a_clock_that_is_wrong_does_not_end_a_token(checked, workspace, monkeypatch) -> None:
    monkeypatch.setattr("prefect_databricks_runs._check.steps.answered_at", lambda _response: time.time() - 86_400)
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() - 80_000}).encode()).decode().rstrip("=")
    token = workspace.add_user("anna@example.com", f"e30.{claims}.x")
    _, found = checked(**with_token(workspace, token))
    assert results(found) == {**ALL_WELL, "clock": "failed"}
    assert "for 107 min." in detail(found, "token")


def test_an_answer_without_a_date_says_nothing_of_clocks(checked, workspace, monkeypatch) -> None:
    monkeypatch.setattr("prefect_databricks_runs._check.steps.answered_at", lambda _response: None)
    code, found = checked(**with_token(workspace))
    assert (code, results(found)) == (0, {**ALL_WELL, "clock": "unknown"})


def test_what_databricks_says_is_shown_and_does_nothing_else(checked, workspace, prefect_server) -> None:
    me(workspace, userName=f"a\x1b[31m\tb\u202e{'x' * 900} {workspace.token}")
    checked(**with_token(workspace))
    done = in_this_process(prefect_server, "check")
    assert_no_secret(done)
    assert [line.count("\t") for line in done.stdout.splitlines()] == [2] * len(STEPS)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\u202e" not in done.stdout + done.stderr


def test_lines_for_a_pipe_as_a_user_runs_it(workspace, prefect_server) -> None:
    done = run("check", PREFECT_API_URL=prefect_server.api_url, **with_token(workspace))
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [[step, ALL_WELL[step]] for step in STEPS]
    assert f"You are signed in to {workspace.url} as someone@localhost. No problems were found" in done.stderr
    assert_no_secret(done)


def test_a_block_and_a_profile_are_not_given_together(prefect_server) -> None:
    done = in_this_process(prefect_server, "check", "--block", "a", "--profile", "b")
    assert done.returncode == 2
    assert "either a block or a profile" in done.stderr


def test_a_prefect_api_that_does_not_answer_is_told_as_such() -> None:
    class Gone:
        api_url = "http://ada:hunter2@127.0.0.1:1/api"

    with temporary_settings({PREFECT_API_URL: Gone.api_url}):
        done = in_this_process(Gone, "check", "--block", "prod")  # type: ignore[arg-type]
    assert done.returncode == 2
    assert "from the Prefect API http://127.0.0.1:1/api:" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_the_table_of_a_terminal(capsys) -> None:
    screen = io.StringIO()
    printing = TablePrinting(Console(file=screen, width=60, color_system=None))
    steps = [Step("credentials", "ok", "[b]x"), Step("address", "error", "No answer from a host. Check it. " * 3)]
    printing.close(Results(steps))
    shown = screen.getvalue().splitlines()
    assert shown[0].split() == ["credentials", "ok", "[b]x"]
    assert shown[1].startswith("address      error  No answer from")
    assert shown[2].startswith(" " * 20)
    assert capsys.readouterr().err == "1 step could not be done: address.\n"
