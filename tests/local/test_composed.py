"""Conditions, for-each and run-job tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.client import state_of, task_of
from tests.local.simulated import FAILED, job, simulated, states, task
from tests.support.processes import wait_until


def condition(op: str, left: str, right: str) -> dict[str, str]:
    return {"op": op, "left": left, "right": right}


def for_each(inputs: Any, nested: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    text = inputs if isinstance(inputs, str) else json.dumps(inputs)
    return {"inputs": text, "task": nested or task("each"), **fields}


@pytest.mark.parametrize(
    ("op", "left", "right", "outcome"),
    [
        ("EQUAL_TO", "a", "a", "true"),
        ("EQUAL_TO", "1", "1.0", "false"),
        ("NOT_EQUAL", "1", "1.0", "true"),
        ("GREATER_THAN", "10", "9", "true"),
        ("GREATER_THAN_OR_EQUAL", "9", "9.0", "true"),
        ("LESS_THAN", "10", "9", "false"),
        ("LESS_THAN_OR_EQUAL", "1e1", "10", "true"),
    ],
)
def test_a_condition_compares_text_by_its_letters_and_size_by_number(
    op: str, left: str, right: str, outcome: str
) -> None:
    with simulated() as client:
        run = client.run(client.submit(task("c", condition_task=condition(op, left, right))))
    assert run["tasks"][0]["condition_task"]["outcome"] == outcome
    assert state_of(run) == ("TERMINATED", "SUCCESS")


def test_a_condition_on_the_size_of_what_is_no_number_fails_clearly() -> None:
    with simulated() as client:
        run = client.run(client.submit(task("c", condition_task=condition("LESS_THAN", "few", "3"))))
        assert "not 'few' and '3'" in client.output(run, "c")["error"]
    assert state_of(run)[1] == "FAILED"


def test_a_for_each_task_runs_its_task_for_each_input_some_at_a_time() -> None:
    with simulated({"each": {"running": 10}}) as client:
        run_id = client.submit(task("all", for_each_task=for_each([1, 2, 3, 4, 5], concurrency=2)))
        client.workspace.advance(15)
        stats = task_of(client.run(run_id), "all")["for_each_task"]["stats"]["task_run_stats"]
        assert stats == {
            "total_iterations": 5,
            "scheduled_iterations": 4,
            "active_iterations": 2,
            "completed_iterations": 2,
            "succeeded_iterations": 2,
            "failed_iterations": 0,
        }
        client.workspace.advance(15)
        run = client.run(run_id)
        assert state_of(run) == ("TERMINATED", "SUCCESS")
        task_run = client.run(run["tasks"][0]["run_id"])
        assert len(task_run["iterations"]) == 5
        one = client.run(task_run["iterations"][2]["run_id"])
        assert state_of(one) == ("TERMINATED", "SUCCESS")
        assert one["job_run_id"] == run_id


def test_iterations_know_their_input_and_one_that_fails_does_not_stop_the_others() -> None:
    def script(start: Any) -> dict[str, Any] | None:
        if start.task_key == "all":
            return None
        return FAILED if start.input == "b" else {"result": start.input}

    with simulated(script) as client:
        run = client.run(client.submit(task("all", for_each_task=for_each(["a", "b", "c"]))))
        iterations = client.run(run["tasks"][0]["run_id"])["iterations"]
        results = [
            client.get("runs/get-output", run_id=iteration["run_id"])["notebook_output"].get("result")
            for iteration in iterations
        ]
    assert results == ["a", None, "c"]
    assert state_of(run) == ("TERMINATED", "FAILED")
    stats = run["tasks"][0]["for_each_task"]["stats"]
    assert stats["error_message_stats"] == [
        {"count": 1, "error_message": "ValueError: no rows", "termination_category": "RUN_EXECUTION_ERROR"}
    ]
    assert "1 of 3 iterations failed" in run["state"]["state_message"]


def test_an_iteration_is_retried_by_itself() -> None:
    with simulated({"each": [FAILED, {}]}) as client:
        run = client.run(client.submit(task("all", for_each_task=for_each([1, 2], task("each", max_retries=1)))))
        assert state_of(run) == ("TERMINATED", "SUCCESS")
        assert len(client.run(run["tasks"][0]["run_id"])["iterations"]) == 4
    assert run["tasks"][0]["for_each_task"]["stats"]["task_run_stats"]["succeeded_iterations"] == 2


def test_cancelling_a_for_each_task_cancels_what_runs_and_starts_nothing_more() -> None:
    with simulated({"each": {"running": 10}}) as client:
        run_id = client.submit(task("all", for_each_task=for_each([1, 2, 3], concurrency=2)))
        client.post("runs/cancel", run_id=run_id)
        run = client.run(run_id)
        assert state_of(run) == ("TERMINATED", "CANCELED")
        iterations = client.run(run["tasks"][0]["run_id"])["iterations"]
        assert [state_of(iteration)[1] for iteration in iterations] == ["CANCELED", "CANCELED"]


@pytest.mark.parametrize("inputs", ['{"a": 1}', "no json", json.dumps([0] * 5001)])
def test_inputs_that_are_no_list_or_too_long_fail_clearly(inputs: str) -> None:
    with simulated() as client:
        run = client.run(client.submit(task("all", for_each_task=for_each(inputs))))
        assert "or each task" in client.output(run, "all")["error"]
    assert state_of(run)[1] == "FAILED"


def test_a_for_each_task_without_inputs_succeeds() -> None:
    with simulated() as client:
        run = client.run(client.submit(task("all", for_each_task=for_each([]))))
    assert state_of(run) == ("TERMINATED", "SUCCESS")


def test_iterations_come_in_pages_of_a_hundred() -> None:
    with simulated() as client:
        run = client.run(client.submit(task("all", for_each_task=for_each(list(range(250)), concurrency=100))))
        run_id, sizes, token = run["tasks"][0]["run_id"], [], ""
        seen = set()
        while True:
            page = client.get("runs/get", run_id=run_id, page_token=token)
            sizes.append(len(page["iterations"]))
            seen |= {iteration["run_id"] for iteration in page["iterations"]}
            if "next_page_token" not in page:
                break
            token = page["next_page_token"]
    assert sizes == [100, 100, 50]
    assert len(seen) == 250


def test_a_run_job_task_runs_the_job_with_its_parameters() -> None:
    with simulated({"inner": {"running": 5}}) as client:
        inner = job(client, task("inner"), parameters=[{"name": "day", "default": "none"}])
        settings = {"job_id": inner, "job_parameters": {"day": "{{job.parameters.day}}"}}
        outer = job(client, task("call", run_job_task=settings), parameters=[{"name": "day", "default": "monday"}])
        run_id = client.post("run-now", job_id=outer)["run_id"]
        run = client.run(run_id)
        child_id = client.output(run, "call")["run_job_output"]["run_id"]
        child = client.run(child_id)
        assert child["job_parameters"] == [{"name": "day", "default": "none", "value": "monday"}]
        assert (child["trigger"], child["trigger_info"]) == ("RUN_JOB_TASK", {"run_id": run_id})
        client.workspace.advance(5)
        assert state_of(client.run(run_id)) == ("TERMINATED", "SUCCESS")


def test_a_run_job_task_fails_and_is_cancelled_with_the_other_run() -> None:
    with simulated({"bad": FAILED, "slow": {"running": 50}}) as client:
        failing = client.submit(task("call", run_job_task={"job_id": job(client, task("bad"))}))
        assert state_of(client.run(failing)) == ("TERMINATED", "FAILED")
        waiting = client.submit(task("call", run_job_task={"job_id": job(client, task("slow"))}))
        child_id = client.output(client.run(waiting), "call")["run_job_output"]["run_id"]
        client.post("runs/cancel", run_id=waiting)
        assert state_of(client.run(child_id)) == ("TERMINATED", "CANCELED")
        assert state_of(client.run(waiting)) == ("TERMINATED", "CANCELED")


def test_a_run_job_task_without_its_job_or_in_a_circle_fails_clearly() -> None:
    with simulated() as client:
        run = client.run(client.submit(task("call", run_job_task={"job_id": 7})))
        assert client.output(run, "call")["error"] == "Job 7 does not exist."
        empty = client.post("create", name="empty")["job_id"]
        run = client.run(client.submit(task("call", run_job_task={"job_id": empty})))
        assert client.output(run, "call")["error"] == f"Job {empty} has no tasks."
        job_id = job(client, task("first"))
        client.post("reset", job_id=job_id, new_settings={"tasks": [task("call", run_job_task={"job_id": job_id})]})
        run = client.run(client.post("run-now", job_id=job_id)["run_id"])
        assert "already running in this chain" in client.output(run, "call")["error"]


def test_real_notebooks_are_run_for_each_input_and_read_it(client: Any) -> None:
    path = client.notebook("dbutils.notebook.exit(dbutils.widgets.get('x') + dbutils.widgets.get('name'))")
    parameters = {"x": "{{input.n}}", "name": "{{task.name}}"}
    nested = {"task_key": "each", "notebook_task": {"notebook_path": path, "base_parameters": parameters}}
    inputs = [{"n": 1}, {"n": "two"}]
    run_id = client.submit(task("all", for_each_task=for_each(inputs, nested, concurrency=2)))
    run = wait_until(lambda: (run := client.run(run_id))["status"]["state"] == "TERMINATED" and run, 60)
    assert states(run) == {"all": "SUCCESS"}
    iterations = client.run(run["tasks"][0]["run_id"])["iterations"]
    results = [client.get("runs/get-output", run_id=each["run_id"])["notebook_output"]["result"] for each in iterations]
    assert results == ["1each", "twoeach"]
