"""`wait_for_runs`: many runs in one flow run, on a real Prefect server and a local workspace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksError,
    DatabricksHook,
    DatabricksUnreachable,
    InvalidOption,
    NotFound,
    PermissionDenied,
    RunCanceled,
    RunFailed,
    RunsFailed,
    ServerError,
    WaitTimeout,
    await_for_runs,
    cancel_databricks_runs,
    wait_for_runs,
)
from prefect_databricks_runs._leave.started_here import StartedHere
from prefect_databricks_runs._prefect.compat import PREFECT_3, SHOWS_PROGRESS
from prefect_databricks_runs._runtime import of_process
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.runs.simulation import TaskStart
from tests.local.client import Client
from tests.local.simulated import FAILED, task
from tests.report.shown_flow import ShownFlow
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

COURSES: dict[str, dict[str, Any]] = {
    "quick": {"running": 0.2},
    "slow": {"running": 3},
    "endless": {"running": 600},
    "broken": {"running": 0.5, **FAILED, "error_trace": "Traceback: …\nValueError: no rows"},
}


class Many:
    """A workspace whose runs take the course that they are named by."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        self.client = Client(workspace)
        self.databricks = DatabricksCredentials(host=workspace.url, token=workspace.token, requests_per_second=100)

    def start(self, *courses: str) -> list[int]:
        return [self.client.submit(task(course), run_name=course) for course in courses]

    def wait(self, run_ids: list[int], name: str, **options: Any) -> Any:
        return wait_for_runs.with_options(name=name)(self.databricks, run_ids, **options)

    def state_of(self, run_id: int) -> str:
        state = self.client.run(run_id)["state"]
        return state.get("result_state") or state["life_cycle_state"]


@pytest.fixture
def many() -> Iterator[Many]:
    def course(start: TaskStart) -> Any:
        return COURSES[start.task_key]

    with LocalWorkspace(script=course) as workspace:
        many = Many(workspace)
        yield many
        many.client.close()


def shown(prefect_api: PrefectApi, name: str) -> dict[str, tuple[str, str]]:
    """The task runs of the flow run: what each is called and shows."""
    return {
        each["name"]: (each["state"]["type"], each["state"]["name"])
        for each in ShownFlow(prefect_api, name).task_runs.values()
    }


def test_the_runs_come_back_in_the_order_in_which_they_were_given_and_each_is_drawn(many, prefect_api) -> None:
    run_ids = many.start("slow", "quick", "quick")
    asked = [*reversed(run_ids), run_ids[0]]
    runs = many.wait(asked, "in-order")
    assert [run.run_id for run in runs] == asked
    assert all(run.state.name == "Success" for run in runs)
    flow = ShownFlow(prefect_api, "in-order")
    assert (flow.flow_run["state"]["type"], flow.flow_run["state"]["name"]) == ("COMPLETED", "Success")
    assert flow.flow_run["name"] == "databricks-runs-3"
    assert f"databricks-host:{many.databricks.host.partition('//')[2]}" in flow.flow_run["tags"]
    names = [f"{many.client.run(run_id)['run_name']}-{run_id}" for run_id in run_ids]
    assert shown(prefect_api, "in-order") == dict.fromkeys(names, ("COMPLETED", "Success"))
    assert "**3 Success**" in flow.artifact
    assert all(f"/runs/{run_id}" in flow.artifact for run_id in run_ids)
    if SHOWS_PROGRESS:
        assert flow.artifacts["progress"] == 100


def test_all_are_waited_for_and_then_it_is_said_which_failed_and_why(many, prefect_api, run_log) -> None:
    broken, slow, broken_too = run_ids = many.start("broken", "slow", "broken")
    with pytest.raises(RunsFailed) as caught:
        many.wait(run_ids, "two-failed")
    assert [run.run_id for run in caught.value.runs] == run_ids
    assert set(caught.value.errors) == {broken, broken_too}
    assert caught.value.going == ()
    error = caught.value.errors[broken]
    assert isinstance(error, RunFailed)
    assert error.errors["broken"].error == FAILED["error"]
    assert str(caught.value).startswith("2 of 3 Databricks runs failed.\n")
    flow = ShownFlow(prefect_api, "two-failed")
    assert (flow.flow_run["state"]["type"], flow.flow_run["state"]["name"]) == ("FAILED", "Failed")
    assert "**2 Failed, 1 Success**" in flow.artifact
    assert flow.artifact.index(str(broken)) < flow.artifact.index(str(slow))
    assert FAILED["error"] in flow.artifact
    assert "Traceback: …\n    ValueError: no rows" in run_log.text
    assert shown(prefect_api, "two-failed")[f"broken-{broken}"] == ("FAILED", "Failed")


def test_the_first_failure_ends_the_wait_where_that_is_asked_for_and_the_others_go_on(many, prefect_api) -> None:
    broken, endless = many.start("broken", "endless")
    began = time.monotonic()
    with pytest.raises(RunsFailed, match=f"Still active when the wait ended, and not cancelled: {endless}") as caught:
        many.wait([endless, broken], "any", return_when="any_failure")
    assert time.monotonic() - began < 60
    assert caught.value.going == (endless,)
    assert [run.run_id for run in caught.value.runs] == [broken]
    assert many.state_of(endless) == "RUNNING"
    assert shown(prefect_api, "any")[f"endless-{endless}"] == ("CANCELLED", "Unwatched")


def test_the_others_are_cancelled_where_that_is_asked_for(many, prefect_api) -> None:
    broken, *endless = many.start("broken", "endless", "endless")
    with pytest.raises(RunsFailed) as caught:
        many.wait([broken, *endless], "others", return_when="any_failure", cancel_others=True)
    assert {run_id: type(error) for run_id, error in caught.value.errors.items()} == {
        broken: RunFailed,
        **dict.fromkeys(endless, RunCanceled),
    }
    assert caught.value.going == ()
    assert [many.state_of(run_id) for run_id in endless] == ["CANCELED", "CANCELED"]
    assert shown(prefect_api, "others") == {
        f"broken-{broken}": ("FAILED", "Failed"),
        **{f"endless-{run_id}": ("CANCELLED", "Canceled") for run_id in endless},
    }


def test_a_second_failure_does_not_stop_the_cancelling_of_the_others(many) -> None:
    many.client.workspace.fault("POST */runs/cancel", delay=1)
    *broken, endless = many.start(*["broken"] * 4, "endless")
    more = many.start(*["endless"] * 60)
    with pytest.raises(RunsFailed) as caught:
        many.wait([*broken, endless, *more], "two-broken", return_when="any_failure", cancel_others=True)
    assert {many.state_of(run_id) for run_id in [endless, *more]} == {"CANCELED"}
    assert caught.value.going == ()


def test_which_could_not_be_cancelled_is_said(many, prefect_api) -> None:
    broken, endless = many.start("broken", "endless")
    many.client.workspace.fault("POST */runs/cancel", status=403, error_code="PERMISSION_DENIED", message="No.")
    with pytest.raises(RunsFailed, match=f"and not cancelled: {endless}") as caught:
        many.wait([broken, endless], "refused", return_when="any_failure", cancel_others=True)
    assert caught.value.cancelled == ()
    message = ShownFlow(prefect_api, "refused").task_runs[f"endless-{endless}"]["state"]["message"]
    assert "the run may keep running" in message


def read_one_by_one(monkeypatch: pytest.MonkeyPatch, run_id: int, fault: Callable[[], DatabricksError | None]) -> None:
    """No lists may be read, and one run fails to be read where `fault` says so."""
    get_run = DatabricksHook.get_run

    async def get(self: DatabricksHook, asked: int, **more: Any) -> Any:
        error = fault() if asked == run_id else None
        if error:
            raise error
        return await get_run(self, asked, **more)

    async def no_pages(self: DatabricksHook, **_: Any) -> Any:
        raise PermissionDenied("No lists.", status_code=403, method="GET", path="runs/list")
        yield

    monkeypatch.setattr(DatabricksHook, "get_run", get)
    monkeypatch.setattr(DatabricksHook, "run_pages", no_pages)


def test_a_run_that_is_deleted_while_it_is_waited_for_is_not_drawn_as_running(many, prefect_api, monkeypatch) -> None:
    slow, deleted = many.start("slow", "endless")
    drawn = f"endless-{deleted}"

    def once_drawn() -> DatabricksError | None:
        is_drawn = prefect_api.flow_runs_named("deleted") and drawn in shown(prefect_api, "deleted")
        error = NotFound("Run 1 does not exist.", status_code=400, method="GET", path="runs/get")
        return error if is_drawn else None

    read_one_by_one(monkeypatch, deleted, once_drawn)
    with pytest.raises(RunsFailed) as caught:
        many.wait([slow, deleted], "deleted")
    assert isinstance(caught.value.errors[deleted], NotFound)
    assert shown(prefect_api, "deleted")[drawn] == ("CANCELLED", "Unwatched")
    assert "**1 Success, 1 could not be read**" in ShownFlow(prefect_api, "deleted").artifact


@pytest.mark.parametrize("is_started_here", [True, False])
def test_one_run_that_cannot_be_read_does_not_end_the_wait_for_those_that_can(
    is_started_here: bool, many, monkeypatch
) -> None:
    """It is cancelled if this process has started it; nothing is known of another one that was never read."""
    quick, slow, unread = many.start("quick", "slow", "endless")
    if is_started_here:
        of_process(StartedHere).add((many.databricks.host, unread))
    error = ServerError("Down.", status_code=500, method="GET", path="runs/get")
    read_one_by_one(monkeypatch, unread, lambda: error)
    with pytest.raises(RunsFailed) as caught:
        many.wait([quick, slow, unread], f"one-unread-{is_started_here}", max_outage_seconds=1)
    assert isinstance(caught.value.errors[unread], DatabricksUnreachable)
    assert [run.run_id for run in caught.value.runs] == [quick, slow]
    wait_until(lambda: many.state_of(unread) == ("CANCELED" if is_started_here else "RUNNING"))


@pytest.mark.long
def test_an_outage_of_all_ends_the_wait_and_leaves_no_run_drawn_as_going(many, prefect_api) -> None:
    run_ids = many.start("endless", "endless")
    for run_id in run_ids:
        of_process(StartedHere).add((many.databricks.host, run_id))
    many.client.workspace.fault("GET */runs/*", status=503, after=3)
    with pytest.raises(DatabricksUnreachable):
        many.wait(run_ids, "outage", max_outage_seconds=1)
    assert [state for _, state in shown(prefect_api, "outage").values()] == ["Unwatched", "Unwatched"]
    many.client.workspace.clear_faults()
    assert [many.state_of(run_id) for run_id in run_ids] == ["CANCELED", "CANCELED"]


def test_those_that_are_cancelled_may_be_waited_for_too(many) -> None:
    broken, endless = many.start("broken", "endless")
    with pytest.raises(RunsFailed) as caught:
        many.wait([broken, endless], "all-others", cancel_others=True)
    assert isinstance(caught.value.errors[endless], RunCanceled)
    assert [run.run_id for run in caught.value.runs] == [broken, endless]


def test_a_run_that_does_not_exist_does_not_end_the_wait_for_the_others(many, prefect_api) -> None:
    (quick,) = many.start("quick")
    with pytest.raises(RunsFailed, match="1 of 2 Databricks runs failed") as caught:
        many.wait([4711, quick], "missing")
    assert isinstance(caught.value.errors[4711], NotFound)
    assert [run.run_id for run in caught.value.runs] == [quick]
    assert "Could not read 4711" in ShownFlow(prefect_api, "missing").artifact


def test_all_that_are_not_over_are_cancelled_when_the_time_is_up(many, prefect_api) -> None:
    quick, *endless = many.start("quick", "endless", "endless")
    with pytest.raises(WaitTimeout, match=r"\(and 1 more with it\) was still RUNNING after max_wait_seconds=2"):
        many.wait([quick, *endless], "late", max_wait_seconds=2)
    assert [many.state_of(run_id) for run_id in endless] == ["CANCELED", "CANCELED"]
    states = shown(prefect_api, "late")
    assert states[f"quick-{quick}"] == ("COMPLETED", "Success")
    assert [states[f"endless-{run_id}"] for run_id in endless] == [("CANCELLED", "Canceled")] * 2


def test_what_ends_the_flow_early_cancels_all(many) -> None:
    endless = many.start("endless", "endless", "endless")
    with pytest.raises(TimeoutError):
        wait_for_runs.with_options(name="many-timed-out", timeout_seconds=2)(many.databricks, endless)
    wait_until(lambda: [many.state_of(run_id) for run_id in endless] == ["CANCELED"] * 3)


def test_more_than_may_be_drawn_are_summarised(many, prefect_api) -> None:
    run_ids = many.start(*["quick"] * 5)
    assert len(many.wait(run_ids, "summarised", max_mirrored_runs=4)) == 5
    assert shown(prefect_api, "summarised") == {}
    assert "**5 Success**" in ShownFlow(prefect_api, "summarised").artifact


def test_none_to_wait_for_is_none_to_come_back(many) -> None:
    assert many.wait([], "none") == []


def test_the_async_twin_does_the_same(many) -> None:
    run_ids = many.start("quick", "quick")
    runs = asyncio.run(await_for_runs(many.databricks, run_ids))
    assert [run.run_id for run in runs] == run_ids


def test_outputs_are_read_where_that_is_asked_for(many) -> None:
    run_ids = many.start("quick")
    (without,) = many.wait(run_ids, "without-output")
    (with_output,) = many.wait(run_ids, "with-output", fetch_output=True)
    assert without.tasks["quick"].output is None
    assert with_output.tasks["quick"].output is not None


@pytest.mark.parametrize(
    ("run_ids", "options", "says"),
    [
        ("123", {}, "`run_ids` must be a list"),
        (["one"], {}, "`run_ids` must be a list"),
        ([True], {}, "`run_ids` must be a list"),
        ([1], {"return_when": "first"}, '`return_when` must be "all" or "any_failure"'),
        ([1], {"max_mirrored_runs": -1}, "`max_mirrored_runs` must be a whole number"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_asked(many, run_ids, options, says) -> None:
    with pytest.raises(InvalidOption, match=says):
        wait_for_runs.fn(many.databricks, run_ids, **options)
    assert not many.client.workspace.requests_to("GET */runs/*")


def test_the_hook_finds_runs_that_were_only_waited_for_together(many, prefect_api) -> None:
    """The process of the flow run is gone; what it has left in Prefect is its artifact of them all."""
    endless = many.start("endless", "endless")
    with pytest.raises(RunsFailed):
        many.wait([*endless, *many.start("broken")], "left", return_when="any_failure")
    assert [many.state_of(run_id) for run_id in endless] == ["RUNNING", "RUNNING"]
    flow_run = prefect_api.flow_runs_named("left")[0]
    cancel_databricks_runs(wait_for_runs, _flow_run(flow_run), None)
    wait_until(lambda: [many.state_of(run_id) for run_id in endless] == ["CANCELED"] * 2)


def _flow_run(answer: dict[str, Any]) -> Any:
    from prefect.client.schemas.objects import FlowRun

    return FlowRun.model_validate(answer) if PREFECT_3 else FlowRun.parse_obj(answer)
