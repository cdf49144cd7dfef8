"""The events of a run: one for each change of its state's name and of its tasks'."""

from __future__ import annotations

import pytest

from prefect_databricks_runs import Run
from prefect_databricks_runs._report.events import ChangeEvents
from tests.support.answers import HOST, RUN_ID, run, task


@pytest.fixture
def sent(monkeypatch) -> list[dict]:
    events: list[dict] = []
    monkeypatch.setattr("prefect.events.emit_event", lambda **event: events.append(event))
    return events


def read(life_cycle: str, result: str | None = None, *tasks: dict) -> Run:
    return Run.from_api(run(life_cycle, result, tasks=list(tasks)), HOST)


def test_each_change_is_one_event_with_what_an_automation_needs(sent) -> None:
    events = ChangeEvents(HOST)
    running = read("RUNNING", None, task("a", "RUNNING"))
    for each in (running, running, read("TERMINATED", "TIMEDOUT", task("a", "TERMINATED", "TIMEDOUT"))):
        events.changes(each)
    assert [event["event"] for event in sent] == [
        "databricks.task.running",
        "databricks.run.running",
        "databricks.task.timed_out",
        "databricks.run.timed_out",
    ]
    host = "adb-1.2.azuredatabricks.net"
    assert sent[1]["resource"] == {
        "prefect.resource.id": f"databricks.run.{host}.{RUN_ID}",
        "prefect.resource.name": "nightly",
    }
    assert sent[1]["payload"]["url"] == running.url
    assert sent[1]["payload"]["run_id"] == RUN_ID
    assert sent[0]["resource"]["prefect.resource.id"] == f"databricks.run.{host}.{RUN_ID}.a"
    assert sent[0]["payload"]["task_key"] == "a"


OUTERMOST = "3b8f0c52-0a4e-4a6e-8a0e-6f1f9ad6a6c1"


def test_the_flow_run_that_prefect_can_cancel_is_related_where_it_is_not_the_one_that_waits(sent, monkeypatch) -> None:
    ChangeEvents(HOST).changes(read("RUNNING"))
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", OUTERMOST)
    ChangeEvents(HOST).changes(read("RUNNING"))
    assert [event["related"] for event in sent] == [
        [],
        [{"prefect.resource.id": f"prefect.flow-run.{OUTERMOST}", "prefect.resource.role": "root-flow-run"}],
    ]


def test_an_event_that_cannot_be_sent_ends_nothing(monkeypatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("no events here")

    monkeypatch.setattr("prefect.events.emit_event", fail)
    ChangeEvents(HOST).changes(read("RUNNING"))
