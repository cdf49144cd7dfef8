"""Bodies that are refused, and why; and all that is taken."""

from __future__ import annotations

import time
from typing import Any

import pytest

from prefect_databricks_runs.local.bodies.task_bodies import CONDITIONS, RUN_IF, TASK_TYPES
from tests.local.client import Client, notebook_task
from tests.local.valid_tasks import VALID_TASKS, N

TASK = {"task_key": "a", "notebook_task": N}
OTHER = {**TASK, "task_key": "b"}
CONDITION = {"task_key": "c", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
GIT = {"git_url": "https://example.org/x", "git_provider": "gitHub"}
INVALID = (400, "INVALID_PARAMETER_VALUE")


def of_type(task_type: str, **fields: Any) -> dict[str, Any]:
    """Returns a valid task of a type with some fields of that type changed; None takes one out."""
    task = VALID_TASKS[task_type]
    return {"task_key": "a", **task, task_type: {**task[task_type], **fields}}


def webhooks(count: int) -> dict[str, Any]:
    return {"on_failure": [{"id": str(number)} for number in range(count)]}


def inner(**fields: Any) -> dict[str, Any]:
    return of_type("for_each_task", task={"task_key": "inner", "notebook_task": N, **fields})


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ([], "At least one task"),
        ([{"notebook_task": N}], "Missing required field: tasks[0].task_key"),
        ([{"task_key": "a", "notebook_task": {}}], "Missing required field: tasks[0].notebook_task.notebook_path"),
        ([{"task_key": "a"}], "exactly one task type, it has none"),
        ([{**TASK, **VALID_TASKS["sql_task"]}], "notebook_task and sql_task"),
        ([{**TASK, "task_key": "a b"}], "a b is not valid"),
        ([{**TASK, "task_key": "x" * 101}], "is not valid"),
        ([{**TASK, "task_key": ""}], "is not valid"),
        ([TASK, TASK], "a is used more than once"),
        ([{**TASK, "depends_on": [{"task_key": "z"}]}], "Task a depends on z"),
        ([{**TASK, "depends_on": [{"task_key": "a"}]}], "form a cycle: a."),
        ([{**TASK, "environment_key": "e"}], "environment_key e, which is not defined"),
        ([{**TASK, "environment_key": "e" * 101}], "tasks[0].environment_key must not be longer than 100 characters"),
        ([{**TASK, "job_cluster_key": "j"}], "job_cluster_key j, which is not defined"),
        ([{**TASK, "existing_cluster_id": "c", "new_cluster": {}}], "existing_cluster_id and new_cluster"),
        ([{**TASK, "timeout_seconds": -1}], "tasks[0].timeout_seconds must not be negative"),
        ([{**TASK, "max_retries": -2}], "tasks[0].max_retries must be at least -1"),
        ([{**TASK, "min_retry_interval_millis": -1}], "min_retry_interval_millis must not be negative"),
        ([{**TASK, "description": "ü" * 2049}], "tasks[0].description must not be longer than 4096 bytes"),
        ([{**TASK, "run_if": "SOMETIMES"}], "tasks[0].run_if must be one of ALL_SUCCESS, "),
        ([{**TASK, "webhook_notifications": webhooks(4)}], "on_failure must not have more than 3 entries"),
        ([{**TASK, "libraries": [{}]}], "tasks[0].libraries[0], which has none"),
        ([{**TASK, "libraries": [{"jar": "a", "whl": "b"}]}], "libraries[0], which has jar and whl"),
        ([{**TASK, "libraries": [{"pypi": {}}]}], "Missing required field: tasks[0].libraries[0].pypi.package"),
        ([OTHER, {**TASK, "depends_on": [{"task_key": "b", "outcome": "true"}]}], "b, which is not a condition task"),
        ([CONDITION, {**TASK, "depends_on": [{"task_key": "c", "outcome": "yes"}]}], "must be one of true, false"),
        ([{"task_key": "a", "notebook_task": {"notebook_path": "n"}}], "Paths must begin with '/'"),
        ([{"task_key": "a", "notebook_task": {"notebook_path": "/x/../../n"}}], "must not leave the workspace"),
        ([of_type("notebook_task", base_parameters={"a": "b" * 2**20})], "longer than 1048576 bytes"),
        ([of_type("notebook_task", source="GIT")], "Missing required field: git_source"),
        ([of_type("spark_submit_task") | {"libraries": [{"jar": "/a"}]}], "cannot be used with libraries"),
        ([of_type("spark_submit_task") | {"new_cluster": {"spark_conf": {"a": "b"}}}], "new_cluster.spark_conf"),
        ([of_type("python_wheel_task", parameters=["a"])], "parameters and named_parameters"),
        ([of_type("sql_task", query=None)], "tasks[0].sql_task, which has none"),
        ([of_type("sql_task", alert={"alert_id": "a"})], "sql_task, which has query and alert"),
        ([of_type("sql_task", warehouse_id=None)], "Missing required field: tasks[0].sql_task.warehouse_id"),
        ([of_type("dbt_task", commands=[])], "Missing required field: tasks[0].dbt_task.commands"),
        ([of_type("dbt_task", commands=["dbt run"] * 11)], "commands must not have more than 10 entries"),
        ([of_type("dbt_task", commands=["dbt run", "dbtx run"])], "commands[1] must be a command that starts with dbt"),
        ([of_type("run_job_task", job_id=None)], "Missing required field: tasks[0].run_job_task.job_id"),
        ([of_type("condition_task", op="LIKE")], "condition_task.op must be one of EQUAL_TO, "),
        ([of_type("condition_task", left=None)], "Missing required field: tasks[0].condition_task.left"),
        ([of_type("for_each_task", concurrency=0)], "concurrency must be at least 1"),
        ([of_type("for_each_task", inputs=None)], "Missing required field: tasks[0].for_each_task.inputs"),
        ([inner(task_key="a b")], "a b is not valid"),
        ([inner(task_key="a")], "a is used more than once"),
        ([inner(notebook_task=None)], "Task inner must have exactly one task type"),
        ([inner(notebook_task=None, for_each_task={})], "cannot have another for_each_task inside"),
        ([inner(depends_on=[{"task_key": "a"}])], "inner is inside a for_each_task"),
        ([inner(notebook_task={"notebook_path": "n"})], "Paths must begin with '/'"),
        ([inner(timeout_seconds=-1)], "tasks[0].for_each_task.task.timeout_seconds"),
        ([of_type("ai_runtime_task", deployments=[])], "deployments must have exactly one entry, it has 0"),
        ([of_type("alert_task", workspace_path="/a")], "alert_id and workspace_path"),
        ([of_type("alert_task", subscribers=[{}] * 101)], "subscribers must not have more than 100"),
    ],
)
def test_a_broken_rule_of_tasks_is_named(client: Client, tasks: list[dict[str, Any]], told: str) -> None:
    for endpoint in ("runs/submit", "create") if tasks else ("runs/submit",):
        status, code, message = client.refused(endpoint, tasks=tasks)
        assert (status, code) == INVALID
        assert told in message


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"name": "ü" * 2049}, "name must not be longer than 4096 bytes"),
        ({"description": "x" * 27_701}, "description must not be longer than 27700 characters"),
        ({"tags": {str(number): "" for number in range(26)}}, "tags must not have more than 25 entries, it has 26"),
        ({"max_concurrent_runs": 1001}, "max_concurrent_runs must be between 0 and 1000, it is 1001"),
        ({"max_concurrent_runs": -1}, "max_concurrent_runs must not be negative"),
        ({"timeout_seconds": -1}, "timeout_seconds must not be negative"),
        ({"parameters": [{"name": "a"}]}, "Missing required field: parameters[0].default"),
        ({"parameters": [{"name": "a b", "default": ""}]}, "The parameter name a b is not valid"),
        ({"parameters": [{"name": "a", "default": ""}] * 2}, "parameters has a more than once"),
        ({"environments": [{"environment_key": str(n)} for n in range(11)]}, "environments must not have more than 10"),
        ({"environments": [{"environment_key": "e"}] * 2}, "environments has e more than once"),
        (
            {
                "environment_variables": [
                    {"environment_variables_key": "e", "spec": {"variables": {str(n): "" for n in range(21)}}}
                ]
            },
            "environment_variables[0].spec.variables must not have more than 20",
        ),
        ({"job_clusters": [{"job_cluster_key": str(n)} for n in range(101)]}, "job_clusters must not have more than"),
        ({"job_clusters": [{"job_cluster_key": "a b"}]}, "The job_cluster_key a b is not valid"),
        ({"job_clusters": [{"job_cluster_key": "a"}] * 2}, "job_clusters has a more than once"),
        ({"webhook_notifications": webhooks(4)}, "webhook_notifications.on_failure must not have more than 3"),
        ({"webhook_notifications": {"on_start": [{}]}}, "Missing required field: webhook_notifications.on_start[0].id"),
        ({"health": {"rules": [{"metric": "X", "op": "GREATER_THAN", "value": 1}]}}, "health.rules[0].metric must be"),
        ({"run_as": {}}, "run_as, which has none"),
        ({"run_as": {"user_name": "a", "group_name": "b"}}, "run_as, which has user_name and group_name"),
        ({"performance_target": "FAST"}, "performance_target must be one of PERFORMANCE_OPTIMIZED, "),
        ({"performance_target": "COST_OPTIMIZED"}, "Missing required field: duration_target"),
        ({"access_control_list": [{"permission_level": "ALL"}]}, "permission_level must be one of CAN_MANAGE, "),
        ({"git_source": {"git_provider": "gitHub"}}, "Missing required field: git_source.git_url"),
        ({"git_source": {**GIT, "git_url": "x" * 301}}, "git_source.git_url must not be longer than 300"),
        ({"git_source": {**GIT, "git_tag": "a", "git_branch": "b"}}, "git_source, which has git_branch and git_tag"),
        ({"schedule": {"quartz_cron_expression": "x"}}, "Missing required field: schedule.timezone_id"),
        (
            {
                "schedule": {"quartz_cron_expression": "x", "timezone_id": "UTC", "pause_status": "PAUSED"},
                "continuous": {"pause_status": "PAUSED"},
            },
            "schedule and continuous",
        ),
        ({"trigger": {"pause_status": "NOW"}}, "trigger.pause_status must be one of PAUSED, UNPAUSED"),
        ({"trigger": {"periodic": {"interval": 1}}}, "Missing required field: trigger.periodic.unit"),
    ],
)
def test_a_broken_rule_of_a_job_is_named(client: Client, settings: dict[str, Any], told: str) -> None:
    job_id = client.post("create", name="to be changed")["job_id"]
    changes = {"job_id": job_id, "new_settings": {"tasks": [TASK], **settings}}
    for endpoint, body in (("create", {"tasks": [TASK], **settings}), ("reset", changes), ("update", changes)):
        status, code, message = client.refused(endpoint, **body)
        assert (status, code) == INVALID
        assert told in message


def test_a_run_has_no_longer_name_than_a_job(client: Client) -> None:
    assert "run_name must not be longer" in client.refused("runs/submit", tasks=[TASK], run_name="x" * 4097)[2]


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_every_type_of_task_is_taken(client: Client, task_type: str) -> None:
    task = {"task_key": "a", **VALID_TASKS[task_type]}
    job_id = client.post("create", tasks=[task])["job_id"]
    assert task_type in client.get("get", job_id=job_id)["settings"]["tasks"][0]


@pytest.mark.parametrize(
    "fields",
    [
        *({"run_if": value} for value in RUN_IF),
        {"max_retries": -1, "min_retry_interval_millis": 5, "retry_on_timeout": "True"},
        {"disabled": True},
        {"depends_on": [{"task_key": "c", "outcome": "false"}]},
        {"webhook_notifications": webhooks(3), "email_notifications": {"on_start": ["a"]}},
        {"notification_settings": {"alert_on_last_attempt": True}},
        {"health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": "5"}]}},
        {"existing_cluster_id": "1021-any text"},
    ],
)
def test_what_a_task_may_have_is_taken(client: Client, fields: dict[str, Any]) -> None:
    client.post("create", tasks=[{**TASK, **fields}, CONDITION])


@pytest.mark.parametrize("op", CONDITIONS)
def test_every_condition_is_taken(client: Client, op: str) -> None:
    client.post("create", tasks=[of_type("condition_task", op=op)])


@pytest.mark.parametrize(
    "settings",
    [
        {"max_concurrent_runs": 0},
        {"performance_target": "COST_OPTIMIZED", "duration_target": "4h"},
        {"schedule": {"quartz_cron_expression": "x", "timezone_id": "UTC", "pause_status": "PAUSED"}},
        {"continuous": {"pause_status": "PAUSED", "task_retry_mode": "NEVER"}},
        {"trigger": {"pause_status": "PAUSED", "file_arrival": {"url": "/Volumes/x"}}},
        {"triggers": [{"pause_status": "PAUSED", "periodic": {"interval": 1, "unit": "DAYS"}}]},
        {"parameters": [{"name": "A-b_c.9", "default": ""}]},
        {"environment_variables": [{"environment_variables_key": "e", "spec": {"files": ["/a"]}}]},
        {"git_source": {**GIT, "git_provider": "GITHUB", "git_branch": "main"}, "tasks": [of_type("notebook_task")]},
    ],
)
def test_what_a_job_may_have_is_taken(client: Client, settings: dict[str, Any]) -> None:
    client.post("create", **{"tasks": [TASK], **settings})


def test_a_job_cluster_of_the_job_can_be_used(client: Client) -> None:
    client.post("create", tasks=[{**TASK, "job_cluster_key": "j"}], job_clusters=[{"job_cluster_key": "j"}])


def test_a_longer_cycle_is_found_beside_tasks_in_order(client: Client) -> None:
    tasks = [notebook_task("/n", *keys) for keys in (("a",), ("b", "a", "d"), ("c", "b"), ("d", "c"))]
    assert client.refused("runs/submit", tasks=tasks)[2].endswith("form a cycle: b, c, d.")


@pytest.mark.parametrize(("version", "count"), [("2.2", 1000), ("2.1", 100), ("2.0", 100)])
def test_a_job_has_no_more_tasks_than_its_version_allows(client: Client, version: str, count: int) -> None:
    tasks = [notebook_task("/n", str(number)) for number in range(count + 1)]
    assert client.http.post(f"/api/{version}/jobs/create", json={"tasks": tasks[1:]}).status_code == 200
    assert client.http.post(f"/api/{version}/jobs/create", json={"tasks": tasks}).status_code == 400
    assert client.http.post(f"/api/{version}/jobs/runs/submit", json={"tasks": tasks}).status_code == 400


def test_a_thousand_tasks_in_a_row_are_checked_at_once(client: Client) -> None:
    tasks = [notebook_task("/n", str(n), *[str(before) for before in range(max(0, n - 100), n)]) for n in range(1000)]
    begin = time.monotonic()
    client.post("create", tasks=tasks)
    assert time.monotonic() - begin < 10


class TestWhatIsNotThereYet:
    @pytest.mark.parametrize(
        ("field", "task"),
        [
            ("spark_python_task.python_file", of_type("spark_python_task", python_file="dbfs:/f.py")),
            ("spark_python_task.python_file", of_type("spark_python_task", python_file="s3://b/f.py")),
            ("notebook_task.source", of_type("notebook_task", source="GIT")),
        ],
    )
    def test_of_tasks_is_refused_by_name(self, client: Client, field: str, task: dict[str, Any]) -> None:
        for endpoint in ("create", "runs/submit"):
            body = {"git_source": GIT} if field == "notebook_task.source" else {}
            status, code, message = client.refused(endpoint, tasks=[task], **body)
            assert (status, code) == (501, "NOT_IMPLEMENTED")
            assert message.startswith(f"tasks[0].{field}")

    def test_but_a_simulated_task_needs_no_file(self, client: Client) -> None:
        task = of_type("spark_python_task", python_file="dbfs:/f.py")
        client.post("create", tasks=[{**task, "local_course": {}}])

    def test_tasks_of_a_job_with_git_source_come_from_there(self, client: Client) -> None:
        status, _, message = client.refused("create", tasks=[TASK], git_source=GIT)
        assert (status, message.split(" ")[0]) == (501, "tasks[0].notebook_task.source")

    @pytest.mark.parametrize(
        ("field", "settings"),
        [
            ("schedule", {"schedule": {"quartz_cron_expression": "x", "timezone_id": "UTC"}}),
            ("trigger", {"trigger": {"pause_status": "UNPAUSED"}}),
            ("continuous", {"continuous": {}}),
            ("triggers[0]", {"triggers": [{"periodic": {"interval": 1, "unit": "DAYS"}}]}),
        ],
    )
    def test_of_jobs_is_refused_by_name(self, client: Client, field: str, settings: dict[str, Any]) -> None:
        status, code, message = client.refused("create", tasks=[TASK], **settings)
        assert (status, code) == (501, "NOT_IMPLEMENTED")
        assert message.startswith(field)
