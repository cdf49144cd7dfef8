"""Makes the pictures of the docs: runs the demo, and takes a picture of its run in the real Prefect UI.

    pip install playwright && python docs/pictures/make.py --browser /usr/bin/chromium

`playwright` drives a Chromium that is on the machine; it is no dependency of the project.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent
SIZE = {"width": 1200, "height": 560}
# Prefect 3 and Prefect 2.
PATHS = ("/runs/flow-run/{id}", "/flow-runs/flow-run/{id}")


def main() -> None:
    """Entry point of the script."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--browser", required=True, help="the path of a Chromium")
    parser.add_argument("--name", default="run.png", help="the file to write, in the folder of this script")
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "prefect_databricks_runs", "demo", "--ui"]
    with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as demo:
        try:
            take(address(demo), arguments.browser, FOLDER / arguments.name)
        finally:
            demo.send_signal(signal.SIGINT)


def address(demo: subprocess.Popen[str]) -> str:
    """Where the demo's Prefect UI is, once its run is over."""
    assert demo.stdout
    for line in demo.stdout:
        found = re.search(r"The Prefect UI is at (http://\S+)", line)
        if found:
            return found[1]
    raise SystemExit("The demo ended before its UI was there.")


def take(url: str, browser: str, file: Path) -> None:
    """Take the picture of the demo's waiting flow run."""
    body = {"flows": {"name": {"any_": ["submit-run-and-wait"]}}}
    (flow_run,) = httpx.post(f"{url}/api/flow_runs/filter", json=body).raise_for_status().json()
    is_prefect_2 = httpx.get(f"{url}/api/admin/version").json().startswith("2.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport=SIZE)
        page.goto(url + PATHS[is_prefect_2].format(id=flow_run["id"]))
        page.get_by_text(flow_run["name"]).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(3000)  # the graph is drawn on a canvas, which tells nobody when it is done
        page.screenshot(path=file)
        chromium.close()


if __name__ == "__main__":
    main()
