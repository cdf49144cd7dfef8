"""databricks-cli, the legacy command line, put through the steps by its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from steps import AbsentError, Script, Workspace, equal, holds, until

script = Script()


def command(
    workspace: Workspace, *words: str, https: bool = False, token: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command as the docs tell users: with the workspace as the proxy, as the CLI drops the port of a host."""
    own = {"DATABRICKS_TOKEN": token or workspace.token}
    if https:
        own |= {"DATABRICKS_HOST": workspace.https_without_port, "REQUESTS_CA_BUNDLE": workspace.ca_file}
    else:
        own |= {"DATABRICKS_HOST": "http://anything.local", "HTTP_PROXY": workspace.http, "http_proxy": workspace.http}
    executable = str(Path(sys.executable).with_name("databricks"))
    return subprocess.run(  # noqa: S603 - ours
        [executable, *words], capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **own}
    )


def told(workspace: Workspace, *words: str, **options: Any) -> Any:
    """Run a command that succeeds and prints JSON; it may warn too."""
    done = command(workspace, *words, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def submission(workspace: Workspace, notebook: str, **fields: Any) -> str:
    """The body of a submission in the form of version 2.0."""
    return json.dumps({"run_name": "cli", **workspace.task(notebook), **fields})


def ended(workspace: Workspace, run_id: int) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        state = told(workspace, "runs", "get", "--run-id", str(run_id))["state"]
        return state if "result_state" in state else None

    return until(look)


@script.step("submit", "runs submit --wait")
def submit(workspace: Workspace) -> None:
    done = command(workspace, "runs", "submit", "--wait", "--json", submission(workspace, "nightly"))
    equal(done.returncode, 0)
    assert json.loads(done.stdout)["run_id"]


@script.step("job", "jobs run-now")
def job(workspace: Workspace) -> None:
    body = json.dumps({"name": "cli", **workspace.task("nightly")})
    job_id = told(workspace, "jobs", "create", "--json", body)["job_id"]
    run = told(workspace, "jobs", "run-now", "--job-id", str(job_id), "--notebook-params", '{"who": "job"}')
    equal(ended(workspace, run["run_id"])["result_state"], "SUCCESS")
    output = told(workspace, "runs", "get-output", "--run-id", str(run["run_id"]))
    equal(output["notebook_output"]["result"], "hello job")


@script.step("output", "runs get-output")
def output(workspace: Workspace) -> None:
    run_id = told(workspace, "runs", "submit", "--json", submission(workspace, "nightly"))["run_id"]
    ended(workspace, run_id)
    equal(told(workspace, "runs", "get-output", "--run-id", str(run_id))["notebook_output"]["result"], "hello nobody")


@script.step("failure", "runs get-output")
def failure(workspace: Workspace) -> None:
    done = command(workspace, "runs", "submit", "--wait", "--json", submission(workspace, "fails"))
    equal(done.returncode, 1)
    holds(done.stdout + done.stderr, "Run failed with state FAILED")
    run_id = told(workspace, "runs", "list", "--limit", "1", "--output", "JSON")["runs"][0]["run_id"]
    equal(told(workspace, "runs", "get-output", "--run-id", str(run_id))["error"], "ValueError: no rows")


@script.step("cancel", "runs cancel")
def cancel(workspace: Workspace) -> None:
    run_id = told(workspace, "runs", "submit", "--json", submission(workspace, "slow"))["run_id"]
    told(workspace, "runs", "cancel", "--run-id", str(run_id))
    equal(ended(workspace, run_id)["result_state"], "CANCELED")


@script.step("pages", "jobs list --all")
def pages(workspace: Workspace) -> None:
    made = {workspace.job("nightly", name=f"cli-{number}") for number in range(25)}
    listed = told(workspace, "jobs", "list", "--version", "2.1", "--all", "--output", "JSON")["jobs"]
    assert made <= {job["job_id"] for job in listed}, f"{len(listed)} jobs listed"
    both = runs_listed(workspace, limit=2, offset=0)
    equal(len(both), 2)
    equal([*runs_listed(workspace, limit=1, offset=0), *runs_listed(workspace, limit=1, offset=1)], both)


def runs_listed(workspace: Workspace, limit: int, offset: int) -> list[int]:
    words = ("--limit", str(limit), "--offset", str(offset), "--output", "JSON")
    return [run["run_id"] for run in told(workspace, "runs", "list", *words)["runs"]]


script.absent("repair", "it has no command for it")


@script.step("idempotency", "jobs run-now --idempotency-token")
def idempotency(workspace: Workspace) -> None:
    words = ("jobs", "run-now", "--job-id", str(workspace.job("nightly")), "--idempotency-token", "cli")
    first, second = (told(workspace, *words)["run_id"] for _ in range(2))
    equal(first, second)


@script.step("rate_limit")
def rate_limit(workspace: Workspace) -> str:
    workspace.https_without_port  # noqa: B018 - not tried without port 443
    with workspace.fault("POST */runs/submit", url=workspace.https, status=429, retry_after=1):
        assert told(workspace, "runs", "submit", "--json", submission(workspace, "nightly"), https=True)["run_id"]
    return "over https alone, so this step ran on port 443"


@script.step("server_error")
def server_error(workspace: Workspace) -> None:
    with workspace.fault("POST */runs/submit", status=503):
        done = command(workspace, "runs", "submit", "--json", submission(workspace, "nightly"))
    equal(done.returncode, 1)
    holds(done.stdout + done.stderr, "503")
    raise AbsentError("it reports the error at once")


script.absent("oauth", "it takes a token, or a login and a password")


@script.step("refused")
def refused(workspace: Workspace) -> None:
    done = command(workspace, "jobs", "list", token="wrong")
    equal(done.returncode, 1)
    holds(done.stdout + done.stderr, "Authorization failed")


script.main()
