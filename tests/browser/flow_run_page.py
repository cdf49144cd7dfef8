"""The page of a flow run in the Prefect UI, on both Prefect lines."""

from __future__ import annotations

import httpx
from playwright.sync_api import Locator, Page, Response

from tests.browser.graph import Graph
from tests.browser.painting import CANVAS, Painting

# Prefect 3 and Prefect 2.
_PATHS = ("/runs/flow-run/{id}", "/flow-runs/flow-run/{id}")


class FlowRunPage:
    """The page of a flow run, as it is in a browser.

    Args:
        page: A page of the browser.
        ui_url: Where the UI is.
        flow_run_id: The flow run.
    """

    def __init__(self, page: Page, ui_url: str, flow_run_id: str) -> None:
        self._page = page
        is_prefect_2 = httpx.get(f"{ui_url}/api/admin/version").raise_for_status().json().startswith("2.")
        self._url = ui_url + _PATHS[is_prefect_2].format(id=flow_run_id)

    def open(self) -> Graph:
        """Go there; returns what it is told to draw."""
        # A page that is open asks for its graph again now and then: that answer would be lost with the page.
        self._page.goto("about:blank")
        with self._page.expect_response(_is_graph) as response:
            self._page.goto(self._url)
        return Graph(response.value.json())

    @property
    def heading(self) -> Locator:
        """The names at the top."""
        return self._page.locator(".page-heading-flow-run")

    @property
    def badge(self) -> Locator:
        """The state of the flow run."""
        return self.heading.locator(".state-badge")

    @property
    def selection(self) -> Locator:
        """What the panel beside the graph says of the bar that was clicked."""
        return self._page.locator(".flow-run-graph-selection-panel")

    def click_bar(self, state_type: str) -> None:
        """Click into the middle of the bar with such a state."""
        box = Painting(self._page).box(state_type)
        assert box
        self._page.locator(CANVAS).click(position={"x": (box.left + box.right) // 2, "y": (box.top + box.bottom) // 2})

    def open_tab(self, name: str) -> None:
        """Turn to one of the tabs below the graph."""
        self._page.locator(".p-tab").get_by_text(name, exact=True).click()

    def task_run(self, name: str) -> Locator:
        """A task run in the tab `Task Runs`."""
        return self._page.locator(".state-list-item", has=self._page.get_by_text(name, exact=True))

    @property
    def artifacts(self) -> Locator:
        """The artifacts in the tab `Artifacts`, each with its kind and key."""
        return self._page.locator(".artifact-card")

    def open_artifact(self, key: str) -> Locator:
        """Go to the artifact whose key begins so, from the tab `Artifacts`; returns its content."""
        self.open_tab("Artifacts")
        self._page.get_by_text(key).first.click()
        return self._page.locator(".artifact-data-view")


def _is_graph(response: Response) -> bool:
    return "/graph-v2" in response.url and response.ok
