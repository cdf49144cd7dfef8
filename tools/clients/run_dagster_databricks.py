"""dagster-databricks, put through the steps: its ops in Dagster jobs, and its client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from dagster import DagsterInstance, job, op
from dagster_databricks import (
    DatabricksClientResource,
    DatabricksError,
    create_databricks_run_now_op,
    create_databricks_submit_run_op,
)
from dagster_databricks.components.databricks_asset_bundle.resource import DatabricksWorkspace
from dagster_databricks.components.databricks_workspace.schema import DatabricksFilter
from dagster_databricks.databricks import DatabricksClient, DatabricksJobRunner
from dagster_databricks.resources import OauthCredentials
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.jobs import NotebookTask, SubmitTask
from steps import Script, Workspace, equal, holds, raises, until

script = Script()
LOG = logging.getLogger("dagster-databricks")
QUICK = {"poll_interval_seconds": 0.2, "max_wait_time_seconds": 60}


def resource(workspace: Workspace) -> DatabricksClientResource:
    return DatabricksClientResource(host=workspace.http, token=workspace.token)


def client(workspace: Workspace) -> DatabricksClient:
    return DatabricksClient(host=workspace.http, token=workspace.token)


def runner(workspace: Workspace) -> DatabricksJobRunner:
    return DatabricksJobRunner(host=workspace.http, token=workspace.token, poll_interval_sec=0.2, max_wait_time_sec=60)


def in_job(make: Callable[[], Any], databricks: DatabricksClientResource) -> None:
    """Run an op in a Dagster job, which raises what the op raises."""
    made = make()

    @job(resource_defs={"databricks": databricks})
    def alone() -> None:
        made()

    with DagsterInstance.ephemeral() as instance:
        assert alone.execute_in_process(instance=instance, raise_on_error=True).success


def task(workspace: Workspace, notebook: str) -> dict[str, Any]:
    return {"task_key": "main", **workspace.task(notebook)}


@script.step("submit", "create_databricks_submit_run_op")
def submit(workspace: Workspace) -> str:
    in_job(lambda: create_databricks_submit_run_op(task(workspace, "nightly"), **QUICK), resource(workspace))
    return "the configuration needs a `task_key`"


@script.step("job", "create_databricks_run_now_op")
def saved_job(workspace: Workspace) -> None:
    job_id = workspace.job("nightly")
    configuration = {"notebook_params": {"who": "job"}}
    in_job(lambda: create_databricks_run_now_op(job_id, configuration, **QUICK), resource(workspace))
    jobs = client(workspace).workspace_client.jobs
    (run,) = jobs.list_runs(job_id=job_id, expand_tasks=True)
    equal(jobs.get_run_output(run.tasks[0].run_id).notebook_output.result, "hello job")


@script.step("output", "DatabricksJobRunner.submit_run")
def output(workspace: Workspace) -> None:
    # It adds libraries of its own, and a cluster made of its own fields.
    nodes = {"node_types": {"node_type_id": "i3.xlarge"}}
    cluster = {"new": {"spark_version": "15.4.x-scala2.12", "nodes": nodes, "size": {"num_workers": 1}}}
    notebook_task = {"notebook_task": {"notebook_path": "/Shared/nightly", "base_parameters": {"who": "dagster"}}}
    mine = runner(workspace)
    run_id = mine.submit_run({"cluster": cluster, "run_name": "dagster"}, notebook_task)
    mine.client.wait_for_run_to_complete(LOG, run_id, 0.2, 60)
    jobs = mine.client.workspace_client.jobs
    equal(jobs.get_run_output(jobs.get_run(run_id).tasks[0].run_id).notebook_output.result, "hello dagster")


@script.step("failure", "DatabricksClient.wait_for_run_to_complete")
def failure(workspace: Workspace) -> str:
    error = raises(
        lambda: in_job(lambda: create_databricks_submit_run_op(task(workspace, "fails"), **QUICK), resource(workspace))
    )
    assert isinstance(error, DatabricksError), error
    holds(error, "failed with result state: `DatabricksRunResultState.FAILED`")
    return "its error has the state message, and not the error of the notebook"


@script.step("cancel", "DatabricksClient.workspace_client.jobs.cancel_run")
def cancel(workspace: Workspace) -> None:
    mine = client(workspace)
    jobs = mine.workspace_client.jobs
    wait = jobs.submit(tasks=[SubmitTask("main", notebook_task=NotebookTask("/Shared/slow"))])
    jobs.cancel_run(wait.run_id)
    until(lambda: mine.get_run_state(wait.run_id).result_state)  # it takes TERMINATING for an end too
    raises(lambda: mine.wait_for_run_to_complete(LOG, wait.run_id, 0.2, 60), "CANCELED")


@script.step("pages", "DatabricksWorkspace.fetch_jobs")
def pages(workspace: Workspace) -> None:
    made = {workspace.job("nightly", name=f"dagster-{number}") for number in range(30)}
    everything = DatabricksFilter(include_job=lambda job: True)  # noqa: ARG005
    found = asyncio.run(DatabricksWorkspace(host=workspace.http, token=workspace.token).fetch_jobs(everything))
    assert made <= {each.job_id for each in found}, found


@script.step("repair", "DatabricksClient.workspace_client.jobs.repair_run")
def repair(workspace: Workspace) -> str:
    mine = client(workspace)
    jobs = mine.workspace_client.jobs
    notebook_task = NotebookTask("/Shared/flaky", {"flag": workspace.flag("dagster")})
    run_id = jobs.submit(tasks=[SubmitTask("main", notebook_task=notebook_task)]).run_id
    raises(lambda: mine.wait_for_run_to_complete(LOG, run_id, 0.2, 60), "FAILED")
    jobs.repair_run(run_id, rerun_all_failed_tasks=True).result(timeout=timedelta(seconds=60))
    mine.wait_for_run_to_complete(LOG, run_id, 0.2, 60)
    return "only with the databricks-sdk client that it returns"


@script.step("idempotency", "DatabricksJobRunner.submit_run")
def idempotency(workspace: Workspace) -> None:
    configuration = {"cluster": {"existing": "1234-567890-local"}, "idempotency_token": "dagster"}
    notebook_task = {"notebook_task": {"notebook_path": "/Shared/nightly"}}
    first, second = (runner(workspace).submit_run(configuration, notebook_task) for _ in range(2))
    equal(first, second)


@script.step("rate_limit")
def rate_limit(workspace: Workspace) -> None:
    with workspace.fault("POST */runs/submit", status=429, retry_after=1):
        submit_one(workspace)


@script.step("server_error")
def server_error(workspace: Workspace) -> None:
    with workspace.fault("GET */runs/get", status=503, retry_after=1):
        submit_one(workspace)


def submit_one(workspace: Workspace) -> None:
    in_job(lambda: create_databricks_submit_run_op(task(workspace, "nightly"), **QUICK), resource(workspace))


@script.step("oauth")
def oauth(workspace: Workspace) -> None:
    credentials = OauthCredentials(client_id=workspace.client_id, client_secret=workspace.client_secret)
    seen: list[str] = []

    @op(required_resource_keys={"databricks"})
    def who(context) -> None:  # Dagster refuses the annotation `Any`
        seen.append(context.resources.databricks.workspace_client.current_user.me().user_name)

    in_job(lambda: who, DatabricksClientResource(host=workspace.http, oauth_credentials=credentials))
    equal(seen, [workspace.client_id])


@script.step("refused")
def refused(workspace: Workspace) -> None:
    wrong = DatabricksClient(host=workspace.http, token="wrong")
    equal(type(raises(lambda: wrong.get_run_state(1))), PermissionDenied)


script.main()
