"""Makes the pictures of the docs, in the real Prefect UI, each in its light and in its dark color scheme.

    pip install -e ".[dev,benchmarks]" && python docs/pictures/make.py

Run it with the newest Prefect. The browser is a Chromium that is on the machine; `tests/browser/chromium.py` says where
it is looked for. `shown.py` says what the pictures show, and `daily_report.py` and the demo make it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import prefect
from playwright.sync_api import Page
from prefect.settings import PREFECT_API_URL, temporary_settings

sys.path.insert(0, str(Path(__file__).parents[2]))

from docs.pictures.camera import FOLDER, Camera
from docs.pictures.daily_report import DailyReport, daily_report
from docs.pictures.shown import MADE, shown
from prefect_databricks_runs import DatabricksCredentials, RunsFailed, wait_for_runs
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.runs.simulation import TaskStart
from tests.browser.chromium import chromium
from tests.browser.flow_run_page import FlowRunPage
from tests.browser.forms import Form
from tests.browser.painting import Painting, wait_until_still
from tests.local.client import Client
from tests.local.simulated import task

GRAPH, ARTIFACT = ".run-graph__stage", ".artifact-data-view"


def main() -> None:
    """Entry point of the script."""
    # What is in the pictures is made before the browser, which takes the loop of the thread.
    with PrefectServer() as server, temporary_settings({PREFECT_API_URL: server.api_url}):
        ui_url = server.api_url.removesuffix("/api")
        demo = [sys.executable, "-m", "prefect_databricks_runs", "demo", "--fail"]
        subprocess.run(demo, env={**os.environ, "PREFECT_API_URL": server.api_url}, check=False)  # it ends with 1
        first = wait_for_many()
        with daily_report(server) as report, chromium() as browser:
            camera = Camera(browser, ui_url)
            take_suspended(camera, report)
            take_forms(camera, report)
            one, many = (flow_run_of(ui_url, flow) for flow in ("submit-run-and-wait", "wait-for-runs"))
            take_failed(camera, ("run", "artifact"), one, "databricks-run-", "What to do next")
            take_failed(camera, ("many-runs", "many-runs-artifact"), many, f"databricks-runs-{first}", "no rows today")
    pictures = sorted(path.name for path in FOLDER.glob("*.png"))
    made = {"prefect": prefect.__version__, "pictures": pictures, "shown": shown()}
    MADE.write_text(json.dumps(made, indent=2) + "\n", "utf-8")


def wait_for_many() -> int:
    """Wait for a run of each of some regions, two of which fail; returns the id of the first one."""
    chance = random.Random(4)

    def course(start: TaskStart) -> dict[str, Any]:
        seconds = {"pending": chance.uniform(0, 2), "running": chance.uniform(4, 12)}
        failed = {"result_state": "FAILED", "error": "ValueError: no rows today"}
        return {**seconds, **(failed if start.task_key in ("emea-3", "apac-1") else {})}

    with LocalWorkspace(script=course) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        client = Client(workspace)
        regions = [f"{region}-{number}" for region in ("emea", "apac", "amer") for number in range(1, 5)]
        run_ids = [client.submit(task(region), run_name=region) for region in regions]
        client.close()
        with suppress(RunsFailed):
            wait_for_runs(databricks, run_ids)
        return run_ids[0]


def flow_run_of(ui_url: str, flow: str) -> str:
    """The id of the only run of a flow."""
    body = {"flows": {"name": {"any_": [flow]}}}
    (flow_run,) = httpx.post(f"{ui_url}/api/flow_runs/filter", json=body).raise_for_status().json()
    return str(flow_run["id"])


def take_failed(camera: Camera, names: tuple[str, str], flow_run_id: str, key: str, text: str) -> None:
    """Take a flow run that failed and its artifact, as two pictures.

    Args:
        camera: Takes them.
        names: The names of the pictures, of the flow run and of the artifact.
        flow_run_id: The flow run.
        key: The beginning of the key of the artifact.
        text: Text in the artifact, to wait for.
    """

    def graph(page: Page, ui_url: str) -> str:
        FlowRunPage(page, ui_url, flow_run_id).open()
        wait_until_still(page, "FAILED")
        return GRAPH

    def artifact(page: Page, ui_url: str) -> str:
        waiting = FlowRunPage(page, ui_url, flow_run_id)
        waiting.open()
        waiting.open_artifact(key).get_by_text(text).first.wait_for()
        return ARTIFACT

    for name, scene in zip(names, (graph, artifact), strict=True):
        camera.take(name, scene)


def take_forms(camera: Camera, report: DailyReport) -> None:
    """The form of a new credentials block, and that of the run of a deployment."""

    def sign_in(page: Page, ui_url: str) -> str:
        form = Form(page, f"{ui_url}/blocks/catalog/{DatabricksCredentials._block_type_slug}/create")
        form.fill("Block Name", "staging")
        form.fill("Host", "https://adb-1234567890123456.7.azuredatabricks.net")
        form.open_tab("Service principal")
        form.field("Client secret").wait_for()
        return "button:has-text('Create')"

    def deployment(page: Page, ui_url: str) -> str:
        form = Form(page, f"{ui_url}/deployments/deployment/{report.deployment_id}/run")
        form.field("Credentials").get_by_text("prod").wait_for()
        page.wait_for_load_state("networkidle")  # the state of the work queue comes last
        return "button:has-text('Submit')"

    camera.take("sign-in-form", sign_in)
    camera.take("deployment-form", deployment)


def take_suspended(camera: Camera, report: DailyReport) -> None:
    """The suspended flow run, whose bars grow."""

    def graph(page: Page, ui_url: str) -> str:
        FlowRunPage(page, ui_url, report.flow_run_id).open()
        wait_until_still(page, "RUNNING", what=Painting.rows)
        return GRAPH

    camera.take("suspended", graph)


if __name__ == "__main__":
    main()
