"""The page of a waiting flow run in a real browser: the graph, the badge, the task runs, the artifact, the logs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from prefect_databricks_runs import RunFailed
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.browser.chromium import NOT_FOUND, chromium_path
from tests.browser.flow_run_page import FlowRunPage
from tests.browser.graph import Graph
from tests.browser.nightly import AFTER, ERROR, STATES, TRACEBACK, waiting_flow
from tests.browser.painting import Painting, painting_where, wait_until_still
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

pytestmark = [pytest.mark.skipif(chromium_path() is None, reason=NOT_FOUND), pytest.mark.long]

KeepPicture = Callable[[str], None]


class Opened(NamedTuple):
    """The page of a flow run, and what it was told to draw."""

    page: FlowRunPage
    graph: Graph


@pytest.fixture(scope="module")
def failed_flow_run_id(prefect_server: PrefectServer) -> str:
    """A flow run that waited for the nightly run until that had failed."""
    with waiting_flow("nightly-until-it-failed") as (_, ended), pytest.raises(RunFailed, match=ERROR):
        ended.result()
    return flow_run_id_of(PrefectApi(prefect_server), "nightly-until-it-failed")


@pytest.fixture
def failed(failed_flow_run_id: str, flow_run_page: Callable[[str], FlowRunPage]) -> Opened:
    """The page of that flow run."""
    page = flow_run_page(failed_flow_run_id)
    return Opened(page, page.open())


def flow_run_id_of(prefect_api: PrefectApi, flow_name: str) -> str:
    (flow_run,) = prefect_api.flow_runs_named(flow_name)
    return str(flow_run["id"])


def assert_painted(page: Page, graph: Graph, state_type: str) -> None:
    """The bars with such a state reach from where to where they should, in seconds; the smallest is 0.15 s wide."""
    wanted = pytest.approx(graph.span(state_type), abs=0.25)
    painting = painting_where(page, lambda each: each.span(state_type, graph.end or 0) == wanted)
    assert painting.span(state_type, graph.end or 0) == wanted, state_type


def test_the_heading_has_the_name_of_the_run_and_the_badge_its_state(failed: Opened) -> None:
    expect(failed.page.heading).to_contain_text("nightly-")
    expect(failed.page.badge).to_have_text("Failed")


def test_the_graph_has_each_task_by_its_name_and_with_its_arrows(failed: Opened) -> None:
    assert {name: bar.after for name, bar in failed.graph.tasks.items()} == AFTER


def test_each_bar_ends_and_none_begins_before_those_that_it_comes_after_have_ended(failed: Opened) -> None:
    bars = failed.graph.bars
    assert failed.graph.end is not None
    for name, bar in bars.items():
        assert bar.end is not None, f"{name} goes on"
        assert bar.start <= bar.end <= failed.graph.end, name
        for other in bar.after:
            assert (bars[other].end or 0) <= bar.start, f"{name} after {other}"


def test_the_bars_are_painted_where_their_times_are(failed: Opened, page: Page, keep_picture: KeepPicture) -> None:
    for state_type in ("COMPLETED", "FAILED", "CANCELLED"):
        assert_painted(page, failed.graph, state_type)
    wait_until_still(page, "FAILED")
    keep_picture("failed")


def test_a_click_on_the_red_bar_shows_the_failed_task(failed: Opened, page: Page, keep_picture: KeepPicture) -> None:
    wait_until_still(page, "FAILED")
    failed.page.click_bar("FAILED")
    expect(failed.page.selection.get_by_role("link", name="match", exact=True)).to_be_visible()
    expect(failed.page.selection.locator(".state-badge")).to_have_text("Failed")
    wait_until_still(page, "FAILED")
    keep_picture("selected")


def test_the_page_of_the_failed_task_run_logs_the_traceback(
    failed: Opened, page: Page, keep_picture: KeepPicture
) -> None:
    failed.page.open_tab("Task Runs")
    failed.page.task_run("match").get_by_role("link", name="match", exact=True).click()
    failed.page.open_tab("Logs")
    expect(page.get_by_text(TRACEBACK.splitlines()[-2].strip())).to_be_visible()  # Prefect 2 leaves `<module>` out
    keep_picture("task-run")


def test_the_task_runs_tab_lists_each_task_with_its_databricks_state(failed: Opened, keep_picture: KeepPicture) -> None:
    failed.page.open_tab("Task Runs")
    for name, state in STATES.items():
        expect(failed.page.task_run(name).locator(".state-badge")).to_have_text(state)
    keep_picture("task-runs")


def test_the_artifact_has_the_tasks_the_error_and_the_traceback(failed: Opened, keep_picture: KeepPicture) -> None:
    artifact = failed.page.open_artifact("databricks-run-")
    for name, state in STATES.items():
        row = artifact.locator("tr").filter(has=artifact.page.get_by_role("link", name=name, exact=True))
        expect(row).to_contain_text(state)
    expect(artifact).to_contain_text("match: Failed")
    expect(artifact.locator("code").first).to_have_text(TRACEBACK)
    expect(artifact).to_contain_text("databricks jobs repair-run")
    keep_picture("artifact")


def test_every_artifact_of_the_page_has_a_kind_that_prefect_knows(failed: Opened, keep_picture: KeepPicture) -> None:
    failed.page.open_tab("Artifacts")
    artifacts = failed.page.artifacts
    expect(artifacts.filter(has_text="databricks-run-")).to_contain_text("markdown", ignore_case=True)
    expect(artifacts.filter(has_text=re.compile("unknown", re.IGNORECASE))).to_have_count(0)
    keep_picture("artifacts")


def test_a_run_is_drawn_while_it_runs(
    page: Page,
    prefect_api: PrefectApi,
    flow_run_page: Callable[[str], FlowRunPage],
    keep_picture: KeepPicture,
) -> None:
    flow_name = "nightly-while-it-runs"

    def shown(task_key: str) -> str:
        task_runs = [
            each for run in prefect_api.flow_runs_named(flow_name) for each in prefect_api.task_runs(run["id"])
        ]
        return next((each["state"]["name"] for each in task_runs if each["name"] == task_key), "")

    with waiting_flow(flow_name, virtual_time=True) as (workspace, ended):
        wait_until(lambda: shown("notify") == "Blocked")
        waiting = flow_run_page(flow_run_id_of(prefect_api, flow_name))
        waiting.open()
        expect(waiting.badge).to_have_text("Pending")
        expect(waiting.badge).to_have_class(re.compile("state--running"))  # so the name is that of Databricks
        waiting.open_tab("Task Runs")
        for name in AFTER:
            state = {"extract": "Queued", "audit": "Disabled"}.get(name, "Blocked")
            expect(waiting.task_run(name).locator(".state-badge")).to_have_text(state)
        keep_picture("pending")

        workspace.advance(1)
        wait_until(lambda: shown("extract") == "Running")
        tasks = waiting.open().tasks
        assert (tasks["extract"].state_type, tasks["extract"].end) == ("RUNNING", None)
        assert set(tasks) == (set(AFTER) if PREFECT_3 else {"audit", "extract"})  # Prefect 2 draws what has begun
        expect(waiting.badge).to_have_text("Running")
        assert painting_where(page, lambda painting: painting.box("RUNNING") is not None).box("RUNNING")
        wait_until_still(page, "RUNNING", Painting.rows)
        keep_picture("running")

        workspace.advance(60)
        expect(waiting.badge).to_have_text("Failed")
        with pytest.raises(RunFailed, match=ERROR):
            ended.result()
