"""A user without code: a job block made in its form, and the form of a deployment that has the job's own parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect
from prefect.flows import EntrypointType

from prefect_databricks_runs import DatabricksCredentials, DatabricksJob, run_databricks_job
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from tests.browser.chromium import NOT_FOUND, chromium_path
from tests.browser.flow_run_page import FlowRunPage
from tests.browser.forms import Form
from tests.support.command_line import in_this_process
from tests.support.prefect_api import PrefectApi
from tests.support.prefect_cli import prefect

pytestmark = [pytest.mark.skipif(chromium_path() is None, reason=NOT_FOUND), pytest.mark.timeout(300), pytest.mark.long]

POOL = "job-forms"


NOTEBOOK = "# Databricks notebook source\ndbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))\n"
JOB = {
    "name": "greeting",
    "parameters": [{"name": "who", "default": "world"}],
    "tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/greet"}}],
}


@pytest.fixture(scope="module")
def jobs_workspace() -> Iterator[LocalWorkspace]:
    """A workspace with a saved job."""
    with LocalWorkspace() as workspace:
        (workspace.root / "greet.py").write_text(NOTEBOOK)
        with httpx.Client(base_url=workspace.url, headers={"Authorization": f"Bearer {workspace.token}"}) as client:
            client.post("/api/2.2/jobs/create", json=JOB).raise_for_status()
        yield workspace


@pytest.fixture(scope="module")
def deployments(
    jobs_workspace: LocalWorkspace, prefect_server: PrefectServer, prefect_api: PrefectApi
) -> dict[str, str]:
    """A deployment that `deploy` makes, and one of the flow that runs a block: their ids.

    Made before the browser, which takes the thread's loop.
    """
    DatabricksCredentials(host=jobs_workspace.url, token=jobs_workspace.token).save("of-forms", overwrite=True)
    prefect_api.create_work_pool(POOL, "process")
    done = in_this_process(prefect_server, "deploy", "greeting", "--block", "of-forms", "--pool", POOL, "--json")
    assert done.returncode == 0, done.stderr
    DatabricksJob.register_type_and_schema()
    of_block = run_databricks_job.to_deployment(
        "of-block", work_pool_name=POOL, entrypoint_type=EntrypointType.MODULE_PATH
    )
    return {"of job": json.loads(done.stdout)["deployment_id"], "of block": str(of_block.apply())}


def test_the_jobs_own_parameters_are_a_form_and_so_is_the_block_of_a_job(
    deployments: dict[str, str],
    page: Page,
    prefect_server: PrefectServer,
    jobs_workspace: LocalWorkspace,
    flow_run_page: Callable[[str], FlowRunPage],
    keep_picture: Callable[[str], None],
) -> None:
    ui_url = prefect_server.api_url.removesuffix("/api")
    form = Form(page, f"{ui_url}/deployments/deployment/{deployments['of job']}/run")
    expect(form.field("Credentials").get_by_text("of-forms")).to_be_visible()
    expect(form.field("who").locator("input, textarea")).to_have_value("world")
    form.fill("who", "ada")
    keep_picture("form-of-a-job")
    of_job = form.submit("Submit", creates="/create_flow_run")

    block = Form(page, f"{ui_url}/blocks/catalog/{DatabricksJob._block_type_slug}/create")
    block.fill("Block Name", "greeting")
    block.choose("DatabricksCredentials", "of-forms")  # Prefect 3 shows the class in place of the title
    block.fill("Job name", "greeting")
    block.fill("Job ID", "7")
    block.fill("Job ID", "")
    keep_picture("form-of-a-job-block")
    block.submit("Create", creates="/block_documents")

    run = Form(page, f"{ui_url}/deployments/deployment/{deployments['of block']}/run")
    run.choose("job", "greeting")
    run.fill("parameters", '{"who": "eve"}')
    keep_picture("form-of-a-flow-of-a-job-block")
    of_block = run.submit("Submit", creates="/create_flow_run")

    prefect(prefect_server, "worker", "start", "--pool", POOL, "--run-once")
    for flow_run_id in (of_job, of_block):
        waited = flow_run_page(flow_run_id)
        waited.open()
        expect(waited.badge).to_have_text("Success")
    asked = [each.body["job_parameters"] for each in jobs_workspace.requests if each.path.endswith("/run-now")]
    assert sorted(asked, key=str) == [{"who": "ada"}, {"who": "eve"}]
