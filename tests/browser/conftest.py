"""A browser, and a place for the pictures that are taken with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.browser.chromium import chromium
from tests.browser.flow_run_page import FlowRunPage
from tests.support.connections import PAUSES

expect.set_options(timeout=30_000)
PICTURES = Path(__file__).parents[2] / ".pictures"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 1100})
    page.route("**/api/**", _ask_again)
    yield page
    page.unroute_all(behavior="ignoreErrors")
    page.close()


def _ask_again(route: Route) -> None:
    """Answer a request of the page, which takes a 503 for the end, unlike Prefect's client."""
    for pause in PAUSES:
        answer = route.fetch(max_retries=3)  # where the server closes the connection just then
        if answer.status != httpx.codes.SERVICE_UNAVAILABLE:
            break
        time.sleep(pause)
    route.fulfill(response=answer)


@pytest.fixture
def flow_run_page(page: Page, prefect_server: PrefectServer) -> Callable[[str], FlowRunPage]:
    """The page of a flow run, by its id."""
    ui_url = prefect_server.api_url.removesuffix("/api")
    return lambda flow_run_id: FlowRunPage(page, ui_url, flow_run_id)


@pytest.fixture
def keep_picture(page: Page) -> Callable[[str], None]:
    """Keeps a picture of the page under the name of a scene, for people to look at."""

    def keep(scene: str) -> None:
        page.screenshot(path=PICTURES / f"prefect-{3 if PREFECT_3 else 2}-{scene}.png")

    return keep
