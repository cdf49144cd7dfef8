"""prefect-databricks, put through the steps: its flows and tasks, called in a flow of a temporary Prefect server."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from typing import Any

os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "true"  # before Prefect reads its settings
os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "180"
os.environ["SSL_CERT_FILE"] = os.environ["LOCAL_CA_FILE"]  # as the docs tell users

import httpx
from prefect import flow
from prefect_databricks import DatabricksCredentials, flows, jobs
from prefect_databricks.models.jobs import NotebookTask, RunSubmitTaskSettings
from steps import AbsentError, Script, Workspace, equal, holds, raises

script = Script()
QUICK = {"poll_frequency_seconds": 1, "max_wait_seconds": 60}


def credentials(workspace: Workspace, **way: str) -> DatabricksCredentials:
    return DatabricksCredentials(
        databricks_instance=workspace.https.removeprefix("https://"), **(way or {"token": workspace.token})
    )


def task(notebook: str, **parameters: str) -> RunSubmitTaskSettings:
    notebook_task = NotebookTask(notebook_path=f"/Shared/{notebook}", base_parameters=parameters)
    return RunSubmitTaskSettings(task_key="main", existing_cluster_id="1234-567890-local", notebook_task=notebook_task)


def submitted(workspace: Workspace, notebook: str, **options: Any) -> Any:
    """Submit with its main flow, and wait."""
    return asyncio.run(
        flows.jobs_runs_submit_and_wait_for_completion(
            credentials(workspace), tasks=[task(notebook)], run_name="pd", **QUICK, **options
        )
    )


def in_flow(steps: Callable[[DatabricksCredentials], Any], block: DatabricksCredentials) -> Any:
    """Call tasks of the package where its users call them: in a flow."""

    @flow
    async def calls() -> Any:
        return await steps(block)

    return asyncio.run(calls())


@script.step("submit", "jobs_runs_submit_and_wait_for_completion")
def submit(workspace: Workspace) -> None:
    equal(submitted(workspace, "nightly"), {"main": {"result": "hello nobody", "truncated": False}})


@script.step("job", "jobs_runs_submit_by_id_and_wait_for_completion")
def job(workspace: Workspace) -> None:
    job_id = workspace.job("nightly", url=workspace.https)
    outputs = asyncio.run(
        flows.jobs_runs_submit_by_id_and_wait_for_completion(
            credentials(workspace), job_id=job_id, notebook_params={"who": "job"}, **QUICK
        )
    )
    equal(outputs["main"]["result"], "hello job")


@script.step("output", "jobs_runs_get_output")
def output(workspace: Workspace) -> None:
    _, metadata = submitted(workspace, "nightly", return_metadata=True)

    async def steps(block: DatabricksCredentials) -> Any:
        return await jobs.jobs_runs_get_output(metadata["tasks"][0]["run_id"], block)

    equal(in_flow(steps, credentials(workspace))["notebook_output"]["result"], "hello nobody")


@script.step("failure")
def failure(workspace: Workspace) -> str:
    error = raises(lambda: submitted(workspace, "fails"), "DatabricksJobTerminated")
    holds(error, "FAILED")
    # Its error has the state message, and not what the notebook raised.
    if "no rows" in str(error):
        return ""
    started: list[int] = []

    async def steps(block: DatabricksCredentials) -> Any:
        run = await jobs.jobs_runs_submit(block, tasks=[task("fails")])
        started.append(run["run_id"])
        await flows.jobs_runs_wait_for_completion(run["run_id"], block, **QUICK)
        run = await jobs.jobs_runs_get(run["run_id"], block)
        return await jobs.jobs_runs_get_output(run["tasks"][0]["run_id"], block)

    equal(in_flow(steps, credentials(workspace))["error"], "ValueError: no rows")
    return "its error has the state message; the task `jobs_runs_get_output` returns the error of the notebook"


@script.step("cancel", "jobs_runs_cancel")
def cancel(workspace: Workspace) -> None:
    async def steps(block: DatabricksCredentials) -> Any:
        run = await jobs.jobs_runs_submit(block, tasks=[task("slow")])
        await jobs.jobs_runs_cancel(block, run_id=run["run_id"])
        state, _ = await flows.jobs_runs_wait_for_completion(run["run_id"], block, **QUICK)
        return state

    equal(in_flow(steps, credentials(workspace))["result_state"], "CANCELED")


@script.step("pages", "jobs_runs_list")
def pages(workspace: Workspace) -> None:
    job_id = workspace.job("nightly", url=workspace.https)

    async def steps(block: DatabricksCredentials) -> Any:
        started = [(await jobs.jobs_run_now(block, job_id=job_id))["run_id"] for _ in range(3)]
        listed: list[int] = []
        while True:
            page = await jobs.jobs_runs_list(block, job_id=job_id, limit=2, offset=len(listed))
            listed += [run["run_id"] for run in page.get("runs", [])]
            if not page["has_more"]:
                return sorted(started), sorted(listed)

    equal(*in_flow(steps, credentials(workspace)))


@script.step("repair", "jobs_runs_repair")
def repair(workspace: Workspace) -> None:
    async def steps(block: DatabricksCredentials) -> Any:
        run = await jobs.jobs_runs_submit(block, tasks=[task("flaky", flag=workspace.flag("pd"))])
        first, _ = await flows.jobs_runs_wait_for_completion(run["run_id"], block, **QUICK)
        await jobs.jobs_runs_repair(block, run_id=run["run_id"], rerun_all_failed_tasks=True)
        second, _ = await flows.jobs_runs_wait_for_completion(run["run_id"], block, **QUICK)
        return first["result_state"], second["result_state"]

    equal(in_flow(steps, credentials(workspace)), ("FAILED", "SUCCESS"))


@script.step("idempotency", "jobs_runs_submit(idempotency_token=…)")
def idempotency(workspace: Workspace) -> None:
    token = uuid.uuid4().hex

    async def steps(block: DatabricksCredentials) -> Any:
        return [await jobs.jobs_runs_submit(block, tasks=[task("nightly")], idempotency_token=token) for _ in "12"]

    first, second = in_flow(steps, credentials(workspace))
    equal(first["run_id"], second["run_id"])


def sent_once(workspace: Workspace, status: int) -> None:
    """See that it does not send again, and that Prefect does for those who set retries."""
    with workspace.fault("POST */runs/submit", url=workspace.https, status=status, retry_after=1):
        raises(lambda: submitted(workspace, "nightly"), "HTTPStatusError")

    async def steps(block: DatabricksCredentials) -> Any:
        retried = jobs.jobs_runs_submit.with_options(retries=1, retry_delay_seconds=0)
        return await retried(block, tasks=[task("nightly")])

    with workspace.fault("POST */runs/submit", url=workspace.https, status=status):
        assert in_flow(steps, credentials(workspace))["run_id"]
    raise AbsentError("it raises at once, and only `retries` of the Prefect task send again")


@script.step("rate_limit")
def rate_limit(workspace: Workspace) -> None:
    sent_once(workspace, 429)


@script.step("server_error")
def server_error(workspace: Workspace) -> None:
    sent_once(workspace, 503)


@script.step("oauth")
def oauth(workspace: Workspace) -> None:
    async def steps(block: DatabricksCredentials) -> Any:
        return await jobs.jobs_runs_submit(block, tasks=[task("nightly")])

    way = {"client_id": workspace.client_id, "client_secret": workspace.client_secret}
    run_id = in_flow(steps, credentials(workspace, **way))["run_id"]
    run = workspace.ask("GET", f"/api/2.2/jobs/runs/get?run_id={run_id}", url=workspace.https)
    equal(run["creator_user_name"], workspace.client_id)


@script.step("refused")
def refused(workspace: Workspace) -> None:
    async def steps(block: DatabricksCredentials) -> Any:
        return await jobs.jobs_list(block)

    error = raises(lambda: in_flow(steps, credentials(workspace, token="wrong")))
    assert isinstance(error, httpx.HTTPStatusError), error
    equal(error.response.status_code, 403)


script.main()
