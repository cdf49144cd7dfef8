"""Bodies that are refused: broken rules, and features that are not there yet."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.client import Client, notebook_task

N = {"notebook_path": "/n"}
TASK = {"task_key": "a", "notebook_task": N}


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ([], "At least one task"),
        ([{"notebook_task": N}], "Missing required field: tasks[0].task_key"),
        ([{"task_key": "a", "notebook_task": {}}], "Missing required field: tasks[0].notebook_task.notebook_path"),
        ([{"task_key": "a"}], "exactly one task type, it has none"),
        ([{**TASK, "sql_task": {}}], "notebook_task and sql_task"),
        ([{**TASK, "task_key": "a b"}], "a b is not valid"),
        ([{**TASK, "task_key": "x" * 101}], "is not valid"),
        ([TASK, TASK], "a is used more than once"),
        ([{**TASK, "depends_on": [{"task_key": "z"}]}], "Task a depends on z"),
        ([{**TASK, "depends_on": [{"task_key": "a"}]}], "form a cycle: a."),
        ([{**TASK, "environment_key": "e"}], "environment_key e, which is not defined"),
        ([{**TASK, "timeout_seconds": -1}], "timeout_seconds must not be negative"),
        ([{"task_key": "a", "spark_python_task": {"python_file": "/f.py"}}], "One of job_cluster_key, new_cluster"),
        ([{"task_key": "a", "notebook_task": {"notebook_path": "n"}}], "Paths must begin with '/'"),
        ([{"task_key": "a", "notebook_task": {"notebook_path": "/x/../../n"}}], "must not leave the workspace"),
    ],
)
def test_a_broken_rule_is_named(client: Client, tasks: list[dict[str, Any]], told: str) -> None:
    for endpoint in ("runs/submit", "create") if tasks else ("runs/submit",):
        status, code, message = client.refused(endpoint, tasks=tasks)
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert told in message


def test_a_longer_cycle_is_found_beside_tasks_in_order(client: Client) -> None:
    tasks = [notebook_task("/n", *keys) for keys in (("a",), ("b", "a", "d"), ("c", "b"), ("d", "c"))]
    assert client.refused("runs/submit", tasks=tasks)[2].endswith("form a cycle: b, c, d.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run_if", "ALL_DONE"),
        ("max_retries", 1),
        ("max_retries", -1),
        ("disabled", True),
        ("depends_on", [{"task_key": "b", "outcome": "true"}]),
        ("notebook_task", {"notebook_path": "/n", "source": "GIT"}),
    ],
)
def test_a_feature_of_tasks_that_is_not_there_yet_is_refused_by_name(client: Client, field: str, value: Any) -> None:
    tasks = [{**TASK, field: value}, {**TASK, "task_key": "b"}]
    status, code, message = client.refused("runs/submit", tasks=tasks)
    assert (status, code) == (501, "NOT_IMPLEMENTED")
    assert message.startswith(f"tasks[0].{field}")


@pytest.mark.parametrize(
    ("field", "value"), [("git_source", {"git_url": "x"}), ("schedule", {"quartz_cron_expression": "x"})]
)
def test_a_feature_of_jobs_that_is_not_there_yet_is_refused_by_name(client: Client, field: str, value: Any) -> None:
    status, code, message = client.refused("create", tasks=[TASK], **{field: value})
    assert (status, code) == (501, "NOT_IMPLEMENTED")
    assert message.startswith(field)


def test_features_that_are_switched_off_are_no_obstacle(client: Client) -> None:
    task = {**TASK, "run_if": "ALL_SUCCESS", "max_retries": 0, "disabled": False}
    client.post("create", tasks=[task], schedule={"quartz_cron_expression": "x", "pause_status": "PAUSED"})


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"notebook_params": {"a": "b"}, "jar_params": ["c"]}, "notebook_params and jar_params"),
        ({"job_parameters": {"a": "b"}, "python_params": ["c"]}, "job_parameters and python_params"),
        ({"notebook_params": {"a": "b" * 10_000}}, "10000 bytes"),
        ({"python_params": ["ü"]}, "only ASCII"),
    ],
)
def test_run_now_parameters_that_break_a_rule_are_refused(client: Client, body: dict[str, Any], told: str) -> None:
    job_id = client.post("create", tasks=[TASK])["job_id"]
    status, code, message = client.refused("run-now", job_id=job_id, **body)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert told in message


def test_run_now_of_some_tasks_only_is_not_there_yet(client: Client) -> None:
    job_id = client.post("create", tasks=[TASK])["job_id"]
    assert client.refused("run-now", job_id=job_id, only=["a"])[:2] == (501, "NOT_IMPLEMENTED")
