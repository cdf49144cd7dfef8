"""`cancel_databricks_runs`: the hook of users' own flows finds the Databricks runs that nobody waits for any more."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from prefect import flow, task
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed, Running

from prefect_databricks_runs import DatabricksCredentials, cancel_databricks_runs, run_now, submit_run, wait_for_run
from prefect_databricks_runs._connect.saved_blocks import UsedCredentials
from prefect_databricks_runs._report.things import Artifact
from prefect_databricks_runs._runtime import of_process
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

LONG = {"notebook_task": {"notebook_path": "/n"}}
JOB = {"name": "nightly", "tasks": [{"task_key": "main", **LONG}]}


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(script={"*": {"running": 120}}) as workspace:
        yield workspace


def results(workspace: LocalWorkspace) -> list[str | None]:
    return [run["state"].get("result_state") for run in workspace.runs.values()]


@flow(on_failure=[cancel_databricks_runs])
def starts_two_and_fails(databricks: DatabricksCredentials, job_id: int) -> None:
    submit_run(databricks, LONG)
    run_now(databricks, job_id=job_id)
    raise ValueError("not a day for this")


def test_runs_that_were_only_started_are_cancelled(databricks, workspace, run_log) -> None:
    with databricks.get_client() as client:
        job_id = client.post("/api/2.2/jobs/create", json=JOB).raise_for_status().json()["job_id"]
    with pytest.raises(ValueError, match="not a day"):
        starts_two_and_fails(databricks, job_id)
    assert results(workspace) == ["CANCELED", "CANCELED"]
    assert run_log.text.count(": the flow run that started it has finished") == 2


def test_a_run_of_which_prefect_is_only_being_told_is_cancelled_too(databricks, workspace, monkeypatch) -> None:
    tell = Artifact.tell

    async def told_late(self: Artifact, client: PrefectClient) -> None:
        await anyio.sleep(1)
        await tell(self, client)

    monkeypatch.setattr(Artifact, "tell", told_late)

    @flow(on_failure=[cancel_databricks_runs])
    def starts_and_fails() -> None:
        submit_run(databricks, LONG)
        raise ValueError("not a day for this")

    with pytest.raises(ValueError, match="not a day"):
        starts_and_fails()
    assert results(workspace) == ["CANCELED"]


def test_a_run_that_is_over_is_left_as_it_is(databricks, workspace, run_log) -> None:
    @flow(on_failure=[cancel_databricks_runs])
    def waits_and_fails() -> None:
        run_id = submit_run(databricks, LONG)
        with databricks.get_client() as client:
            client.post("/api/2.2/jobs/runs/cancel", json={"run_id": run_id}).raise_for_status()
        wait_for_run(databricks, run_id)

    with pytest.raises(Exception, match="was cancelled"):
        waits_and_fails()
    assert "Cancelling" not in run_log.text


SCRIPT = """
    import os
    from prefect import flow
    from prefect_databricks_runs import DatabricksCredentials, submit_run, wait_for_run

    @flow(name="{name}")
    def nightly():
        databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=os.environ["DATABRICKS_TOKEN"])
        tasks = [{{"task_key": key, "notebook_task": {{"notebook_path": "/n"}}}} for key in ("left", "right")]
        run_id = submit_run(databricks, tasks=tasks)
        wait_for_run(databricks, run_id, polling_period_seconds=0.05)

    nightly()
"""


def killed(name: str, workspace: LocalWorkspace, prefect_api, folder: Path) -> str:
    """Runs a flow that waits for a run, kills it when the run is drawn, and gives the flow run's id."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(SCRIPT.format(name=name)))
    environment = {
        **os.environ,
        "PREFECT_API_URL": str(prefect_api.url),
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": workspace.token,
        "PYTHONWARNINGS": "ignore",
    }

    def is_drawn() -> bool:
        return [each["state_type"] for each in drawn(prefect_api, name)] == ["RUNNING", "RUNNING"]

    with subprocess.Popen([sys.executable, str(file)], env=environment) as process:
        try:
            wait_until(is_drawn)
        finally:
            process.kill()
    return prefect_api.flow_runs_named(name)[0]["id"]


def drawn(prefect_api, name: str) -> list[dict]:
    """The task runs that the wait has drawn."""
    (waits,) = [
        prefect_api.task_runs(subflow["id"])
        for parent in prefect_api.flow_runs_named(name)
        for subflow in prefect_api.subflow_runs(parent["id"])
    ] or [[]]
    return waits


def call_hook(flow_run_id: str) -> None:
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(flow_run_id)
    cancel_databricks_runs(starts_two_and_fails, flow_run, flow_run.state)


def test_after_a_killed_process_the_run_is_cancelled_with_the_saved_block_and_nothing_is_drawn_as_going_on(
    databricks, workspace, prefect_api, tmp_path
) -> None:
    databricks.save("for-the-hook", overwrite=True)
    flow_run_id = killed("killed-and-hooked", workspace, prefect_api, tmp_path)
    assert results(workspace) == [None]
    assert databricks.host not in [each.host for each in of_process(UsedCredentials).all()]
    call_hook(flow_run_id)
    assert results(workspace) == ["CANCELED"]
    names = {each["name"]: each["state_name"] for each in drawn(prefect_api, "killed-and-hooked")}
    assert names == {"left": "Canceled", "right": "Canceled"}
    (subflow,) = prefect_api.subflow_runs(flow_run_id)
    texts = [each["data"] for each in prefect_api.artifacts(subflow["id"]) if each["type"] == "markdown"]
    assert ["**Canceled**" in text for text in texts] == [True]


def test_without_credentials_it_says_what_may_still_be_going(workspace, prefect_api, run_log, tmp_path) -> None:
    flow_run_id = killed("killed-without-block", workspace, prefect_api, tmp_path)
    call_hook(flow_run_id)
    (run_id,) = workspace.runs
    assert results(workspace) == [None]
    assert f"Databricks run {run_id} of {workspace.url} may still be active" in run_log.text
    assert "No DatabricksCredentials block is saved" in run_log.text


async def with_a_child_of_a_deployment(host: str, run_id: int) -> tuple[FlowRun, FlowRun]:
    """A flow run that crashed, and one that it had started with `run_deployment`, which goes on and has a run."""

    @flow
    def child() -> None: ...

    @task
    def run_deployment_of_prefect() -> None: ...

    async with get_client() as client:
        parent = await client.create_flow_run(starts_two_and_fails, state=Crashed())
        task_run = await client.create_task_run(run_deployment_of_prefect, parent.id, "0")
        deployment_id = await client.create_deployment(await client.create_flow(child), name=f"own-process-{uuid4()}")
        started = await client.create_flow_run_from_deployment(deployment_id, parent_task_run_id=task_run.id)
        artifact = {"key": f"databricks-run-{run_id}", "type": "markdown", "data": "", "flow_run_id": started.id}
        traced = {"databricks_host": host, "databricks_run_id": str(run_id)}
        await client.create_artifact(ArtifactCreate(**artifact, metadata_=traced))
        await client.set_flow_run_state(started.id, Running(), force=True)
        return parent, await client.read_flow_run(started.id)


def test_runs_of_a_flow_run_with_a_process_of_its_own_are_left_to_that(databricks, workspace, run_log) -> None:
    run_id = submit_run.fn(databricks, LONG)
    parent, child = asyncio.run(with_a_child_of_a_deployment(workspace.url, run_id))
    cancel_databricks_runs(starts_two_and_fails, parent, parent.state)
    assert results(workspace) == [None]
    cancel_databricks_runs(starts_two_and_fails, child, child.state)
    assert results(workspace) == ["CANCELED"]


def test_prefect_that_cannot_be_asked_does_not_make_it_raise(run_log, monkeypatch) -> None:
    monkeypatch.setattr("prefect_databricks_runs.state_hooks.traces_of", lambda *_: 1 / 0)

    @flow(on_failure=[cancel_databricks_runs])
    def fails() -> None:
        raise ValueError("not a day for this")

    with pytest.raises(ValueError, match="not a day"):
        fails()
    assert "Could not search Prefect for Databricks runs of this flow run" in run_log.text
