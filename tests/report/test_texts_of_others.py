"""A run all of whose texts are hostile goes through a whole flow: whatever is shown of it is looked at."""

from __future__ import annotations

import re
import traceback
from typing import Any

import pytest
from markdown_it import MarkdownIt

from prefect_databricks_runs import BadRequest, DatabricksCredentials, RunFailed, RunsFailed, submit_run_and_wait
from prefect_databricks_runs import wait_for_run as waits_for_one
from prefect_databricks_runs import wait_for_runs as waits_for_many
from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.support.hostile import FORGED, NORMAL_ERROR, NORMAL_TASK, RUN_ID, Hostile, hostile_workspace

pytestmark = pytest.mark.usefixtures("prefect_server")

BEACON = "http://127.0.0.2:9"
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def assert_harmless(text: str, most: int, where: str) -> None:
    assert not HIDDEN.search(text), (where, HIDDEN.search(text), text[:2000])
    assert len(text) <= most, (where, len(text))
    for line in text.split("\n") if where != "artifact" else ():  # in whose fences lines are as they came
        assert not line.startswith(FORGED[:10]), (where, text[:2000])


def assert_is_a_line(text: str, where: str) -> None:
    assert_harmless(text, 1_000, where)
    assert "\n" not in text, (where, text)


def assert_no_markdown(text: str, host: str, where: str) -> None:
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    for each in ("<img", "<script", "<iframe", "<style", "<h1", "</table></td>"):
        assert each not in html, (where, each)
    assert all(url == host or url.startswith(f"{host}/jobs") for url in re.findall(r'(?:href|src)="([^"]*)"', html)), (
        where
    )


@pytest.fixture
def events(monkeypatch) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    if PREFECT_3:
        monkeypatch.setattr("prefect.events.emit_event", lambda **event: events.append(event))
    return events


def check_shown(prefect_api, flow_run: dict[str, Any], host: str) -> dict[str, Any]:
    """Look at all that Prefect has of a flow run; returns its artifacts by type."""
    flow_run_id = flow_run["id"]
    assert_is_a_line(flow_run["name"], "flow run name")
    for state in prefect_api._client.get("/flow_run_states/", params={"flow_run_id": flow_run_id}).json():
        assert_is_a_line(state["name"], "flow run state")
        assert_harmless(state["message"] or "", 25_000, "flow run state message")
    for each in prefect_api.task_runs(flow_run_id):
        assert_is_a_line(each["name"], "task run name")
        assert_is_a_line(each["dynamic_key"], "dynamic key")
        for state in prefect_api.task_run_states(each["id"]):
            assert_is_a_line(state["name"], "task run state")
            assert_harmless(state["message"] or "", 25_000, "task run state message")
    artifacts = prefect_api.artifacts(flow_run_id)
    for each in artifacts:
        assert_harmless(str(each["data"]), 100_000, "artifact")
        assert_is_a_line(each["description"], "description")
        for text in (str(each["data"]), each["description"]):
            assert_no_markdown(text, host, f"artifact {each['type']}")
    for line in prefect_api.log(flow_run_id):
        assert_harmless(line, 25_000, "log")
    return {each["type"]: each for each in artifacts}


def check_events(events: list[dict[str, Any]]) -> None:
    assert bool(events) is PREFECT_3
    for event in events:
        texts = [event["event"], *event["resource"].values(), *event["payload"].values()]
        for text in texts:
            assert_is_a_line(str(text), f"event {event['event'][:100]}")


@pytest.mark.parametrize("huge", [0, pytest.param(1_000_000, marks=pytest.mark.long)], ids=["short", "huge"])
def test_one_run_from_its_start_to_its_end(huge, prefect_api, run_log, events, capfd) -> None:
    flow_name = f"hostile-{huge}"
    with hostile_workspace(Hostile(BEACON, huge)) as host:
        databricks = DatabricksCredentials(host=host, token="t")
        flow = waits_for_one.with_options(name=flow_name)
        with pytest.raises(RunFailed) as raised:
            flow(databricks, RUN_ID, polling_period_seconds=0.05, fetch_output=True)
    assert_harmless(str(raised.value), 25_000, "exception")
    assert NORMAL_ERROR in str(raised.value)
    (flow_run,) = prefect_api.flow_runs_named(flow_name)
    artifacts = check_shown(prefect_api, flow_run, host)
    assert {each["name"] for each in prefect_api.task_runs(flow_run["id"])} > {NORMAL_TASK, "condition"}
    assert len(prefect_api.task_runs(flow_run["id"])) == 5
    markdown = artifacts["markdown"]["data"]
    assert f"| [{NORMAL_TASK}]({host}/jobs/7/runs/712) | Failed |" in markdown
    assert 'rows.pop("order_id")  # `pop`' in markdown
    check_events(events)
    for record in run_log.records:
        assert_harmless(record.getMessage(), 25_000, "log record")
    out, err = capfd.readouterr()
    assert "Logging error" not in err
    for text in (out, err):
        assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", text), 500_000, "console")  # Prefect colours its own lines


def test_what_the_objects_have_stays_as_it_came() -> None:
    hostile = Hostile(BEACON)
    with hostile_workspace(hostile, polls=0) as host, pytest.raises(RunFailed) as raised:
        waits_for_one(DatabricksCredentials(host=host, token="t"), RUN_ID, polling_period_seconds=0.05)
    run = raised.value.run
    assert run.run_name == hostile.first("run_name")
    assert run.raw["run_name"] == hostile.first("run_name")
    assert run.attempts[0].task_key in {each.task_key for each in run.tasks.values()}
    traces = {each.output.error_trace for each in run.failed_attempts if each.output}
    assert hostile.text("trace-711") in traces


@pytest.mark.parametrize("huge", [0, pytest.param(1_000_000, marks=pytest.mark.long)], ids=["short", "huge"])
def test_many_runs(huge, prefect_api, run_log, events) -> None:
    flow_name = f"hostile-many-{huge}"
    with hostile_workspace(Hostile(BEACON, huge)) as host:
        databricks = DatabricksCredentials(host=host, token="t")
        flow = waits_for_many.with_options(name=flow_name)
        with pytest.raises(RunsFailed) as raised:
            flow(databricks, [RUN_ID], polling_period_seconds=0.05)
    assert_harmless(str(raised.value), 25_000, "exception")
    (flow_run,) = prefect_api.flow_runs_named(flow_name)
    check_shown(prefect_api, flow_run, host)
    check_events(events)
    for record in run_log.records:
        assert_harmless(record.getMessage(), 25_000, "log record")


@pytest.mark.parametrize("huge", [0, 1_000_000], ids=["short", "huge"])
def test_an_error_of_the_api(huge, prefect_api, run_log) -> None:
    flow_name = f"hostile-error-{huge}"
    with hostile_workspace(Hostile(BEACON, huge)) as host:
        databricks = DatabricksCredentials(host=host, token="t")
        flow = submit_run_and_wait.with_options(name=flow_name)
        with pytest.raises(BadRequest) as raised:
            flow(databricks, notebook_task={"notebook_path": "/n"})
    error = raised.value
    assert_harmless("".join(traceback.format_exception_only(error)), 3_000, "exception")
    for text in (error.message, error.error_code, error.request_id or ""):
        assert_is_a_line(text, "attribute")
    (flow_run,) = prefect_api.flow_runs_named(flow_name)
    check_shown(prefect_api, flow_run, host)
    for record in run_log.records:
        assert_harmless(record.getMessage(), 25_000, "log record")
