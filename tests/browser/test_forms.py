"""A user without code: the block and the deployment's run are filled in in the Prefect UI, and a worker runs it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from prefect.flows import EntrypointType

from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.browser.chromium import NOT_FOUND, chromium_path
from tests.browser.flow_run_page import FlowRunPage
from tests.browser.forms import Form
from tests.support.prefect_api import PrefectApi
from tests.support.prefect_cli import prefect

pytestmark = [pytest.mark.skipif(chromium_path() is None, reason=NOT_FOUND), pytest.mark.long]


@pytest.fixture(scope="module")
def deployment_id(prefect_api: PrefectApi) -> str:
    """A deployment of a flow that ships in the package; made before the browser, which takes the thread's loop."""
    DatabricksCredentials.register_type_and_schema()
    prefect_api.create_work_pool("forms", "process")
    deployment = submit_run_and_wait.to_deployment(
        "forms", work_pool_name="forms", entrypoint_type=EntrypointType.MODULE_PATH
    )
    return str(deployment.apply())


def test_a_block_made_in_its_form_is_chosen_in_that_of_a_deployment_and_a_worker_runs_it(
    deployment_id: str,
    page: Page,
    prefect_server: PrefectServer,
    workspace,
    notebook,
    flow_run_page: Callable[[str], FlowRunPage],
    keep_picture: Callable[[str], None],
) -> None:
    notebook("/Shared/hello", "dbutils.notebook.exit('Hello, Ada')")
    ui_url = prefect_server.api_url.removesuffix("/api")
    block = Form(page, f"{ui_url}/blocks/catalog/{DatabricksCredentials._block_type_slug}/create")
    block.fill("Block Name", "made-in-its-form")
    block.fill("Host", workspace.url)
    block.fill("Token", workspace.token)
    keep_picture("block-form")
    block.submit("Create", creates="/block_documents")

    run = Form(page, f"{ui_url}/deployments/deployment/{deployment_id}/run")
    run.choose("databricks_credentials", "made-in-its-form")
    run.fill("notebook_task", '{"notebook_path": "/Shared/hello"}')
    keep_picture("deployment-form")
    flow_run_id = run.submit("Submit", creates="/create_flow_run")

    prefect(prefect_server, "worker", "start", "--pool", "forms", "--run-once")
    waited = flow_run_page(flow_run_id)
    waited.open()
    expect(waited.badge).to_have_text("Success")
    keep_picture("deployment-ran")
