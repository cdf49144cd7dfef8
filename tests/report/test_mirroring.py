"""A Databricks run, drawn in a real Prefect server: its tasks, their arrows and states, and what is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials, RunFailed, WaitTimeout, submit_run_and_wait
from prefect_databricks_runs._prefect.compat import PREFECT_3, SHOWS_PROGRESS
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

FAILED = {"result_state": "FAILED", "error": "ValueError: no rows", "error_trace": "Traceback …\nValueError: no rows"}
CONDITION = {"op": "EQUAL_TO", "left": "1", "right": "1"}


def a_task(task_key: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
    dependencies = [{"task_key": key} for key in depends_on]
    return {"task_key": task_key, "depends_on": dependencies, "notebook_task": {"notebook_path": "/n"}, **fields}


def of_condition(task_key: str, outcome: str) -> dict[str, Any]:
    return {**a_task(task_key), "depends_on": [{"task_key": "check", "outcome": outcome}]}


def run_it(name: str, script: dict[str, Any], *tasks: dict[str, Any], **options: Any) -> None:
    with LocalWorkspace(script={"*": {}, **script}) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        flow = submit_run_and_wait.with_options(name=name)
        flow(databricks, {"tasks": list(tasks)}, run_name="drawn", polling_period_seconds=0.05, **options)


def drawn(prefect_api: Any, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The flow run, and the mirrored task runs by their task's key."""
    (flow_run,) = prefect_api.flow_runs_named(name)
    task_runs = prefect_api.task_runs(flow_run["id"])
    return flow_run, {each["name"]: each for each in task_runs if not each["name"].startswith("submit_run")}


def states_of(mirrored: dict[str, dict[str, Any]]) -> dict[str, tuple[str, str]]:
    return {key: (each["state"]["type"], each["state"]["name"]) for key, each in mirrored.items()}


def test_tasks_arrows_and_states_are_drawn_and_the_failure_explained(prefect_api) -> None:
    condition = {k: v for k, v in a_task("check", condition_task=CONDITION).items() if k != "notebook_task"}
    with pytest.raises(RunFailed, match="ValueError: no rows"):
        run_it(
            "drawn-with-a-failure",
            {"broken": FAILED, "slow": {"running": 1}},
            condition,
            of_condition("yes", "true"),
            of_condition("no", "false"),
            a_task("slow", "yes"),
            a_task("broken", "slow"),
            a_task("after", "broken"),
            a_task("off", disabled=True),
        )
    flow_run, mirrored = drawn(prefect_api, "drawn-with-a-failure")
    assert states_of(mirrored) == {
        "check": ("COMPLETED", "Success"),
        "yes": ("COMPLETED", "Success"),
        "no": ("COMPLETED", "Excluded"),
        "slow": ("COMPLETED", "Success"),
        "broken": ("FAILED", "Failed"),
        "after": ("CANCELLED", "UpstreamFailed"),
        "off": ("COMPLETED", "Disabled"),
    }
    names = {each["id"]: key for key, each in mirrored.items()}
    arrows = {
        key: {names[other["id"]] for other in each["task_inputs"].get("upstream", [])} for key, each in mirrored.items()
    }
    assert arrows == {
        "check": set(),
        "yes": {"check"},
        "no": {"check"},
        "slow": {"yes"},
        "broken": {"slow"},
        "after": {"broken"},
        "off": set(),
    }
    assert flow_run["name"].startswith("drawn-")
    assert (flow_run["state"]["type"], flow_run["state"]["name"]) == ("FAILED", "Failed")
    assert "ValueError: no rows" in mirrored["broken"]["state"]["message"]
    artifacts = {each["type"]: each["data"] for each in prefect_api.artifacts(flow_run["id"])}
    assert "```text\nTraceback …\nValueError: no rows\n```" in artifacts["markdown"]
    assert float(artifacts.get("progress", 0)) == (100 if SHOWS_PROGRESS else 0)


def test_no_bar_begins_after_its_end_or_goes_on(prefect_api) -> None:
    script = {"a": {"running": 0.5}, "b": {"running": 0.5}}
    run_it("drawn-in-time", script, a_task("a"), a_task("b", "a"), a_task("c", "b"))
    _, mirrored = drawn(prefect_api, "drawn-in-time")
    for each in mirrored.values():
        assert each["start_time"]
        assert each["end_time"]
        assert each["start_time"] <= each["end_time"]
    assert mirrored["a"]["end_time"] <= mirrored["b"]["end_time"] <= mirrored["c"]["end_time"]


def test_a_wait_that_ends_early_leaves_no_task_run_unfinished(prefect_api) -> None:
    with pytest.raises(WaitTimeout):
        run_it("drawn-and-left", {"a": {"running": 60}}, a_task("a"), a_task("b", "a"), max_wait_seconds=1)
    _, mirrored = drawn(prefect_api, "drawn-and-left")
    assert states_of(mirrored) == {"a": ("CANCELLED", "Canceled"), "b": ("CANCELLED", "Canceled")}


def test_a_run_that_cannot_be_cancelled_is_drawn_as_unwatched(prefect_api) -> None:
    with LocalWorkspace(script={"*": {"running": 60}}) as workspace:
        workspace.fault("POST */runs/cancel", status=403, error_code="PERMISSION_DENIED")
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        flow = submit_run_and_wait.with_options(name="drawn-and-gone")
        with pytest.raises(WaitTimeout):
            flow(databricks, {"tasks": [a_task("a")]}, polling_period_seconds=0.05, max_wait_seconds=1)
    _, mirrored = drawn(prefect_api, "drawn-and-gone")
    assert states_of(mirrored) == {"a": ("CANCELLED", "Unwatched")}


@pytest.mark.skipif(not PREFECT_3, reason="Prefect 2 has no events unless they are switched on")
def test_each_change_is_an_event_that_the_server_has(prefect_api) -> None:
    run_it("drawn-with-events", {"a": {"running": 0.5}}, a_task("a"))
    flow_run, _ = drawn(prefect_api, "drawn-with-events")
    run_id = flow_run["name"].removeprefix("drawn-")

    def told() -> set[str]:
        return {event["event"] for event in prefect_api.events("databricks.") if run_id in str(event["resource"])}

    wanted = {"databricks.run.running", "databricks.run.success", "databricks.task.running", "databricks.task.success"}
    wait_until(lambda: wanted <= told(), seconds=30)
