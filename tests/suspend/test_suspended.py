"""A flow run is suspended while Databricks works, and goes on when that is over; on a real Prefect server."""

from __future__ import annotations

from typing import Any

import pytest
from prefect import Flow, flow

from prefect_databricks_runs import InvalidOption, RunFailed, run_now_and_wait, submit_run, suspend_for_run
from prefect_databricks_runs._prefect.portal import settle
from prefect_databricks_runs.flows import submit_run_and_wait
from tests.suspend import flows
from tests.suspend.place import CANCELED, DONE, RESUMING, SUSPENDED, Place

pytestmark = pytest.mark.timeout(300)


def resumed(place: Place, flow_run_id: str, watching: Any) -> None:
    """The flow run goes on in another process."""
    place.wait_for(flow_run_id, RESUMING, watching)
    place.process(flow_run_id)


@pytest.mark.parametrize(
    "waits", [flows.one_run, pytest.param(flows.one_run_async, marks=pytest.mark.long)], ids=["sync", "async"]
)
def test_a_flow_run_is_suspended_resumed_and_gets_the_run_that_it_started_before(place: Place, waits) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(waits)
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        assert place.block_id in place.pause_key(flow_run_id)
        place.end("long")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id) == DONE
    (run_id,) = place.workspace.runs
    place.log(flow_run_id, f"The result of run {run_id} is Success.")
    place.log(flow_run_id, "was started before the flow run was suspended, and is found again")
    assert len([line for line in place.api.log(flow_run_id) if line.startswith("Started Databricks run")]) == 1
    assert place.api.flow_run(flow_run_id)["run_count"] == 1
    assert place.api.mirrored(flow_run_id) == {"long": ("COMPLETED", "Success")}
    (drawn,) = [each for each in place.api.task_runs(flow_run_id) if each["task_key"] == "databricks-task"]
    assert place.api.task_state_names(drawn["id"]).count(("COMPLETED", "Success")) == 1


@pytest.mark.long
def test_two_waits_in_a_flow_are_two_suspensions_and_two_databricks_runs(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_after_the_other)
        place.end("long")
        resumed(place, flow_run_id, watching)
        assert place.state(flow_run_id) == SUSPENDED
        place.end("longer")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id) == DONE
    assert place.starts == 2
    assert place.times_resumed(flow_run_id) == 2


@pytest.mark.long
def test_two_waits_at_once_end_with_the_process_and_neither_run_is_cancelled(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.two_at_once)
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        settle()  # all that the end of the process does
        assert not place.workspace.requests_to("POST */runs/cancel")
        place.log(flow_run_id, "The flow run was suspended, and waits for Databricks run")
        place.end("long")
        place.end("longer")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id) == DONE
    assert place.starts == 2


@pytest.mark.long
def test_a_failing_run_with_one_retry_is_started_exactly_twice(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run_with_a_retry)
        assert place.starts == 1
        place.end("fails")
        place.wait_for(flow_run_id, RESUMING, watching)
        (place.workspace.root / "go-fails").unlink()
        place.process(flow_run_id)  # raises, is tried again, and suspended again
        assert place.state(flow_run_id) == SUSPENDED
        assert place.starts == 2
        place.end("fails")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id)[0] == "FAILED"
    assert place.starts == 2
    place.log(flow_run_id, "another one is started")


def test_many_runs_are_waited_for_together_and_drawn_by_the_watcher(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.many_runs, task_keys=["long", "longer"])
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        place.end("long")
        first, second = place.workspace.runs
        drawn = {f"long-{first}": ("COMPLETED", "Success"), f"longer-{second}": ("RUNNING", "Running")}
        place.wait(lambda: place.api.mirrored(flow_run_id) == drawn, watching)
        assert place.state(flow_run_id) == SUSPENDED
        place.end("longer")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id) == DONE
    assert place.starts == 2


@pytest.mark.long
def test_the_first_failure_of_many_wakes_a_flow_that_acts_on_it(place: Place) -> None:
    with place.watching() as watching:
        options = {"return_when": "any_failure", "cancel_others": True}
        flow_run_id = place.begin(flows.many_runs, task_keys=["fails", "longer"], options=options)
        assert place.state(flow_run_id) == SUSPENDED
        place.end("fails")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id)[0] == "FAILED"
    assert place.states_in_databricks() == [("TERMINATED", "FAILED"), CANCELED]


@pytest.mark.long
def test_the_time_of_a_wait_is_counted_from_the_first_suspension(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = place.begin(flows.one_run, options={"max_wait_seconds": 12})
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        first = place.pause_key(flow_run_id)
        place.api._post(f"/flow_runs/{flow_run_id}/resume", {})
        place.process(flow_run_id)
        if place.state(flow_run_id) == SUSPENDED:
            assert until_of(place.pause_key(flow_run_id)) == pytest.approx(until_of(first), abs=0.5)
            resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id)[0] == "FAILED"
    place.log(flow_run_id, "the wait reached max_wait_seconds=12")
    assert place.states_in_databricks() == [CANCELED]


def until_of(key: str) -> float:
    from prefect_databricks_runs._start.pause_key import read_key

    return read_key(key).until


@pytest.mark.parametrize(
    ("waits", "why"),
    [
        (flows.in_a_subflow, "this is a subflow run"),
        (flows.in_a_task, "a task run cannot be suspended"),
    ],
    ids=["subflow", "task"],
)
def test_where_no_flow_run_can_be_suspended_the_process_waits_and_says_why(place: Place, waits, why: str) -> None:
    flow_run_id = place.in_background(waits)
    place.wait(lambda: "RUNNING" in str(place.states_in_databricks()))
    place.end("long")
    place.wait_for(flow_run_id, DONE)
    assert place.times_resumed(flow_run_id) == 0
    told = [each["id"] for each in (*place.api.subflow_runs(flow_run_id), {"id": flow_run_id})]
    place.wait(lambda: any(why in line for each in told for line in place.api.log(each)))


def test_without_a_watcher_the_process_waits_and_says_why_and_is_suspended_when_there_is_one(place: Place) -> None:
    flow_run_id = place.in_background(flows.one_run)
    place.log(flow_run_id, "no `prefect-databricks-runs watch` with the credentials block of this flow run")
    assert place.state(flow_run_id) == ("RUNNING", "Running")
    with place.watching(blocks=[other_block(place)], is_seen=False):
        assert place.state(flow_run_id) == ("RUNNING", "Running")
    with place.watching() as watching:
        place.wait_for(flow_run_id, SUSPENDED, watching)


def other_block(place: Place) -> str:
    place.databricks.save(f"{place.block}-other")
    return f"{place.block}-other"


def test_outside_of_a_deployment_the_process_waits(place: Place, run_log) -> None:
    place.end("long")

    @flow(name="no-deployment")
    def by_hand() -> str:
        return suspend_for_run(
            place.databricks, submit_run(place.databricks, flows.job("long")), **flows.QUICK
        ).state.name

    assert by_hand() == "Success"
    assert "does not belong to a deployment" in run_log.text


def test_outside_of_any_flow_run_it_waits_and_raises_what_wait_for_run_raises(place: Place) -> None:
    place.end("fails")
    run_id = submit_run.fn(place.databricks, flows.job("fails"))
    with pytest.raises(RunFailed, match="no rows"):
        suspend_for_run(place.databricks, run_id, **flows.QUICK)


def test_a_misspelt_option_is_one_clear_error_before_anything_is_asked(place: Place) -> None:
    with pytest.raises(InvalidOption, match="Did you mean `suspend_after_seconds`"):
        suspend_for_run(place.databricks, 7, suspend_after_second=1)
    with pytest.raises(InvalidOption, match="`suspend_after_seconds` must be a number of seconds, 0 or more"):
        suspend_for_run(place.databricks, 7, suspend_after_seconds=-1)
    assert not place.workspace.requests


def deployed(place: Place, of: Flow[Any, Any], **parameters: Any) -> str:
    return place.begin(of, suspend=True, **flows.QUICK, **parameters)


def test_a_flow_of_this_package_that_is_deployed_as_it_is_waits_without_a_process(place: Place) -> None:
    with place.watching() as watching:
        flow_run_id = deployed(place, submit_run_and_wait, json=flows.job("long"))
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        place.end("long")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id) == ("COMPLETED", "Success")
    assert place.starts == 1


@pytest.mark.long
def test_a_saved_job_that_is_deployed_as_it_is_and_fails_ends_as_it_does_with_a_process(place: Place) -> None:
    with place.databricks.get_client() as client:
        job = {"name": "nightly", **flows.job("fails")}
        client.post("/api/2.2/jobs/create", json=job).raise_for_status()
    with place.watching() as watching:
        flow_run_id = deployed(place, run_now_and_wait, job_name="nightly")
        assert place.state(flow_run_id) == SUSPENDED, place.api.log(flow_run_id)
        place.end("fails")
        resumed(place, flow_run_id, watching)
    assert place.state(flow_run_id) == ("FAILED", "Failed")
    assert "ValueError: no rows" in place.api.flow_run(flow_run_id)["state"]["message"]
    assert place.starts == 1
