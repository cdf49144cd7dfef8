"""Dynamic value references, resolved as Databricks does."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.local.client import state_of, task_of
from tests.local.simulated import FAILED, job, simulated, task


def resolved(left: str, **job_parameters: str) -> str:
    """What a condition of a job run says it compared."""
    script = {"bad": FAILED, "a": {"values": {"n": 3, "text": "x y", "list": [1, "z"]}}}
    condition = {"op": "EQUAL_TO", "left": left, "right": ""}
    with simulated(script) as client:
        tasks = [task("a"), task("bad"), task("c", "a", "bad", condition_task=condition, run_if="ALL_DONE")]
        job_id = job(client, *tasks, name="the job", parameters=[{"name": "day", "default": "monday"}])
        run_id = client.post("run-now", job_id=job_id, job_parameters=job_parameters)["run_id"]
        run = client.get("runs/get", run_id=run_id, include_resolved_values="true")
        checked = task_of(run, "c")
        names = {"JOB": job_id, "RUN": run_id, "TASK": checked["run_id"], "A": task_of(run, "a")["run_id"]}
        start = datetime.fromtimestamp(run["start_time"] / 1000, timezone.utc)
        text = checked["resolved_values"]["condition_task"]["left"]
        for name, value in names.items():
            text = text.replace(str(value), name)
        return text.replace(start.strftime("%Y-%m-%d"), "DATE").replace(client.workspace.url, "URL")


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("{{job.id}}", "JOB"),
        ("{{ job.run_id }}", "RUN"),
        ("{{job.name}}", "the job"),
        ("{{job.repair_count}}", "0"),
        ("{{job.trigger.type}}", "one_time"),
        ("{{job.start_time.iso_date}}", "DATE"),
        ("{{job.parameters.day}}", "monday"),
        ("{{task.name}} {{task.run_id}} {{task.execution_count}}", "c TASK 1"),
        ("{{tasks.a.run_id}}", "A"),
        ("{{tasks.a.result_state}}", "success"),
        ("{{tasks.bad.result_state}}", "failed"),
        ("{{tasks.bad.error_code}}", "RUN_EXECUTION_ERROR"),
        ("{{tasks.a.values.n}}", "3"),
        ("{{tasks.[a].values.text}}", "x y"),
        ("{{tasks.a.values.list}}", '[1, "z"]'),
        ("{{workspace.url}}", "URL"),
        ("{{job_id}}/{{run_id}}/{{task_key}}/{{start_date}}", "JOB/TASK/c/DATE"),
        ("{{ not.a.reference }}", "{{ not.a.reference }}"),
        ("{{prefect.flow_run.id}}", "{{prefect.flow_run.id}}"),
    ],
)
def test_a_reference_has_its_value(reference: str, value: str) -> None:
    assert resolved(reference) == value


def test_parameters_of_run_now_win_over_the_defaults() -> None:
    assert resolved("{{job.parameters.day}}", day="friday") == "friday"


@pytest.mark.parametrize(
    "reference",
    ["{{job.parameters.x}}", "{{tasks.a.values.x}}", "{{tasks.x.run_id}}", "{{tasks.a.x}}", "{{job.x}}", "{{task.x}}"],
)
def test_a_reference_without_a_value_fails_the_task_and_names_it(reference: str) -> None:
    condition: dict[str, Any] = {"op": "EQUAL_TO", "left": reference, "right": ""}
    with simulated() as client:
        run = client.run(client.submit(task("a"), task("c", "a", condition_task=condition)))
        assert reference in client.output(run, "c")["error"]
    assert state_of(task_of(run, "c")) == ("INTERNAL_ERROR", "FAILED")


def test_inputs_of_a_for_each_task_can_come_from_a_task_value() -> None:
    loop = {"inputs": "{{tasks.a.values.rows}}", "task": task("each")}
    with simulated({"a": {"values": {"rows": json.dumps(["x", "y"])}}}) as client:
        run = client.run(client.submit(task("a"), task("all", "a", for_each_task=loop)))
    assert task_of(run, "all")["for_each_task"]["stats"]["task_run_stats"]["succeeded_iterations"] == 2
