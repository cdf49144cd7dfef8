"""The command line, run as a user runs it: in processes of its own, and leaving none behind."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from prefect_databricks_runs import __version__
from prefect_databricks_runs.cli import app
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.prefect_api import PrefectApi
from tests.support.processes import PATIENCE, descendants, wait_until

# A demo starts a server, a worker and flow runs, which all import Prefect.
pytestmark = pytest.mark.timeout(600)

COMMAND = [sys.executable, "-W", "ignore", "-m", "prefect_databricks_runs"]
TASKS = ["collect", "clean", "functions", "imports", "docstrings", "report"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **more}


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    return subprocess.run(
        command, env=environment(**more), capture_output=True, text=True, timeout=2 * PATIENCE, check=False
    )


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a test started; none outlives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(started: list[subprocess.Popen[str]], *arguments: str, **more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    started.append(process)
    return process


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """The output up to the first line that has `pattern`."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            return "".join(lines)
    raise AssertionError(f"{pattern!r} never came in:\n{''.join(lines)}")


def test_version_and_help() -> None:
    assert run("--version").stdout.strip() == __version__
    shown = run("--help").stdout
    assert "demo" in shown
    assert "local" in shown


@pytest.mark.long
def test_the_demo_shows_every_task_and_ends_completed(prefect_server: PrefectServer, prefect_api: PrefectApi) -> None:
    done = run("demo", PREFECT_API_URL=prefect_server.api_url)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    for key in TASKS:
        assert re.search(rf"Task {key} of Databricks run \d+ is Running", output), key
        assert re.search(rf"Task {key} of Databricks run \d+ is Success", output), key
        assert re.search(rf"│ {key} +│ Success │", output), key
    assert "of the public ones are documented" in output
    assert "lead nowhere" not in output  # the Prefect server is another's, and stays
    run_id = re.search(r"Databricks run (\d+) 'how-python-is-written' is Success", output)[1]
    waiting = prefect_api.flow_runs_named("submit-run-and-wait")[0]
    assert (waiting["state"]["type"], waiting["state"]["name"]) == ("COMPLETED", "Success")
    assert run_id in waiting["state"]["message"]
    parent = prefect_api.flow_runs_named("databricks-demo")[0]
    assert parent["state"]["type"] == "COMPLETED"


@pytest.mark.long
def test_the_demo_of_a_job_goes_from_python_to_a_form_and_a_run_by_a_worker() -> None:
    done = run("demo", "--job")
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "Created the deployment 'run-now-and-wait/python-report'" in output
    assert "form.least_modules" in output
    assert "0 3 * * * (Europe/Berlin)" in output
    assert re.search(r"The deployment's run is Success: Databricks run \d+", output)


@pytest.mark.long
def test_a_demo_that_is_asked_to_fail_shows_the_notebooks_own_error(
    prefect_server: PrefectServer, prefect_api: PrefectApi
) -> None:
    done = run("demo", "--fail", PREFECT_API_URL=prefect_server.api_url)
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "ValueError: the demo fails here on request" in output
    assert 'raise ValueError("the demo fails here on request")' in output
    assert re.search(r"│ report +│ UpstreamFailed │", output)
    assert prefect_api.flow_runs_named("databricks-demo")[0]["state"]["type"] == "FAILED"


@pytest.mark.long
def test_the_demo_with_a_server_of_its_own_keeps_it_up_until_ctrl_c_which_leaves_nothing(started, tmp_path) -> None:
    home = str(tmp_path)
    process = start(started, "demo", "--ui", PREFECT_HOME=home)
    output = read_until(process, "until you press Ctrl-C")
    address = re.search(r"The Prefect UI is at (http://127.0.0.1:\d+)", output)[1]
    assert "<html" in httpx.get(f"{address}/", follow_redirects=True).text.lower()
    children = descendants(process.pid)
    assert children
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    wait_until(lambda: not any(child.is_running() for child in children))


def test_the_demo_with_a_server_of_its_own_says_that_its_links_end_with_it(monkeypatch) -> None:
    """Without a server, and without the flow: `.ci/run` runs it with both."""
    monkeypatch.setattr(PrefectServer, "__enter__", lambda self: self)
    monkeypatch.setattr(PrefectServer, "__exit__", lambda self, *_: None)
    monkeypatch.setattr(PrefectServer, "api_url", "http://127.0.0.1:1/api", raising=False)
    monkeypatch.setattr("prefect_databricks_runs.cli._configured_api_url", lambda: "")
    monkeypatch.setattr("prefect_databricks_runs.cli._run_child", lambda *_: 0)
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["demo"])
    assert done.exit_code == 0, done.output
    assert "the links to it lead nowhere now: `prefect-databricks-runs demo --ui` keeps it up." in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_demo_that_is_ended_half_way_cancels_its_run_and_leaves_nothing(
    sent, started, prefect_server: PrefectServer
) -> None:
    process = start(started, "demo", PREFECT_API_URL=prefect_server.api_url)
    read_until(process, "Task collect of Databricks run .* is Running")
    children = descendants(process.pid)
    process.send_signal(sent)
    output, _ = process.communicate(timeout=PATIENCE)
    assert re.search(r"Databricks run \d+ 'how-python-is-written' is Canceled", output), output
    assert process.returncode == 130
    wait_until(lambda: not any(child.is_running() for child in children))


def test_local_prints_what_every_databricks_client_understands(started, tmp_path) -> None:
    (tmp_path / "greet.py").write_text("# Databricks notebook source\ndbutils.notebook.exit('hi')\n")
    process = start(started, "local", "--port", "0", "--token", "dapi-local", "--root", str(tmp_path))
    output = read_until(process, "DATABRICKS_TOKEN=")
    host, token = re.fullmatch(r"DATABRICKS_HOST=(http://127\.0\.0\.1:\d+)\nDATABRICKS_TOKEN=(.*)\n", output).groups()
    assert token == "dapi-local"
    body = {"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/greet"}}]}
    answer = httpx.post(f"{host}/api/2.2/jobs/runs/submit", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130


def test_local_prints_a_service_principal_that_gets_in(started) -> None:
    secret = {"PREFECT_DATABRICKS_RUNS_LOCAL_CLIENT_SECRET": "dose-of-the-environment"}
    process = start(started, "local", "--port", "0", "--client-id", "etl", **secret)
    output = read_until(process, "DATABRICKS_CLIENT_SECRET=")
    host = re.match(r"DATABRICKS_HOST=(.*)", output)[1]
    assert output.endswith("DATABRICKS_CLIENT_ID=etl\nDATABRICKS_CLIENT_SECRET=dose-of-the-environment\n")
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    assert httpx.post(f"{host}/oidc/v1/token", data=form, auth=("etl", "dose-of-the-environment")).status_code == 200
    assert "dose-of-the-environment" not in " ".join(psutil.Process(process.pid).cmdline())


def test_a_client_secret_of_local_needs_a_client_id() -> None:
    done = run("local", "--port", "0", "--client-secret", "dose-1")
    assert done.returncode == 2
    assert "--client-id" in done.stderr
    assert "dose-1" not in done.stderr


def test_local_serves_https_when_asked_and_prints_whom_to_trust(started) -> None:
    process = start(started, "local", "--port", "0", "--tls")
    output = read_until(process, "SSL_CERT_FILE=")
    host, ca_file = re.fullmatch(
        r"DATABRICKS_HOST=(https://127\.0\.0\.1:\d+)\nDATABRICKS_TOKEN=.*\nSSL_CERT_FILE=(.*)\n", output
    ).groups()
    assert httpx.get(host, verify=ssl.create_default_context(cafile=ca_file)).status_code == 200
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert not Path(ca_file).parent.exists()


def test_a_port_that_is_taken_is_one_clear_error(workspace) -> None:
    done = run("local", "--port", workspace.url.rpartition(":")[2])
    assert done.returncode == 1
    assert "Choose another one with --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_local_passes_the_variables_that_are_named_and_no_others(started, tmp_path) -> None:
    shown = "{name: os.environ.get(name) for name in ('MINE', 'YOURS', 'GITHUB_TOKEN')}"
    (tmp_path / "n.py").write_text(f"# Databricks notebook source\nimport os\ndbutils.notebook.exit({shown})\n")
    command = ["local", "--port", "0", "--token", "dapi-local", "--root", str(tmp_path)]
    variables = {"MINE": "a", "YOURS": "b", "GITHUB_TOKEN": "c"}
    process = start(started, *command, "--pass-env", "MINE", "--pass-env", "YOURS", **variables)
    host = re.search(r"DATABRICKS_HOST=(\S+)", read_until(process, "DATABRICKS_TOKEN="))[1]
    with httpx.Client(base_url=f"{host}/api/2.2/jobs", headers={"Authorization": "Bearer dapi-local"}) as client:
        body = {"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/n"}}]}
        run_id = client.post("/runs/submit", json=body).json()["run_id"]
        wait_until(lambda: "result_state" in client.get("/runs/get", params={"run_id": run_id}).json()["state"])
        task = client.get("/runs/get", params={"run_id": run_id}).json()["tasks"][0]
        output = client.get("/runs/get-output", params={"run_id": task["run_id"]}).json()
    assert output["notebook_output"]["result"] == "{'MINE': 'a', 'YOURS': 'b', 'GITHUB_TOKEN': None}"


def test_a_variable_with_its_value_is_refused_without_showing_it() -> None:
    done = run("local", "--port", "0", "--pass-env", "GITHUB_TOKEN=ghp-secret")
    assert done.returncode == 2
    assert "ghp-secret" not in done.stdout + done.stderr


def test_the_token_of_local_may_come_from_the_environment_and_is_then_in_no_command_line(started) -> None:
    process = start(started, "local", "--port", "0", PREFECT_DATABRICKS_RUNS_LOCAL_TOKEN="dapi-of-the-environment")
    assert "DATABRICKS_TOKEN=dapi-of-the-environment\n" in read_until(process, "DATABRICKS_TOKEN=")
    assert "dapi-of-the-environment" not in " ".join(psutil.Process(process.pid).cmdline())


def test_a_token_that_is_an_option_comes_before_that_of_the_environment(started) -> None:
    command = ["local", "--port", "0", "--token", "dapi-of-the-option"]
    process = start(started, *command, PREFECT_DATABRICKS_RUNS_LOCAL_TOKEN="dapi-of-the-environment")
    assert "DATABRICKS_TOKEN=dapi-of-the-option\n" in read_until(process, "DATABRICKS_TOKEN=")
