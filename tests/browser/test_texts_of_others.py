"""A run of hostile texts in Prefect's UIs, the second one of Prefect 3 too: nothing in them is loaded, or is a link."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from prefect_databricks_runs import DatabricksCredentials, RunFailed, wait_for_run
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.browser.chromium import NOT_FOUND, chromium_path
from tests.support.hostile import NORMAL_ERROR, NORMAL_TASK, RUN_ID, Hostile, hostile_workspace
from tests.support.prefect_api import PrefectApi

pytestmark = [pytest.mark.skipif(chromium_path() is None, reason=NOT_FOUND), pytest.mark.long]

FLOW_NAME = "hostile-in-a-browser"
FLOW_RUN_PATH = "/runs/flow-run/" if PREFECT_3 else "/flow-runs/flow-run/"
UIS = ["", "/v2"] if PREFECT_3 else [""]
# What the second UI asks on each of its pages, with and without us: the settings of its own analytics.
PREFECTS_OWN = "https://sr-client-cfg.amplitude.com/config/"
# Where a page is done: longer than the last image of one takes to be asked for.
QUIET_MILLISECONDS = 2_000
LINKS = "() => [...document.querySelectorAll('a')].map(link => link.href)"
LOADING = "img[src^=http], iframe, object, embed, video, audio, source"


class Foreign(NamedTuple):
    """Another host: its address, and what was asked of it."""

    url: str
    requests: list[str]


class Shown(NamedTuple):
    """What the flow run left."""

    host: str
    flow_run_id: str
    artifacts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Foreign(f"http://127.0.0.1:{server.server_port}", requests)
        server.shutdown()


@pytest.fixture(scope="module")
def shown(prefect_server: PrefectServer, foreign: Foreign) -> Shown:
    """A flow run that has waited for such a run."""

    def wait(host: str) -> None:
        databricks = DatabricksCredentials(host=host, token="t")
        wait_for_run.with_options(name=FLOW_NAME)(databricks, RUN_ID, polling_period_seconds=0.05, fetch_output=True)

    with hostile_workspace(Hostile(foreign.url)) as host, ThreadPoolExecutor(1) as threads:
        ended = threads.submit(contextvars.copy_context().run, wait, host)
        with pytest.raises(RunFailed):
            ended.result()
    prefect_api = PrefectApi(prefect_server)
    (flow_run,) = prefect_api.flow_runs_named(FLOW_NAME)
    return Shown(host, flow_run["id"], prefect_api.artifacts(flow_run["id"]))


@pytest.fixture
def asked(page: Page, prefect_server: PrefectServer) -> list[str]:
    """What the page asks of others than the Prefect server."""
    asked: list[str] = []
    ours = (prefect_server.api_url.removesuffix("/api"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(ours) else asked.append(request.url))
    page.route(re.compile("^https://"), lambda route: route.abort())  # a test asks nothing of the world
    return asked


@pytest.fixture
def go(page: Page, prefect_server: PrefectServer) -> Callable[[str], None]:
    """Goes to a page, by its path, and waits until it is done."""
    ui_url = prefect_server.api_url.removesuffix("/api")

    def go(path: str) -> None:
        page.goto(f"{ui_url}{path}", wait_until="load")
        expect(page.get_by_text("71").first).to_be_visible()
        page.wait_for_timeout(QUIET_MILLISECONDS)

    return go


def assert_inert(page: Page, foreign: Foreign, asked: list[str]) -> None:
    assert page.locator(LOADING).count() == 0
    assert not [url for url in asked if not url.startswith(PREFECTS_OWN)] + foreign.requests


@pytest.mark.parametrize("ui", UIS)
def test_the_page_of_the_flow_run_loads_nothing(ui, page, shown, foreign, asked, go, keep_picture) -> None:
    go(f"{ui}{FLOW_RUN_PATH}{shown.flow_run_id}")
    keep_picture(f"hostile-flow-run{ui.replace('/', '-')}")
    assert_inert(page, foreign, asked)


@pytest.mark.parametrize("ui", UIS)
@pytest.mark.parametrize("kind", ["markdown", "progress"] if PREFECT_3 else ["markdown"])
@pytest.mark.parametrize("by", ["artifact", "key"])
def test_an_artifact_and_its_description_load_nothing_and_have_only_our_links(
    ui, kind, by, page, shown, foreign, asked, go, keep_picture
) -> None:
    (artifact,) = (each for each in shown.artifacts if each["type"] == kind)
    go(f"{ui}/artifacts/{by}/{artifact['id' if by == 'artifact' else 'key']}")
    keep_picture(f"hostile-{kind}-{by}{ui.replace('/', '-')}")
    assert_inert(page, foreign, asked)
    for url in page.evaluate(LINKS):
        assert foreign.url not in url
        assert "evil.example" not in url
        assert not url.startswith(("javascript:", "mailto:"))
    if (kind, by) == ("markdown", "artifact"):
        row = page.locator("tr").filter(has=page.get_by_role("link", name=NORMAL_TASK, exact=True))
        expect(row.first).to_contain_text("Failed")
        assert row.get_by_role("link", name=NORMAL_TASK).first.get_attribute("href") == f"{shown.host}/jobs/7/runs/712"
        expect(page.get_by_text(NORMAL_ERROR).first).to_be_visible()
        trace = page.locator("pre").filter(has_text='rows.pop("order_id")  # `pop`').first
        trace.scroll_into_view_if_needed()
        expect(trace).to_be_visible()
        keep_picture(f"hostile-trace{ui.replace('/', '-')}")
