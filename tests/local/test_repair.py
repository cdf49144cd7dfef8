"""Repairs of runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.client import state_of
from tests.local.simulated import FAILED, attempts, job, simulated, states, task

THREE = (task("a"), task("b", "a"), task("c", "b"), task("d"))
SCRIPT = {"b": [FAILED, {"running": 5}]}


def test_a_repair_runs_the_failed_tasks_and_those_that_were_left_out() -> None:
    with simulated(SCRIPT) as client:
        run_id = client.submit(*THREE)
        before = client.run(run_id)
        assert states(before) == {"a": "SUCCESS", "b": "FAILED", "c": "UPSTREAM_FAILED", "d": "SUCCESS"}
        client.workspace.advance(100)
        repair_id = client.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)["repair_id"]
        during = client.run(run_id)
        assert state_of(during) == ("RUNNING", None)
        assert during["end_time"] == 0
        client.workspace.advance(5)
        after = client.get("runs/get", run_id=run_id, include_history="true")
    assert state_of(after) == ("TERMINATED", "SUCCESS")
    assert [len(attempts(after, key)) for key in "abcd"] == [1, 2, 2, 1]
    assert after["run_duration"] == 5000
    original, repair = after["repair_history"]
    assert (original["type"], "id" in original, state_of(original)) == ("ORIGINAL", False, ("TERMINATED", "FAILED"))
    assert (repair["type"], repair["id"], state_of(repair)) == ("REPAIR", repair_id, ("TERMINATED", "SUCCESS"))
    assert set(repair["task_run_ids"]) == {attempts(after, key)[1]["run_id"] for key in "bc"}
    assert len(original["task_run_ids"]) == 4
    assert "repair_history" not in before


def test_dependent_tasks_are_run_again_only_when_asked_for() -> None:
    with simulated({"d": FAILED}) as client:
        run_id = client.submit(*THREE)
        repair = client.post("runs/repair", run_id=run_id, rerun_tasks=["a"])["repair_id"]
        assert [len(attempts(client.run(run_id), key)) for key in "abcd"] == [2, 1, 1, 1]
        client.post(
            "runs/repair", run_id=run_id, rerun_tasks=["a"], latest_repair_id=repair, rerun_dependent_tasks=True
        )
        assert [len(attempts(client.run(run_id), key)) for key in "abcd"] == [3, 2, 2, 1]


def test_a_repaired_task_has_its_retries_again() -> None:
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a", max_retries=1))
        client.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)
        assert [entry["attempt_number"] for entry in attempts(client.run(run_id), "a")] == [0, 1, 2, 3]


def test_a_repair_uses_the_jobs_present_settings_and_its_own_parameters() -> None:
    with simulated(SCRIPT) as client:
        parameters = [{"name": "day", "default": "monday"}]
        job_id = job(client, task("b"), parameters=parameters)
        run_id = client.post("run-now", job_id=job_id, job_parameters={"day": "tuesday"})["run_id"]
        renewed = task("b", timeout_seconds=77)
        client.post("reset", job_id=job_id, new_settings={"tasks": [renewed], "parameters": parameters})
        client.post("runs/repair", run_id=run_id, rerun_tasks=["b"])
        run = client.run(run_id)
    assert [entry["timeout_seconds"] for entry in attempts(run, "b")] == [0, 77]
    assert run["job_parameters"] == [{"name": "day", "default": "monday"}]


def test_a_repair_can_be_cancelled_and_repaired_again() -> None:
    with simulated(SCRIPT) as client:
        run_id = client.submit(task("b"))
        first = client.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)["repair_id"]
        client.post("runs/cancel", run_id=run_id)
        assert state_of(client.run(run_id)) == ("TERMINATED", "CANCELED")
        assert client.refused("runs/repair", run_id=run_id, rerun_tasks=["b"]) == (
            400,
            "INVALID_PARAMETER_VALUE",
            "The latest repair ID needs to be provided in order to create a new repair",
        )
        client.post("runs/repair", run_id=run_id, rerun_tasks=["b"], latest_repair_id=first)
        client.workspace.advance(5)
        assert state_of(client.run(run_id)) == ("TERMINATED", "SUCCESS")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "is required"),
        ({"rerun_tasks": ["a"], "rerun_all_failed_tasks": True}, "cannot be used together"),
        ({"rerun_tasks": []}, "is required"),
        ({"rerun_dependent_tasks": True}, "is required"),
        ({"rerun_tasks": ["nope"]}, "nope"),
        ({"rerun_tasks": ["a", "a"]}, "rerun_tasks has a more than once"),
        ({"rerun_tasks": "a"}, "Expected array for field rerun_tasks, found STRING"),
        ({"rerun_tasks": [{"task_key": "a"}]}, "Expected string for field rerun_tasks[0], found OBJECT"),
        ({"rerun_all_failed_tasks": "yes"}, "Expected boolean for field rerun_all_failed_tasks, found STRING"),
        ({"rerun_all_failed_tasks": True, "latest_repair_id": "x"}, "Expected integer for field latest_repair_id"),
        ({"rerun_all_failed_tasks": True, "job_parameters": {"a": "b"}, "python_params": ["c"]}, "python_params"),
        ({"rerun_tasks": ["a"], "latest_repair_id": 5}, "latest repair ID"),
    ],
)
def test_a_repair_that_makes_no_sense_is_refused(body: dict[str, Any], fault: str) -> None:
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a"))
        status, _, message = client.refused("runs/repair", run_id=run_id, **body)
        assert state_of(client.run(run_id)) == ("TERMINATED", "FAILED")
    assert status == 400
    assert fault in message


def test_active_and_successful_runs_and_task_runs_cannot_be_repaired() -> None:
    with simulated({"slow": {"running": 9}, "bad": FAILED}) as client:
        active, good, bad = (client.submit(task(key)) for key in ("slow", "good", "bad"))
        task_run = client.run(bad)["tasks"][0]["run_id"]
        for run_id, code in ((active, "INVALID_STATE"), (good, "INVALID_STATE"), (task_run, "INVALID_PARAMETER_VALUE")):
            assert client.refused("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)[:2] == (400, code)


def test_the_oldest_version_has_no_repair() -> None:
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a"))
        answer = client.http.post("/api/2.0/jobs/runs/repair", json={"run_id": run_id, "rerun_tasks": ["a"]})
    assert answer.status_code == 404
