"""Bodies that are refused, and why; and all that is taken."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from prefect_databricks_runs.local.bodies.shapes import TASK_TYPES, values
from tests.local.client import Client, notebook_task
from tests.local.valid_tasks import VALID_TASKS, N

TASK = {"task_key": "a", "notebook_task": N}
OTHER = {**TASK, "task_key": "b"}
CONDITION = {"task_key": "c", "condition_task": {"op": "EQUAL_TO", "left": "1", "right": "1"}}
GIT = {"git_url": "https://example.org/x", "git_provider": "gitHub"}
INVALID = (400, "INVALID_PARAMETER_VALUE")
SIZED = {"num_workers": 1}
NO_SIZE = "Cluster validation error: Missing required field: settings.cluster_spec.new_cluster.size"
NO_WORKERS = "NumWorkers could be 0 only for SingleNode clusters. See https://docs.databricks.com/"
NO_ENVIRONMENT = (
    "An environment is required for serverless task a. Please define one using `environments` and `environment_key`."
)


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
        ([{**TASK, "task_key": "a b"}], "Task key 'a b' contains an invalid character"),
        ([{**TASK, "task_key": "x" * 101}], "has 101 characters: use 1 to 100"),
        ([{**TASK, "task_key": ""}], "has 0 characters: use 1 to 100"),
        ([TASK, TASK], "a is used more than once"),
        ([{**TASK, "depends_on": [{"task_key": "z"}]}], "Task a depends on z"),
        ([{**TASK, "depends_on": [{"task_key": "a"}]}], "form a cycle: a."),
        (
            [{**TASK, "environment_key": "e"}],
            "Job environment 'e' used by task a is not defined in field 'environments'.",
        ),
        ([{**TASK, "environment_key": "e" * 101}], "tasks[0].environment_key must not be longer than 100 characters"),
        ([{**TASK, "existing_cluster_id": "c", "new_cluster": SIZED}], "existing_cluster_id and new_cluster"),
        ([{**TASK, "new_cluster": {}}], NO_SIZE),
        ([{**TASK, "new_cluster": {"num_workers": 0}}], NO_WORKERS),
        ([inner(new_cluster={})], NO_SIZE),
        ([inner(new_cluster={"num_workers": "0"})], NO_WORKERS),
        ([of_type("spark_python_task") | {"existing_cluster_id": None}], NO_ENVIRONMENT),
        ([of_type("python_wheel_task") | {"existing_cluster_id": None}], NO_ENVIRONMENT),
        ([of_type("dbt_task") | {"existing_cluster_id": None}], NO_ENVIRONMENT),
        ([OTHER, {**TASK, "depends_on": [{"task_key": "b"}] * 2}], "depends_on of task a has b more than once"),
        ([{**TASK, "timeout_seconds": -1}], "tasks[0].timeout_seconds must not be negative"),
        ([{**TASK, "max_retries": -2}], "tasks[0].max_retries must be at least -1"),
        ([{**TASK, "min_retry_interval_millis": -1}], "min_retry_interval_millis must not be negative"),
        ([{**TASK, "description": "ü" * 2049}], "tasks[0].description must not be longer than 4096 bytes"),
        ([{**TASK, "run_if": "SOMETIMES"}], "tasks[0].run_if must be one of ALL_DONE, "),
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
        (
            [of_type("spark_submit_task") | {"new_cluster": {**SIZED, "spark_conf": {"a": "b"}}}],
            "new_cluster.spark_conf",
        ),
        ([of_type("python_wheel_task", parameters=["a"])], "parameters and named_parameters"),
        ([of_type("sql_task", query=None)], "tasks[0].sql_task, which has none"),
        ([of_type("sql_task", alert={"alert_id": "a"})], "sql_task, which has query and alert"),
        ([of_type("sql_task", warehouse_id=None)], "Missing required field: tasks[0].sql_task.warehouse_id"),
        ([of_type("sql_task", warehouse_id="")], "Missing required field: tasks[0].sql_task.warehouse_id"),
        ([of_type("sql_task", query={"query_id": ""})], "Missing required field: tasks[0].sql_task.query.query_id"),
        ([of_type("notebook_task", notebook_path="")], "Paths must begin with '/'"),
        ([of_type("for_each_task", inputs="")], "Missing required field: tasks[0].for_each_task.inputs"),
        ([of_type("dbt_task", commands=[])], "Missing required field: tasks[0].dbt_task.commands"),
        ([of_type("dbt_task", commands=["dbt run"] * 11)], "commands must not have more than 10 entries"),
        ([of_type("dbt_task", commands=["dbt run", "dbtx run"])], "commands[1] must be a command that starts with dbt"),
        ([of_type("run_job_task", job_id=None)], "Missing required field: tasks[0].run_job_task.job_id"),
        ([of_type("condition_task", op="LIKE")], "condition_task.op must be one of EQUAL_TO, "),
        ([of_type("condition_task", left=None)], "Missing required field: tasks[0].condition_task.left"),
        ([of_type("for_each_task", concurrency=0)], "concurrency must be at least 1"),
        ([of_type("for_each_task", inputs=None)], "Missing required field: tasks[0].for_each_task.inputs"),
        ([inner(task_key="a b")], "Task key 'a b' contains an invalid character"),
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
            {"environment_variables": [{"environment_variables_key": "e"}] * 2},
            "environment_variables has e more than once",
        ),
        (
            {
                "environment_variables": [
                    {"environment_variables_key": "e", "spec": {"variables": {str(n): "" for n in range(21)}}}
                ]
            },
            "environment_variables[0].spec.variables must not have more than 20",
        ),
        ({"job_clusters": [{"job_cluster_key": "a", "new_cluster": {}}]}, NO_SIZE),
        ({"job_clusters": [{"job_cluster_key": "a", "new_cluster": {"num_workers": 0}}]}, NO_WORKERS),
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
        ({"git_source": {**GIT, "git_url": ""}}, "Missing required field: git_source.git_url"),
        ({"schedule": {"quartz_cron_expression": "0 6 * * ?", "timezone_id": "UTC"}}, "must have 6 or 7 parts"),
        (
            {"triggers": [{"schedule": {"quartz_cron_expression": "", "timezone_id": "UTC"}}]},
            "triggers[0].schedule.quartz_cron_expression must have",
        ),
        ({"git_source": {**GIT, "git_url": "x" * 301}}, "git_source.git_url must not be longer than 300"),
        ({"git_source": {**GIT, "git_tag": "a", "git_branch": "b"}}, "git_source, which has git_branch and git_tag"),
        ({"schedule": {"quartz_cron_expression": "x"}}, "Missing required field: schedule.timezone_id"),
        (
            {
                "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
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
        *({"run_if": value} for value in values("RunIf")),
        {"max_retries": -1, "min_retry_interval_millis": 5, "retry_on_timeout": "True"},
        {"disabled": True},
        {"depends_on": [{"task_key": "c", "outcome": "false"}]},
        {"webhook_notifications": webhooks(3), "email_notifications": {"on_start": ["a"]}},
        {"notification_settings": {"alert_on_last_attempt": True}},
        {"health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": "5"}]}},
        {"existing_cluster_id": "1021-any text"},
        {"existing_cluster_id": "", "environment_key": "", "job_cluster_key": "", "new_cluster": SIZED},  # not set
    ],
)
def test_what_a_task_may_have_is_taken(client: Client, fields: dict[str, Any]) -> None:
    client.post("create", tasks=[{**TASK, **fields}, CONDITION])


@pytest.mark.parametrize(
    "task",
    [
        of_type("notebook_task", notebook_path="{{job.parameters.path}}"),
        of_type("spark_python_task", python_file="{{job.parameters.path}}"),
        of_type("dbt_task", commands=["{{job.parameters.command}}"]),
    ],
)
def test_a_text_that_begins_with_a_reference_is_not_known_yet_and_taken(client: Client, task: dict[str, Any]) -> None:
    client.post("create", tasks=[task])


@pytest.mark.parametrize("path", ["/nightly", "relative", "/../../../etc/passwd"])
def test_a_notebook_that_a_parameter_names_is_run_if_it_is_in_the_workspace(client: Client, path: str) -> None:
    (client.workspace.root / "nightly.py").write_text("# Databricks notebook source\n", "utf-8")
    notebook = {"task_key": "a", "notebook_task": {"notebook_path": "{{job.parameters.path}}"}}
    job_id = client.post("create", tasks=[notebook], parameters=[{"name": "path", "default": path}])["job_id"]
    run = client.wait(client.post("run-now", job_id=job_id)["run_id"])
    assert run["tasks"][0]["state"]["result_state"] == ("SUCCESS" if path == "/nightly" else "FAILED")


@pytest.mark.parametrize("op", values("ConditionTaskOp"))
def test_every_condition_is_taken(client: Client, op: str) -> None:
    client.post("create", tasks=[of_type("condition_task", op=op)])


@pytest.mark.parametrize(
    "settings",
    [
        {"max_concurrent_runs": 0},
        {"performance_target": "COST_OPTIMIZED", "duration_target": "4h"},
        {"continuous": {"pause_status": "PAUSED", "task_retry_mode": "NEVER"}},
        {"trigger": {"pause_status": "PAUSED", "file_arrival": {"url": "/Volumes/x"}}},
        {"triggers": [{"pause_status": "PAUSED", "periodic": {"interval": 1, "unit": "DAYS"}}]},
        {"parameters": [{"name": "A-b_c.9", "default": ""}]},
        {"environment_variables": [{"environment_variables_key": "e", "spec": {"files": ["/a"]}}]},
        {"run_as": {"user_name": "", "service_principal_name": "s"}},
        {"git_source": {**GIT, "git_branch": "main", "git_tag": "", "git_commit": ""}},
        {"git_source": {**GIT, "git_provider": "GITHUB", "git_branch": "main"}, "tasks": [of_type("notebook_task")]},
    ],
)
def test_what_a_job_may_have_is_taken(client: Client, settings: dict[str, Any]) -> None:
    client.post("create", **{"tasks": [TASK], **settings})


@pytest.mark.parametrize(
    "cluster",
    [
        {"num_workers": 1},
        {"autoscale": {"min_workers": 1, "max_workers": 2}},
        {"policy_id": "p"},
        {"policy_id": "p", "num_workers": 0},
        {"is_single_node": True, "kind": "CLASSIC_PREVIEW"},
        {"num_workers": 0, "spark_conf": {"spark.databricks.cluster.profile": "singleNode"}},
    ],
)
def test_a_cluster_with_a_size_or_of_a_single_node_is_taken_wherever_it_is(
    client: Client, cluster: dict[str, Any]
) -> None:
    client.post(
        "create", tasks=[{**TASK, "new_cluster": cluster}, inner(task_key="b", new_cluster=cluster) | {"task_key": "c"}]
    )
    client.post("create", tasks=[TASK], job_clusters=[{"job_cluster_key": "j", "new_cluster": cluster}])


def test_spark_submit_takes_a_cluster_of_a_single_node(client: Client) -> None:
    conf = {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"}
    client.post(
        "create", tasks=[of_type("spark_submit_task") | {"new_cluster": {"num_workers": 0, "spark_conf": conf}}]
    )


SHARED_CLUSTERS = [
    {"tasks": [TASK], "job_clusters": [{"job_cluster_key": "j", "new_cluster": SIZED}]},
    {"tasks": [{**TASK, "job_cluster_key": "j"}]},
    {"tasks": [inner(job_cluster_key="j")]},
]


@pytest.mark.parametrize("body", SHARED_CLUSTERS)
def test_a_submitted_run_has_no_shared_job_clusters(client: Client, body: dict[str, Any]) -> None:
    message = "Shared job cluster feature is not supported in runs/submit API."
    assert client.refused("runs/submit", **body) == (*INVALID, message)


@pytest.mark.parametrize("value", [5, "x", ["a"], {"a": 1}, [{"name": "a"}], ""])
@pytest.mark.parametrize(
    "name", ["name", "description", "tags", "max_concurrent_runs", "parameters", "schedule", "trigger", "triggers"]
)
def test_a_submitted_run_is_without_the_settings_of_a_job_whatever_they_are(
    client: Client, name: str, value: object
) -> None:
    run_id = client.submit({"task_key": "a", **VALID_TASKS["condition_task"]}, **{name: value})
    assert client.wait(run_id)["run_name"] == "Untitled"


def test_a_submitted_run_has_no_job_parameters(client: Client) -> None:
    condition = {"op": "EQUAL_TO", "left": "{{job.parameters.day}}", "right": "mon"}
    run = client.finish({"task_key": "a", "condition_task": condition}, parameters=[{"name": "day", "default": "mon"}])
    assert "job_parameters" not in run
    assert run["state"]["result_state"] == "FAILED"


@pytest.mark.parametrize("value", [5, ["a"], "x"])
def test_a_job_is_without_the_settings_of_a_submitted_run(client: Client, value: object) -> None:
    job_id = client.post("create", tasks=[TASK], run_name=value)["job_id"]
    assert "run_name" not in client.get("get", job_id=job_id)["settings"]


def test_a_task_of_a_job_names_the_job_cluster_that_is_not_there(client: Client) -> None:
    for task in ({**TASK, "job_cluster_key": "j"}, inner(job_cluster_key="j")):
        message = "Job cluster 'j' is not defined in field 'job_clusters'."
        assert client.refused("create", tasks=[task]) == (*INVALID, message)


MAPS = [
    (
        {
            **TASK,
            "new_cluster": {**SIZED, "spark_conf": {"spark.sql.shuffle.partitions": 64, "spark.speculation": True}},
        },
        "new_cluster.spark_conf",
    ),
    ({**TASK, "new_cluster": {**SIZED, "custom_tags": {"a": 1.5}}}, "new_cluster.custom_tags"),
    ({**TASK, "new_cluster": {**SIZED, "spark_env_vars": {"A": 1}}}, "new_cluster.spark_env_vars"),
    (
        {"task_key": "a", "notebook_task": {**N, "base_parameters": {"a": 1, "b": False}}},
        "notebook_task.base_parameters",
    ),
    (of_type("sql_task", parameters={"a": 1}), "sql_task.parameters"),
    (of_type("run_job_task", python_params=None, job_parameters={"a": 1}), "run_job_task.job_parameters"),
    (inner(notebook_task={**N, "base_parameters": {"a": -1}}), "for_each_task.task.notebook_task.base_parameters"),
]


@pytest.mark.parametrize(("task", "place"), MAPS, ids=[place for _, place in MAPS])
def test_a_map_of_texts_keeps_numbers_and_truth_values_as_text(
    client: Client, task: dict[str, Any], place: str
) -> None:
    job_id = client.post("create", tasks=[task], tags={"a": 1})["job_id"]
    settings = client.get("get", job_id=job_id)["settings"]
    given, read = task, settings["tasks"][0]
    for key in place.split("."):
        given, read = given[key], read[key]
    assert read == {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    assert settings["tags"] == {"a": "1"}


@pytest.mark.parametrize("task_type", ["spark_python_task", "python_wheel_task", "dbt_task"])
def test_a_python_or_dbt_task_on_serverless_compute_needs_an_environment(client: Client, task_type: str) -> None:
    serverless = of_type(task_type) | {"existing_cluster_id": None}
    for endpoint in ("runs/submit", "create"):
        assert client.refused(endpoint, tasks=[serverless]) == (*INVALID, NO_ENVIRONMENT)
    in_environment = {**serverless, "environment_key": "e"}
    client.post("create", tasks=[in_environment], environments=[{"environment_key": "e", "spec": {"client": "1"}}])


def test_a_map_of_texts_has_no_lists_in_it(client: Client) -> None:
    status, code, message = client.refused("create", tasks=[TASK], tags={"a": [1]})
    assert (status, code) == (400, "MALFORMED_REQUEST")
    assert "Expected string for field tags.a, found ARRAY" in message


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


class TestFilesThatAreNotHere:
    @pytest.mark.parametrize(
        ("task", "body", "told"),
        [
            (of_type("spark_python_task", python_file="dbfs:/f.py"), {}, "The file dbfs:/f.py is not in the workspace"),
            (
                of_type("spark_python_task", python_file="s3://b/f.py"),
                {},
                "The file s3://b/f.py is not in the workspace",
            ),
            (of_type("spark_python_task", source="GIT"), {"git_source": GIT}, "The file /f.py is in a Git repository"),
            (of_type("notebook_task", source="GIT"), {"git_source": GIT}, "The file /n is in a Git repository"),
            (TASK, {"git_source": GIT}, "The file /n is in a Git repository"),
        ],
    )
    def test_their_tasks_are_taken_and_fail_by_name(
        self, client: Client, task: dict[str, Any], body: dict[str, Any], told: str
    ) -> None:
        client.post("create", tasks=[task], **body)
        run = client.finish(task, **body)
        assert told in client.output(run, "a")["error"]

    def test_but_a_simulated_task_needs_no_file(self, client: Client) -> None:
        task = of_type("spark_python_task", python_file="dbfs:/f.py")
        assert client.finish({**task, "local_course": {}})["state"]["result_state"] == "SUCCESS"
