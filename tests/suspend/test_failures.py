"""Whatever happens while a flow run is suspended: nothing is lost, doubled or left running."""

from __future__ import annotations

import signal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_databricks_runs import DatabricksCredentials, run_now, submit_run
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs._start.pause_key import PREFIX, PauseKey, read_key
from prefect_databricks_runs._suspend import obstacles, suspended_wait
from prefect_databricks_runs._watcher import cancelling, finder, suspended_run
from tests.leave.children import Child
from tests.support.command_line import in_this_process
from tests.support.prefect_proxy import PrefectProxy
from tests.support.processes import PATIENCE
from tests.suspend import flows
from tests.suspend.place import CANCELED, DONE, RESUMING, SUSPENDED, Place
from tests.test_cli import run

# Each has a Prefect server, a watcher and some processes of flow runs: together they take minutes.
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

ACTIVE = ("RUNNING", None)


def is_cancelled(place: Place) -> bool:
    return set(place.states_in_databricks()) == {CANCELED}


def test_a_flow_run_that_is_cancelled_while_suspended_has_its_databricks_runs_cancelled(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.another_one_beside)
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        place.api.cancel(flow_run_id)
        place.wait(lambda: is_cancelled(place), watching)
        assert place.state(flow_run_id) == ("CANCELLED", "Cancelled")
        place.wait(lambda: place.api.mirrored(flow_run_id) == {"long": ("CANCELLED", "Canceled")}, watching)
    assert place.starts == 2
    place.log(flow_run_id, ": the suspended flow run is Cancelled")


@pytest.mark.parametrize(("state", "name"), [("CANCELLED", "Cancelled"), ("FAILED", "Failed"), ("CRASHED", "Crashed")])
def test_what_ends_while_no_watcher_is_there_is_found_by_the_next_one(place: Place, state: str, name: str) -> None:
    with place.watching():
        flow_run_id = place.begin(flows.one_run)
        assert place.state(flow_run_id) == SUSPENDED
    place.set_state(flow_run_id, state, name)
    assert place.states_in_databricks() == [ACTIVE]
    with place.watching() as watching:
        place.wait(lambda: is_cancelled(place), watching)


def test_a_flow_run_that_is_cancelled_before_its_new_process_begins_has_its_runs_cancelled(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.another_one_beside)
        place.end("long")
        place.wait_for(flow_run_id, RESUMING, watching)
        place.api.cancel(flow_run_id)
        place.wait(lambda: place.states_in_databricks() == [CANCELED, ("TERMINATED", "SUCCESS")], watching)


def test_a_flow_run_that_is_completed_by_hand_leaves_its_databricks_run_alone(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        place.set_state(flow_run_id, "COMPLETED", "Completed")
        other = place.begin(flows.one_run)
        place.end("long")
        place.wait_for(other, RESUMING, watching)
    assert not place.workspace.requests_to("POST */runs/cancel")


def test_a_deleted_flow_runs_databricks_run_is_cancelled(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        watched(place, flow_run_id, watching)
        place.api._delete(f"/flow_runs/{flow_run_id}")
        place.wait(lambda: is_cancelled(place), watching)


def watched(place: Place, flow_run_id: str, watching) -> None:
    """Come back when the watcher reads the Databricks run, so that it knows the flow run, which has no process."""
    assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
    before = len(place.workspace.requests_to("GET */runs/get"))
    place.wait(lambda: len(place.workspace.requests_to("GET */runs/get")) > before + 2, watching)


def test_a_prefect_server_with_another_database_has_deleted_nothing(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        watched(place, flow_run_id, watching)
        for page in place.pages():
            place.api._delete(f"/artifacts/{page['id']}")
        place.api._delete(f"/flow_runs/{flow_run_id}")
        place.wait(lambda: watching.said("another database"), watching)
    assert place.states_in_databricks() == [ACTIVE]


def test_two_watchers_resume_each_flow_run_once(place: Place) -> None:
    with place.watching() as first, place.watching() as second:
        place.wait(lambda: len(place.pages()) == 2)
        flow_run_ids = [place.begin(flows.one_run) for _ in range(3)]
        place.end("long")
        for flow_run_id in flow_run_ids:
            place.wait_for(flow_run_id, RESUMING, first)
    assert [place.times_resumed(each) for each in flow_run_ids] == [1, 1, 1]
    assert sum("Resumed" in line for line in first.lines + second.lines) == 3


def test_a_watcher_goes_on_where_one_that_was_stopped_has_left_off_and_says_nothing_twice(place: Place) -> None:
    with place.watching():
        flow_run_id = place.begin(flows.one_run)
    for _ in range(2):
        with place.watching() as watching:
            watched(place, flow_run_id, watching)
            assert place.state(flow_run_id) == SUSPENDED
    assert place.pages() == [], "one that has stopped is not to be counted on"
    place.end("long")
    with place.watching() as watching:
        place.wait_for(flow_run_id, RESUMING, watching)
        place.log(flow_run_id, "Task long of Databricks run")
    log = place.api.log(flow_run_id)
    assert len([line for line in log if "'long' is Running" in line]) == 1


def test_a_watcher_outlasts_a_prefect_server_that_is_away(place: Place) -> None:
    with (
        PrefectProxy(PREFECT_API_URL.value()) as proxy,
        temporary_settings({PREFECT_API_URL: proxy.api_url}),
        place.watching() as watching,
    ):
        flow_run_id = place.begin(flows.one_run)
        assert place.state(flow_run_id) == SUSPENDED
        proxy.answer(500)
        place.wait(lambda: watching.said("Prefect could not be asked"), watching)
        place.end("long")
        proxy.heal()
        place.wait_for(flow_run_id, RESUMING, watching)
        place.wait(lambda: watching.said("Prefect can be asked again"), watching)


def test_a_watcher_that_starts_while_prefect_is_away_waits_for_it(place: Place) -> None:
    with (
        PrefectProxy(PREFECT_API_URL.value()) as proxy,
        temporary_settings({PREFECT_API_URL: proxy.api_url.replace("//", "//me:s3cret@")}),
    ):
        proxy.answer(500)
        with place.watching(is_seen=False) as watching:
            place.wait(lambda: watching.said("Trying again until it answers"), watching)
            assert "s3cret" not in watching.text
            proxy.heal()
            place.wait(place.pages, watching)
            proxy.answer(500)
            place.wait(lambda: watching.said("trying again. "), watching)
            proxy.heal()
            place.wait(lambda: "500" in place.pages()[0]["data"], watching)
            assert "s3cret" not in watching.text + place.pages()[0]["data"]


def test_a_watcher_that_prefect_refuses_ends_at_once(place: Place) -> None:
    with PrefectProxy(PREFECT_API_URL.value()) as proxy:
        proxy.answer(401)
        refused = run("watch", PREFECT_API_URL=proxy.api_url)
    assert refused.returncode == 2
    assert "401" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("is_resumed", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_suspension_whose_answer_is_lost_is_a_suspension(place: Place, monkeypatch, is_resumed: bool) -> None:
    """Even where the flow run was resumed before Prefect could be asked: the resume begins another process."""
    monkeypatch.setattr(suspended_wait, "_ASK_AGAIN", 0.1)

    async def set_state(answers: Any) -> None:
        await answers()
        if is_resumed:
            place.api._post(f"/flow_runs/{flow_run_id}/resume", {})
        raise httpx.ReadError("the connection broke")

    calls = loses_answers(monkeypatch, set_state)
    with place.watching() as watching:
        flow_run_id = place.flow_run(flows.one_run)
        place.process(flow_run_id)
        assert calls == ["asked"]
        assert place.state(flow_run_id) == (RESUMING if is_resumed else SUSPENDED)
        place.end("long")
        place.wait_for(flow_run_id, RESUMING, watching)
    assert not place.workspace.requests_to("POST */runs/cancel")


@pytest.mark.parametrize("answers_later", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_request_to_suspend_that_is_lost_is_made_again_some_times(place: Place, monkeypatch, answers_later) -> None:
    monkeypatch.setattr(suspended_wait, "_ASK_AGAIN", 0.1)

    async def set_state(answers: Any) -> Any:
        if answers_later and len(calls) > 1:
            return await answers()
        raise httpx.ConnectError("http://me:s3cret@prefect.example refused")

    calls = loses_answers(monkeypatch, set_state)
    with place.watching():
        flow_run_id = place.in_background(flows.one_run)
        if answers_later:
            place.wait_for(flow_run_id, SUSPENDED)
            assert len(calls) == 2
        else:
            place.log(flow_run_id, "Prefect does not suspend the flow run: ConnectError")
            assert len(calls) == suspended_wait._TIMES
            assert "s3cret" not in str(place.api.log(flow_run_id))
            assert place.state(flow_run_id) == ("RUNNING", "Running")
            place.end("long")
            place.wait_for(flow_run_id, DONE)


def loses_answers(monkeypatch: Any, set_state: Any) -> list[str]:
    """Have requests to suspend a flow run answered by a function, which gets the way to Prefect's own answer."""
    suspend, calls = suspended_wait.SuspendedWait._ask, []

    async def asked(wait: Any, client: Any, flow_run_id: Any, key: PauseKey) -> str:
        real = client.set_flow_run_state

        async def instead(*given: Any, **more: Any) -> Any:
            calls.append("asked")
            return await set_state(lambda: real(*given, **more))

        monkeypatch.setattr(client, "set_flow_run_state", instead)
        return await suspend(wait, client, flow_run_id, key)

    monkeypatch.setattr(suspended_wait.SuspendedWait, "_ask", asked)
    return calls


def test_a_workspace_that_is_away_for_longer_than_an_outage_may_last_is_watched_on(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(suspended_run, "_OUTAGE_SECONDS", 0.5)
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        watched(place, flow_run_id, watching)
        away = place.workspace.fault("* *", reset=True)
        place.log(flow_run_id, "The watcher keeps asking for Databricks run")
        assert place.state(flow_run_id) == SUSPENDED
        away.remove()
        place.end("long")
        place.wait_for(flow_run_id, RESUMING, watching)
    assert not place.workspace.requests_to("POST */runs/cancel")


def test_a_token_that_is_changed_is_read_again(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        watched(place, flow_run_id, watching)
        new = place.workspace.add_user("somebody")
        place.workspace.revoke_token(place.workspace.token)
        DatabricksCredentials(host=place.workspace.url, token=new).save(place.block, overwrite=True)
        place.end("long")
        place.wait_for(flow_run_id, RESUMING, watching)


def test_a_flow_run_that_is_resumed_too_early_is_suspended_again(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        place.api._post(f"/flow_runs/{flow_run_id}/resume", {})
        place.process(flow_run_id)
        assert place.state(flow_run_id) == SUSPENDED
        assert read_key(place.pause_key(flow_run_id)).number == 1
        place.end("long")
        place.wait_for(flow_run_id, RESUMING, watching)
    assert place.starts == 1


def test_a_flow_run_whose_deployment_was_deleted_is_ended_and_its_other_runs_are_cancelled(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.another_one_beside)
        deployment_id = place.api.flow_run(flow_run_id)["deployment_id"]
        place.api._delete(f"/deployments/{deployment_id}")
        place.end("long")
        place.wait_for(flow_run_id, ("CRASHED", "Crashed"), watching)
        assert "deployment was deleted" in place.api.flow_run(flow_run_id)["state"]["message"]
        place.wait(lambda: CANCELED in place.states_in_databricks(), watching)


def test_other_code_after_the_resume_starts_another_run_and_both_are_known(place: Place, monkeypatch) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        monkeypatch.setattr(flows, "job", lambda *keys: {**JOB, "run_name": "changed"})
        place.api._post(f"/flow_runs/{flow_run_id}/resume", {})
        place.process(flow_run_id)
        assert place.starts == 2
        old, new = place.workspace.runs
        key = read_key(place.pause_key(flow_run_id))
        assert {*key.run_ids, *key.started} == {old, new}
        place.api.cancel(flow_run_id)
        place.wait(lambda: is_cancelled(place), watching)


JOB = flows.job("long")


@pytest.mark.parametrize(
    "key",
    [
        PREFIX + "{",
        pytest.param(PREFIX + '{"version":99}', marks=pytest.mark.long),
        pytest.param(PREFIX + "x" * 10_000, marks=pytest.mark.long),
    ],
    ids=["no JSON", "another release", "long"],
)
def test_a_key_that_cannot_be_read_is_left_alone_and_said_once(place: Place, key: str) -> None:
    flow_run_id = place.flow_run(flows.one_run)
    place.suspend(flow_run_id, key)
    with place.watching() as watching:
        place.wait(lambda: watching.said("its pause key cannot be read"), watching)
        other = place.begin(flows.one_run)
        place.end("long")
        place.wait_for(other, RESUMING, watching)
    assert place.state(flow_run_id) == SUSPENDED
    assert sum(flow_run_id in line for line in watching.lines) == 1
    assert PREFIX not in watching.text


def test_what_others_write_in_artifacts_stops_neither_a_watcher_nor_orphans(place: Place, prefect_server) -> None:
    flow_run_id = place.flow_run(flows.one_run)
    odd = {"databricks_host": place.workspace.url, "databricks_run_id": "7 x -1 \u0667 " + "9" * 400}
    artifact(place, f"databricks-run-{uuid4()}", odd, flow_run_id)
    page = artifact(place, f"databricks-watcher-{uuid4()}", {"seen_for_seconds": "soon", "block_ids_0": "all"})
    place.suspend(flow_run_id, str(PauseKey(place.workspace.url, UUID(place.block_id), run_ids=(7,))))
    with place.watching() as watching:  # one that begins after all of it was written
        place.wait_for(flow_run_id, RESUMING, watching)  # the flow sees for itself that there is no run 7
        other = place.begin(flows.one_run)
        place.end("long")
        place.wait_for(other, RESUMING, watching)
    assert in_this_process(prefect_server, "orphans", "--block", place.block).returncode == 0
    place.api._delete(f"/artifacts/{page}")


def artifact(place: Place, key: str, metadata: dict[str, str], flow_run_id: str | None = None) -> str:
    body = {"key": key, "type": "markdown", "data": "", "metadata_": metadata, "flow_run_id": flow_run_id}
    return place.api._post("/artifacts/", body)["id"]


def test_a_flow_run_that_cannot_be_begun_with_does_not_keep_others_from_being_resumed(place, monkeypatch) -> None:
    begin, met = suspended_run.SuspendedRun.__init__, []

    def faulty(self: Any, flow_run: Any, *given: Any) -> None:
        met.append(str(flow_run.id))
        if flow_run.id == odd:
            raise ValueError("odd")
        begin(self, flow_run, *given)

    monkeypatch.setattr(suspended_run.SuspendedRun, "__init__", faulty)
    odd, other = UUID(place.flow_run(flows.one_run)), place.flow_run(flows.one_run)
    with place.watching() as watching:
        for each in (str(odd), other):
            place.process(each)
        place.wait(lambda: met.count(str(odd)) > 1, watching)  # the next scan begins with it again
        place.end("long")
        place.wait_for(other, RESUMING, watching)
    assert place.state(str(odd)) == SUSPENDED


def test_a_fault_in_one_flow_run_does_not_end_a_pass(place: Place, monkeypatch) -> None:
    look = suspended_run.SuspendedRun.look_once

    async def faulty(self: Any) -> bool:
        if str(self.flow_run.id) == odd:
            raise ValueError("odd")
        return await look(self)

    monkeypatch.setattr(suspended_run.SuspendedRun, "look_once", faulty)
    with place.watching():
        odd, other = place.begin(flows.one_run), place.begin(flows.one_run)
    place.end("long")
    place.wait(lambda: set(place.states_in_databricks()) == {("TERMINATED", "SUCCESS")})
    with place.watching(is_seen=False, once=True) as one_pass:
        place.wait_for(other, RESUMING, one_pass)
        place.wait(lambda: one_pass.said("1 of them are resumed"))
    assert place.state(odd) == SUSPENDED


def test_a_run_that_a_scan_and_a_sweep_find_is_cancelled_once(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(cancelling, "_PAUSE", 600.0)
    sweep, sweeps = finder.Finder.ended, []

    async def ended(self: Any) -> Any:
        found = await sweep(self)
        sweeps.extend(each for each in found if str(each.flow_run.id) == flow_run_id)
        return found

    monkeypatch.setattr(finder.Finder, "ended", ended)
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        watched(place, flow_run_id, watching)
        place.workspace.fault("POST */runs/cancel", status=403)
        place.api.cancel(flow_run_id)
        place.wait(lambda: sweeps, watching)
        place.wait(lambda: place.workspace.requests_to("POST */runs/cancel"), watching)
        place.log(flow_run_id, "Could not cancel Databricks run")
    assert len(place.workspace.requests_to("POST */runs/cancel")) == 1


def test_a_run_that_the_flow_run_has_never_shown_is_neither_drawn_nor_cancelled(place: Place) -> None:
    somebodys = submit_run.fn(place.databricks, flows.job("long"))
    flow_run_id = place.flow_run(flows.one_run)
    key = PauseKey(place.workspace.url, place.block_id, run_ids=(somebodys,), polling_period_seconds=0.2)
    place.suspend(flow_run_id, str(key))
    with place.watching() as watching:
        place.wait(lambda: watching.said("is neither drawn nor cancelled"), watching)
        watched(place, flow_run_id, watching)
        place.api.cancel(flow_run_id)
        other = place.begin(flows.one_run)
        place.api.cancel(other)
        place.wait(lambda: CANCELED in place.states_in_databricks(), watching)
    assert place.workspace.runs[somebodys]["state"]["life_cycle_state"] == "RUNNING"
    assert place.api.artifacts(flow_run_id) == []


def test_a_run_of_another_flow_run_is_watched_for_and_cancelled_as_by_a_waiting_process(place: Place) -> None:
    with place.watching() as watching:
        others = submit_run.fn(place.databricks, flows.job("long"))
        flow_run_id = place.begin(flows.a_run_of_another, run_id=others)
        assert place.state(flow_run_id) == SUSPENDED
        place.api.cancel(flow_run_id)
        place.wait(lambda: is_cancelled(place), watching)


def test_a_block_of_another_workspace_is_not_used_for_a_key(place: Place) -> None:
    flow_run_id = place.flow_run(flows.one_run)
    place.suspend(flow_run_id, str(PauseKey("https://elsewhere.example", place.block_id, run_ids=(7,))))
    with place.watching() as watching:
        place.wait(lambda: watching.said("no saved block"), watching)
        assert place.state(flow_run_id) == SUSPENDED


def test_a_suspension_by_someone_else_is_not_touched(place: Place) -> None:
    flow_run_id = place.flow_run(flows.one_run)
    place.suspend(flow_run_id, "approve")
    with place.watching() as watching:
        other = place.begin(flows.one_run)
        place.end("long")
        place.wait_for(other, RESUMING, watching)
    assert place.state(flow_run_id) == SUSPENDED
    assert flow_run_id not in watching.text


def test_a_suspension_always_has_an_end_which_prefect_2_needs(place: Place) -> None:
    with place.watching():
        flow_run_id = place.begin(flows.one_run)
    details = place.api.flow_run(flow_run_id)["state"]["state_details"]
    assert details["pause_timeout"] > "2035"


def test_a_server_that_cannot_have_200_paused_flow_runs_is_not_given_so_many(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(obstacles, "_FIRST_WITHOUT_LOOP", (99,))
    monkeypatch.setattr(obstacles, "_MOST_PAUSED", 1)
    with place.watching() as watching:
        paused = place.flow_run(flows.one_run)
        place.suspend(paused, "approve")
        flow_run_id = place.in_background(flows.one_run)
        place.log(flow_run_id, "this release of the Prefect server cannot handle 200")
        assert place.state(flow_run_id) == ("RUNNING", "Running")
        place.api._delete(f"/flow_runs/{paused}")
        place.wait_for(flow_run_id, SUSPENDED, watching)


@pytest.mark.skipif(PREFECT_3, reason="Prefect 3 lets them end first.")
def test_tasks_of_the_user_that_are_active_are_waited_for_on_prefect_2(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.in_background(flows.with_a_submitted_task, file=str(place.workspace.root / "go-task"))
        place.log(flow_run_id, "1 task runs of the flow run are active, and Prefect 2 would cancel them")
        (place.workspace.root / "go-task").touch()
        place.wait_for(flow_run_id, SUSPENDED, watching)


def once(place: Place, *options: str):
    return run("watch", "--block", place.block, "--once", *options, PREFECT_API_URL=PREFECT_API_URL.value())


def test_passes_on_a_schedule_are_counted_on_and_resume_what_has_finished(place: Place) -> None:
    first = once(place, "--every", "600")
    assert first.returncode == 0, first.stderr
    flow_run_id = place.begin(flows.one_run)
    assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
    place.end("long")
    place.wait(lambda: place.states_in_databricks() == [("TERMINATED", "SUCCESS")])
    second = once(place, "--every", "600")
    assert second.returncode == 0, second.stderr
    assert "1 flow runs were suspended, and 1 of them are resumed" in second.stderr
    assert place.state(flow_run_id) == RESUMING
    (page,) = place.pages()
    assert "next pass" in page["data"]


def test_one_pass_ends_with_1_for_what_it_leaves_alone_and_with_2_for_what_it_cannot_ask(place: Place) -> None:
    left = place.flow_run(flows.one_run)
    place.suspend(left, PREFIX + "{")
    passed = once(place)
    assert passed.returncode == 1, passed.stderr
    assert place.pages() == [], "no other pass is to be counted on"
    unknown = run("watch", "--block", "nobodys", "--once", PREFECT_API_URL=PREFECT_API_URL.value())
    assert unknown.returncode == 2
    assert "There is no saved block nobodys" in unknown.stderr
    gone = run("watch", "--once", PREFECT_API_URL="http://me:s3cret@127.0.0.1:9/api")
    assert gone.returncode == 2
    assert "s3cret" not in gone.stderr
    assert "Traceback" not in gone.stderr
    alone = run("watch", "--every", "5", PREFECT_API_URL=PREFECT_API_URL.value())
    assert alone.returncode == 2
    assert "--once" in alone.stderr


def test_a_watcher_that_is_stopped_ends_with_0_and_takes_its_page_away(place: Place) -> None:
    command = ["-m", "prefect_databricks_runs", "watch", "--block", place.block]
    with Child(command, PREFECT_API_URL.value()) as child:
        place.wait(place.pages)
        (page,) = place.pages()
        assert f"`{place.workspace.url}`" in page["data"]
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(PATIENCE) == 0, child.output
        assert "Traceback" not in child.output
        assert "Stopped." in child.output
    assert place.pages() == []


def test_the_page_of_a_watcher_says_what_it_watches(place: Place, monkeypatch) -> None:
    monkeypatch.setattr("prefect_databricks_runs._watcher.watcher._PAGE_SECONDS", 0.2)
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run)
        name = place.api.flow_run(flow_run_id)["name"]
        place.wait(lambda: name in place.pages()[0]["data"], watching)
        (page,) = place.pages()
        assert "**1 suspended flow run**" in page["data"]
        place.end("long")
        place.wait(lambda: "**0 suspended flow runs**" in place.pages()[0]["data"], watching)


def test_orphans_does_not_take_a_suspended_flow_run_for_one_whose_process_was_killed(place: Place, prefect_server):
    with place.watching():
        flow_run_id = place.begin(flows.one_run)
    assert place.state(flow_run_id) == SUSPENDED
    listed = in_this_process(prefect_server, "orphans", "--block", place.block)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "1 more belongs to 1 suspended flow run, to be resumed by the command watch." in listed.stderr
    assert "--flow-run" not in listed.stderr
    place.set_state(flow_run_id, "CANCELLED", "Cancelled")
    assert in_this_process(prefect_server, "orphans", "--block", place.block, "--cancel").returncode == 0
    place.wait(lambda: is_cancelled(place))


@pytest.mark.parametrize("start", [submit_run, run_now], ids=["marked in Databricks", "not marked"])
def test_orphans_counts_the_runs_of_a_deleted_flow_run_that_is_named(place: Place, prefect_server, start) -> None:
    @flow
    def starts() -> None:
        given = {"json": flows.job("long")} if start is submit_run else {"job_name": "nightly"}
        start(place.databricks, **given)

    with place.databricks.get_client() as client:
        client.post("/api/2.2/jobs/create", json={**flows.job("long"), "name": "nightly"}).raise_for_status()
    flow_run_id = str(starts(return_state=True).state_details.flow_run_id)
    place.wait(lambda: place.api.artifacts(flow_run_id))
    place.api._delete(f"/flow_runs/{flow_run_id}")
    listed = in_this_process(prefect_server, "orphans", "--block", place.block)
    assert (listed.returncode, listed.stdout) == (0, "")
    assert f"1 more belongs to flow runs that were deleted in Prefect: {flow_run_id}" in listed.stderr
    named = in_this_process(prefect_server, "orphans", "--block", place.block, "--flow-run", flow_run_id, "--cancel")
    assert named.returncode == 0, named.stderr
    assert "Deleted" in named.stdout
    place.wait(lambda: is_cancelled(place))
