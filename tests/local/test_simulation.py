"""Work that is only played: what a course can tell, and where it can be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prefect_databricks_runs.local import LocalWorkspace, SimulatedTask, TaskStart
from tests.local.client import Client, state_of, task_of
from tests.local.simulated import simulated, task

ALL = SimulatedTask(queued=1, pending=2, running=4, terminating=8)


def life(client: Client, run_id: int) -> str:
    return task_of(client.run(run_id), "a")["state"]["life_cycle_state"]


def test_a_task_passes_through_every_phase_for_as_long_as_told() -> None:
    with simulated({"a": ALL}) as client:
        run_id = client.submit(task("a"))
        seen = [life(client, run_id)]
        for seconds in (1, 2, 4, 8):
            client.workspace.advance(seconds)
            seen.append(life(client, run_id))
        run = client.run(run_id)
    assert seen == ["QUEUED", "PENDING", "RUNNING", "TERMINATING", "TERMINATED"]
    only = run["tasks"][0]
    assert (only["setup_duration"], only["execution_duration"], only["cleanup_duration"]) == (2000, 4000, 8000)
    assert run["run_duration"] == 15_000


def test_a_cancelled_task_passes_through_its_clean_up() -> None:
    with simulated({"a": ALL}) as client:
        run_id = client.submit(task("a"))
        client.workspace.advance(5)
        client.post("runs/cancel", run_id=run_id)
        assert state_of(client.run(run_id)) == ("TERMINATING", None)
        client.workspace.advance(8)
        assert state_of(client.run(run_id)) == ("TERMINATED", "CANCELED")


def test_a_task_that_waits_for_a_place_says_so() -> None:
    with simulated({"a": ALL}) as client:
        only = task_of(client.run(client.submit(task("a"))), "a")
    assert only["status"]["queue_details"]["code"] == "ACTIVE_RUNS_LIMIT_REACHED"
    assert only["state"]["queue_reason"]


def cancel(client: Client, run_id: int) -> None:
    client.workspace.advance(3)
    client.post("runs/cancel", run_id=run_id)


def reach_the_clean_up(client: Client, run_id: int) -> None:
    client.workspace.advance(7)


@pytest.mark.parametrize(
    ("before", "end"),
    [(lambda client, run_id: None, "CANCELED"), (cancel, "CANCELED"), (reach_the_clean_up, "SUCCESS")],
    ids=["at first", "while it is cancelled", "while it cleans up"],
)
def test_stopping_does_not_wait_for_time_that_does_not_pass(before: Any, end: str) -> None:
    with simulated({"a": ALL, "each": ALL, "child": ALL}) as client:
        loop = {"inputs": "[1]", "task": task("each")}
        job_id = client.post("create", tasks=[task("child")])["job_id"]
        run_id = client.submit(
            task("a"), task("loop", for_each_task=loop), task("call", run_job_task={"job_id": job_id})
        )
        before(client, run_id)
        workspace = client.workspace
    assert state_of(task_of(workspace.runs[run_id], "a")) == ("TERMINATED", end)
    assert all(run["status"]["state"] == "TERMINATED" for run in workspace.runs.values())


def test_a_task_that_cleans_up_can_not_be_cancelled_any_more() -> None:
    with simulated({"a": ALL}) as client:
        run_id = client.submit(task("a"))
        client.workspace.advance(14)
        client.post("runs/cancel", run_id=run_id)
        client.workspace.advance(1)
        run = client.run(run_id)
    assert state_of(task_of(run, "a")) == ("TERMINATED", "SUCCESS")


def test_a_course_tells_outcome_output_and_termination() -> None:
    course = {
        "result_state": "FAILED",
        "error": "SparkException: lost",
        "error_trace": "Traceback",
        "logs": "the end\n",
        "message": "Cluster lost",
        "termination_code": "CLUSTER_ERROR",
        "termination_type": "CLOUD_FAILURE",
    }
    with simulated({"a": course}) as client:
        run = client.run(client.submit(task("a")))
        output = client.output(run, "a")
    details = run["tasks"][0]["status"]["termination_details"]
    assert details == {"code": "CLUSTER_ERROR", "type": "CLOUD_FAILURE", "message": "Cluster lost"}
    assert (output["error"], output["error_trace"], output["logs"]) == (
        "SparkException: lost",
        "Traceback",
        "the end\n",
    )
    assert run["state"]["state_message"] == "Task a failed with message: Cluster lost."


def test_an_internal_error_has_no_result_state() -> None:
    with simulated({"a": {"result_state": "INTERNAL_ERROR"}}) as client:
        run = client.run(client.submit(task("a")))
    assert state_of(run) == state_of(run["tasks"][0]) == ("INTERNAL_ERROR", None)


def test_task_values_of_a_course_reach_later_tasks() -> None:
    condition = {"op": "GREATER_THAN", "left": "{{tasks.a.values.rows}}", "right": "10"}
    with simulated({"a": {"values": {"rows": 11}}}) as client:
        run = client.run(client.submit(task("a"), task("b", "a", condition_task=condition)))
    assert task_of(run, "b")["condition_task"]["outcome"] == "true"


COURSE = json.dumps({"result_state": "CANCELED"})


@pytest.mark.parametrize(
    "fields",
    [
        {"local_course": {"result_state": "CANCELED"}},
        {"notebook_task": {"notebook_path": "/n", "base_parameters": {"local_course": COURSE}}},
        {
            "existing_cluster_id": "c",
            "spark_python_task": {"python_file": "/f.py", "parameters": [f"--local-course={COURSE}"]},
        },
    ],
    ids=["field", "map of parameters", "list of parameters"],
)
def test_a_task_can_tell_its_own_course(fields: dict[str, Any]) -> None:
    with LocalWorkspace(virtual_time=True) as workspace:
        client = Client(workspace)
        run = client.run(client.submit(task("a", **fields)))
        client.close()
    assert state_of(run) == ("TERMINATED", "CANCELED")


def test_a_script_can_be_a_function_of_the_attempt() -> None:
    def script(start: TaskStart) -> dict[str, Any] | None:
        return {"result": f"{start.run_name}/{start.task_key}/{start.attempt_number}"}

    with simulated(script) as client:
        run = client.run(client.submit(task("a"), run_name="nightly"))
        assert client.output(run, "a")["notebook_output"]["result"] == "nightly/a/0"


def test_a_condition_is_played_only_with_an_outcome() -> None:
    condition = {"op": "EQUAL_TO", "left": "1", "right": "2"}
    branches = [{**task(key), "depends_on": [{"task_key": "c", "outcome": key}]} for key in ("true", "false")]
    for course, taken in (({}, "false"), ({"outcome": "true"}, "true")):
        with simulated({"c": course}) as client:
            run = client.run(client.submit(task("c", condition_task=condition), *branches))
        assert task_of(run, "c")["condition_task"]["outcome"] == taken
        assert state_of(task_of(run, taken))[1] == "SUCCESS"
        assert {state_of(each)[1] for each in run["tasks"]} == {"SUCCESS", "EXCLUDED"}


def test_what_a_for_each_task_holds_is_meant_for_its_iterations() -> None:
    with LocalWorkspace(virtual_time=True) as workspace:
        client = Client(workspace)
        loop = {"inputs": "[1, 2]", "task": task("each", local_course={"running": 5})}
        run_id = client.submit(task("loop", for_each_task=loop))
        workspace.advance(10)
        run = client.run(run_id)
        client.close()
    assert run["tasks"][0]["for_each_task"]["stats"]["task_run_stats"]["succeeded_iterations"] == 2


def test_a_script_that_raises_ends_the_task_in_an_internal_error() -> None:
    def script(start: TaskStart) -> None:
        raise RuntimeError("my script")

    with simulated(script) as client:
        run = client.run(client.submit(task("a")))
        assert "my script" in client.output(run, "a")["error"]
    assert state_of(run) == ("INTERNAL_ERROR", None)


@pytest.mark.parametrize(
    ("course", "fault"),
    [
        ({"runing": 1}, "runing"),
        ({"running": -1}, "running must be a number"),
        ({"running": "1"}, "running must be a number"),
        ({"running": True}, "running must be a number"),
        ({"result_state": "DONE"}, "result_state must be one of"),
        ({"values": 1}, "values must be an object"),
        ({"running": 10**400}, "running must be a number"),
        ({"result": {"a": 5}}, "result must be a string"),
        ({"logs": 7}, "logs must be a string"),
        ({"message": None}, "message must be a string"),
        ({"outcome": True}, "outcome must be"),
        ([], "at least one attempt"),
        (5, "a simulated task is an object"),
    ],
)
def test_a_course_that_makes_no_sense_is_one_clear_error(course: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LocalWorkspace(script={"a": course})
    with LocalWorkspace(virtual_time=True) as workspace:
        client = Client(workspace)
        status, code, message = client.refused("runs/submit", tasks=[task("a", local_course=course)])
        client.close()
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert fault in message


def test_time_that_is_real_cannot_be_advanced_and_none_goes_back() -> None:
    with LocalWorkspace() as workspace, pytest.raises(RuntimeError, match="virtual_time=True"):
        workspace.advance(1)
    with LocalWorkspace(virtual_time=True) as workspace, pytest.raises(ValueError, match="cannot go back"):
        workspace.advance(-1)
