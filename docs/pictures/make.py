"""Makes the pictures of the docs: of the failing demo and of many runs that are waited for, in the real Prefect UI.

    pip install -e ".[dev]" && python docs/pictures/make.py

The browser is a Chromium that is on the machine; `tests/browser/chromium.py` says where it is looked for.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page
from prefect.settings import PREFECT_API_URL, temporary_settings

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1]))

from prefect_databricks_runs import DatabricksCredentials, RunsFailed, wait_for_runs  # noqa: E402
from prefect_databricks_runs.demo.servers import PrefectServer  # noqa: E402
from prefect_databricks_runs.local import LocalWorkspace  # noqa: E402
from prefect_databricks_runs.local.runs.simulation import TaskStart  # noqa: E402
from tests.browser.chromium import chromium  # noqa: E402
from tests.browser.flow_run_page import FlowRunPage  # noqa: E402
from tests.browser.painting import wait_until_still  # noqa: E402
from tests.local.client import Client  # noqa: E402
from tests.local.simulated import task  # noqa: E402

WIDTH = 1000  # about that of a README, so that its letters are as big there
MARGIN = 24


def main() -> None:
    """Entry point of the script."""
    command = [sys.executable, "-m", "prefect_databricks_runs", "demo", "--fail", "--ui"]
    with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as demo:
        try:
            take(ui_url_of(demo))
        finally:
            demo.send_signal(signal.SIGINT)
    with PrefectServer() as server, temporary_settings({PREFECT_API_URL: server.api_url}):
        take_many(server.api_url.removesuffix("/api"), first=wait_for_many())


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


def take_many(ui_url: str, first: int) -> None:
    """Take the pictures of the flow run that has waited for many runs, and of its artifact."""
    (flow_run,) = httpx.post(f"{ui_url}/api/flow_runs/filter", json={}).raise_for_status().json()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": 1600}, device_scale_factor=2)
        waiting = FlowRunPage(page, ui_url, flow_run["id"])
        waiting.open()
        wait_until_still(page, "FAILED")
        save(page, "many-runs.png", ".run-graph__stage")
        waiting.open_artifact(f"databricks-runs-{first}").get_by_text("no rows today").first.wait_for()
        save(page, "many-runs-artifact.png", ".artifact-data-view")


def ui_url_of(demo: subprocess.Popen[str]) -> str:
    """Where the demo's Prefect UI is, once its run is over."""
    assert demo.stdout
    for line in demo.stdout:
        found = re.search(r"The Prefect UI is at (http://\S+)", line)
        if found:
            return found[1]
    raise SystemExit("The demo ended before its UI was there.")


def take(ui_url: str) -> None:
    """Take the pictures of the demo's waiting flow run and of its artifact."""
    body = {"flows": {"name": {"any_": ["submit-run-and-wait"]}}}
    (flow_run,) = httpx.post(f"{ui_url}/api/flow_runs/filter", json=body).raise_for_status().json()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": 1600}, device_scale_factor=2)
        waiting = FlowRunPage(page, ui_url, flow_run["id"])
        waiting.open()
        wait_until_still(page, "FAILED")
        save(page, "run.png", ".run-graph__stage")
        waiting.open_artifact("databricks-run-").get_by_text("What to do next").wait_for()
        save(page, "artifact.png", ".artifact-data-view")


def save(page: Page, name: str, last: str) -> None:
    """Keep the page from its top to the end of an element."""
    box = page.locator(last).bounding_box()
    assert box
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"] + MARGIN}
    page.screenshot(path=FOLDER / name, clip=clip)


if __name__ == "__main__":
    main()
