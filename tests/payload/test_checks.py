"""The checks of a request body: one case a rule, and what must pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs._payload.checks import check_run_now, check_submit_run
from prefect_databricks_runs._payload.looks import UNREADABLE

NOTEBOOK = {"notebook_task": {"notebook_path": "/n"}}
CLUSTER = {"existing_cluster_id": "c"}
GIT = {"git_url": "u", "git_provider": "gitHub"}


def task(key: str = "a", **fields: Any) -> dict[str, Any]:
    return {"task_key": key, **NOTEBOOK, **fields}


def of(kind: str, body: Any, **fields: Any) -> dict[str, Any]:
    """A payload whose one task has one task object."""
    return {"tasks": [{"task_key": "a", kind: body, **fields}]}


def nested(body: dict[str, Any]) -> dict[str, Any]:
    return of("for_each_task", {"inputs": "[]", "task": body})


def waits_for(*keys: str) -> dict[str, Any]:
    return {"depends_on": [{"task_key": key} for key in keys]}


SUBMIT_FAULTS = {
    "no tasks": ({}, ["tasks: there is no task"]),
    "empty tasks": ({"tasks": []}, ["tasks: there is no task"]),
    "tasks no list": ({"tasks": {}}, ["tasks: must be a list, not an object"]),
    "task no object": ({"tasks": ["a"]}, ["tasks[0]: must be an object, not a string"]),
    "no task_key": ({"tasks": [NOTEBOOK]}, ["tasks[0].task_key: is missing"]),
    "task_key with space": ({"tasks": [task("a b")]}, ["tasks[0].task_key: 'a b' is not a task key"]),
    "task_key not ASCII": ({"tasks": [task("ä")]}, ["tasks[0].task_key: 'ä'"]),
    "task_key empty": ({"tasks": [task("")]}, ["tasks[0].task_key: ''"]),
    "task_key with newline": ({"tasks": [task("a\n")]}, ["tasks[0].task_key"]),
    "task_key too long": ({"tasks": [task("a" * 101)]}, ["tasks[0].task_key"]),
    "task_key twice": ({"tasks": [task(), task("b"), task()]}, ["tasks[2].task_key: 'a' is also the key of tasks[0]"]),
    "no task object": ({"tasks": [{"task_key": "a"}]}, ["tasks[0]: has no task object"]),
    "two task objects": (
        {"tasks": [task(sql_task={"warehouse_id": "w", "query": {"query_id": "q"}})]},
        ["tasks[0]: notebook_task and sql_task exclude each other"],
    ),
    "task object no object": (of("notebook_task", "/n"), ["tasks[0].notebook_task: must be an object, not a string"]),
    "depends_on unknown": (
        {"tasks": [task(**waits_for("b"))]},
        ["tasks[0].depends_on[0]: there is no task 'b'"],
    ),
    "depends_on itself": ({"tasks": [task(**waits_for("a"))]}, ["task 'a' depends on itself"]),
    "depends_on texts": ({"tasks": [task(), task("b", depends_on=["a"])]}, ["tasks[1].depends_on[0]: names no task"]),
    "depends_on no list": ({"tasks": [task(depends_on={"task_key": "b"})]}, ["tasks[0].depends_on: must be a list"]),
    "circle of two": (
        {"tasks": [task("a", **waits_for("b")), task("b", **waits_for("a"))]},
        ["tasks: these wait for each other, "],
    ),
    "two circles": (
        {
            "tasks": [
                *(task(a, **waits_for(b)) for a, b in ("ab", "bc", "ca", "xy", "yx")),
                task("fine", **waits_for("a", "x")),
            ]
        },
        ["these wait for each other", "these wait for each other"],
    ),
    "two computes": (
        {"tasks": [task(**CLUSTER, new_cluster={})]},
        ["tasks[0]: existing_cluster_id and new_cluster exclude each other"],
    ),
    "jar without compute": (of("spark_jar_task", {}), ["a spark_jar_task needs compute"]),
    "python without compute": (of("spark_python_task", {"python_file": "f"}), ["a spark_python_task needs compute"]),
    "submit without compute": (of("spark_submit_task", {}), ["a spark_submit_task needs compute"]),
    "wheel without compute": (
        of("python_wheel_task", {"package_name": "p", "entry_point": "e"}),
        ["a python_wheel_task needs compute"],
    ),
    "environment not defined": ({"tasks": [task(environment_key="e")]}, ["environment_key: 'e' is not defined"]),
    "other environment": (
        {"tasks": [task(environment_key="e")], "environments": [{"environment_key": "f"}]},
        ["environment_key: 'e' is not defined"],
    ),
    "task timeout": ({"tasks": [task(timeout_seconds=-1)]}, ["tasks[0].timeout_seconds: -1 is negative"]),
    "run timeout": ({"tasks": [task()], "timeout_seconds": -1}, ["timeout_seconds: -1 is negative"]),
    "notebook_path": (of("notebook_task", {}), ["tasks[0].notebook_task.notebook_path: is missing"]),
    "notebook_path empty": (of("notebook_task", {"notebook_path": ""}), ["notebook_path: is missing"]),
    "python_file": (of("spark_python_task", {}, **CLUSTER), ["python_file: is missing"]),
    "wheel fields": (of("python_wheel_task", {}, **CLUSTER), ["package_name: is missing", "entry_point: is missing"]),
    "wheel parameters": (
        of(
            "python_wheel_task",
            {"package_name": "p", "entry_point": "e", "parameters": ["x"], "named_parameters": {"y": "z"}},
            **CLUSTER,
        ),
        ["tasks[0].python_wheel_task: parameters and named_parameters exclude each other"],
    ),
    "pipeline_id": (of("pipeline_task", {}), ["pipeline_id: is missing"]),
    "dbt commands": (of("dbt_task", {"commands": []}, **CLUSTER), ["commands: is missing"]),
    "run_job job_id": (of("run_job_task", {}), ["job_id: is missing"]),
    "run_job params": (
        of("run_job_task", {"job_id": 1, "notebook_params": {"a": "b"}, "jar_params": ["c"], "python_params": ["é"]}),
        [
            "tasks[0].run_job_task: notebook_params and jar_params exclude each other",
            "python_params[0]: has characters",
        ],
    ),
    "condition": (of("condition_task", {}), ["op: is missing", "left: is missing", "right: is missing"]),
    "clean room": (of("clean_rooms_notebook_task", {}), ["clean_room_name: is missing", "notebook_name: is missing"]),
    "sql": (of("sql_task", {}), ["warehouse_id: is missing", "tasks[0].sql_task: does not say what to run"]),
    "sql query": (of("sql_task", {"warehouse_id": "w", "query": {}}), ["sql_task.query.query_id: is missing"]),
    "sql file": (of("sql_task", {"warehouse_id": "w", "file": {}}), ["sql_task.file.path: is missing"]),
    "sql parameters": (
        of("sql_task", {"warehouse_id": "w", "file": {"path": "p"}, "parameters": ["x"]}),
        ["sql_task.parameters: must be an object, not a list"],
    ),
    "jar parameters": (of("spark_jar_task", {"parameters": {}}, **CLUSTER), ["parameters: must be a list"]),
    "for_each": (of("for_each_task", {}), ["inputs: is missing", "task: is missing"]),
    "for_each task": (
        nested({"task_key": "b c", "spark_jar_task": {}, "environment_key": "e"}),
        ["for_each_task.task.task_key: 'b c'", "for_each_task.task.environment_key: 'e'"],
    ),
    "base_parameters too long": (
        of("notebook_task", {"notebook_path": "/n", "base_parameters": {"a": "x" * 1_048_576}}),
        ["base_parameters: has 1,048,604 bytes"],
    ),
    "base_parameters no map": (
        of("notebook_task", {"notebook_path": "/n", "base_parameters": ["x"]}),
        ["base_parameters: must be an object, not a list"],
    ),
    "run_name": ({"tasks": [task()], "run_name": "é" * 2049}, ["run_name: has 4098 bytes"]),
    "git": (
        {"tasks": [task()], "git_source": {**GIT, "git_branch": "main", "git_tag": "v1", "git_commit": "c"}},
        ["git_source: git_branch, git_tag and git_commit exclude each other"],
    ),
    "run_as none": ({"tasks": [task()], "run_as": {}}, ["run_as: has 0 keys"]),
    "run_as two": ({"tasks": [task()], "run_as": {"user_name": "a", "group_name": "b"}}, ["run_as: has 2 keys"]),
    "token empty": ({"tasks": [task()], "idempotency_token": ""}, ["idempotency_token: has 0 characters"]),
    "token too long": ({"tasks": [task()], "idempotency_token": "x" * 65}, ["idempotency_token: has 65 characters"]),
    "no duration_target": (
        {"tasks": [task()], "performance_target": "COST_OPTIMIZED"},
        ["duration_target: is missing"],
    ),
    "job clusters": (
        {"tasks": [task(job_cluster_key="a")], "job_clusters": [{"job_cluster_key": "a", "new_cluster": {}}]},
        ["job_clusters: a shared job cluster needs a saved job", "tasks[0].job_cluster_key: a shared job cluster"],
    ),
    "job cluster of a JAR": (
        of("spark_jar_task", {}, job_cluster_key="a"),
        ["tasks[0].job_cluster_key: a shared job cluster needs a saved job"],
    ),
    "nested job cluster": (
        nested({"task_key": "b", **NOTEBOOK, "job_cluster_key": "a"}),
        ["tasks[0].for_each_task.task.job_cluster_key: a shared job cluster needs a saved job"],
    ),
    "job parameters that a task refers to": (
        {
            "tasks": [
                {**task(), "notebook_task": {"notebook_path": "/n", "base_parameters": {"d": "{{ job.parameters.d }}"}}}
            ],
            "parameters": [{"name": "d", "default": "1"}],
        },
        ["parameters: a submitted run has no job parameters, so {{ job.parameters.d }} has no value"],
    ),
    "too many tasks": ({"tasks": [task(f"t{index}") for index in range(1_001)]}, ["tasks: there are 1,001"]),
    "for_each in for_each": (
        nested({"task_key": "b", "for_each_task": {"inputs": "[]", "task": {"task_key": "c", **NOTEBOOK}}}),
        ["tasks[0].for_each_task.task.for_each_task: is inside another one"],
    ),
    "environment twice": (
        {"tasks": [task()], "environments": [{"environment_key": "e"}, {"environment_key": "e"}]},
        ["environments[1].environment_key: 'e' is also the key of environments[0]"],
    ),
    "git_source without its place": (
        {"tasks": [task()], "git_source": {"git_branch": "main"}},
        ["git_source.git_url: is missing", "git_source.git_provider: is missing"],
    ),
    "relative notebook": (of("notebook_task", {"notebook_path": "n"}), ["notebook_path: 'n' is relative"]),
    "relative notebook, said to be of the workspace": (
        {
            **of("notebook_task", {"notebook_path": "n", "source": "WORKSPACE"}),
            "git_source": GIT,
        },
        ["notebook_path: 'n' is relative"],
    ),
    "of Git without a repository": (
        of("notebook_task", {"notebook_path": "n", "source": "GIT"}),
        ["tasks[0].notebook_task.source: is GIT, but there is no repository"],
    ),
    "dbt without compute": (
        of("dbt_task", {"commands": ["dbt run"], "warehouse_id": "w"}),
        ["a dbt_task needs compute; set one of existing_cluster_id, new_cluster or environment_key"],
    ),
    "several": ({"run_as": {}, "timeout_seconds": -1}, ["timeout_seconds", "run_as", "tasks"]),
}

RUN_NOW_FAULTS = {
    "no job_id": ({}, ["job_id: is missing"]),
    "notebook and jar": (
        {"job_id": 1, "notebook_params": {"a": "b"}, "jar_params": ["c"]},
        ["notebook_params and jar_params exclude each other"],
    ),
    **{
        f"job_parameters and {key}": (
            {"job_id": 1, "job_parameters": {"a": "b"}, key: value},
            [f"job_parameters: cannot be combined with {key};"],
        )
        for key, value in {
            "notebook_params": {"a": "b"},
            "jar_params": ["x"],
            "python_params": ["x"],
            "spark_submit_params": ["x"],
            "python_named_params": {"a": "b"},
            "dbt_commands": ["dbt run"],
        }.items()
    },
    # {"notebook_params":{"a":"…"}} is 28 bytes around its value
    "notebook_params too long": (
        {"job_id": 1, "notebook_params": {"a": "x" * 9_973}},
        ["notebook_params: has 10,001 bytes as JSON, over the limit of 10,000"],
    ),
    "bytes, not characters": ({"job_id": 1, "notebook_params": {"a": "é" * 4_987}}, ["has 10,002 bytes"]),
    "jar_params too long": ({"job_id": 1, "jar_params": ["x" * 10_000]}, ["jar_params: has 10,"]),
    "python_params too long": ({"job_id": 1, "python_params": ["x" * 10_000]}, ["python_params: has 10,"]),
    "spark_submit_params too long": ({"job_id": 1, "spark_submit_params": ["x" * 10_000]}, ["has 10,"]),
    "python_params not ASCII": (
        {"job_id": 1, "python_params": ["a", "日"]},
        ["python_params[1]: has characters outside ASCII"],
    ),
    "spark_submit_params not ASCII": ({"job_id": 1, "spark_submit_params": ["é"]}, ["spark_submit_params[0]"]),
    "list given as text": ({"job_id": 1, "python_params": "a"}, ["python_params: must be a list, not a string"]),
    "map given as list": ({"job_id": 1, "job_parameters": ["a"]}, ["job_parameters: must be an object, not a list"]),
    "only": ({"job_id": 1, "only": "a"}, ["only: must be a list, not a string"]),
    "token": ({"job_id": 1, "idempotency_token": "x" * 65}, ["idempotency_token"]),
    "no duration_target": ({"job_id": 1, "performance_target": "COST_OPTIMIZED"}, ["duration_target: is missing"]),
}

GOOD_SUBMITS = {
    "serverless notebook": {"tasks": [task()]},
    "empty task object": of("spark_submit_task", {}, **CLUSTER),
    "new cluster without fields": of("spark_jar_task", {}, new_cluster={}),
    "values of the future": {"tasks": [task(run_if="SOMETIMES")], "performance_target": "GREEN"},
    "empty settings of a job": {"tasks": [task(job_cluster_key="")], "job_clusters": [], "parameters": []},
    "job parameters that no task refers to": {"tasks": [task()], "parameters": [{"name": "d", "default": "1"}]},
    "relative notebook of Git": {**of("notebook_task", {"notebook_path": "n"}), "git_source": {**GIT, "git_tag": "v"}},
    "notebook of a reference": of("notebook_task", {"notebook_path": "{{tasks.a.values.b}}"}),
    "notebook of a source of the future": of("notebook_task", {"notebook_path": "n", "source": "LAKE"}),
    "dbt in an environment": {
        **of("dbt_task", {"commands": ["dbt run"]}, environment_key="e"),
        "environments": [{"environment_key": "e"}],
    },
    "environment": {
        **of("spark_python_task", {"python_file": "f"}, environment_key="e"),
        "environments": [{"environment_key": "e"}],
    },
    "task object of the future": of("quantum_task", {"qubits": 3}),
    "sql of the future": of("sql_task", {"warehouse_id": "w", "metric": {}}),
    "fields of the future": {"tasks": [task(colour="red")], "mood": ["good"]},
    "condition on an empty text": of("condition_task", {"op": "EQUAL_TO", "left": "", "right": "{{job.id}}"}),
    "outcome": {"tasks": [task(), task("b", depends_on=[{"task_key": "a", "outcome": "true"}])]},
    "diamond": {
        "tasks": [task("d", **waits_for("b", "c")), task("b", **waits_for("a")), task("c", **waits_for("a")), task("a")]
    },
    "nested task needs no key": nested(NOTEBOOK),
    "numbers as texts": {"tasks": [task(timeout_seconds="60", max_retries="-1")], "timeout_seconds": "60"},
    "limits met": {
        "tasks": [task("a" * 100)],
        "run_name": "é" * 2048,
        "idempotency_token": "x" * 64,
        "timeout_seconds": 0,
        "performance_target": "COST_OPTIMIZED",
        "duration_target": "4h",
        "git_source": {"git_url": "u", "git_provider": "gitHub", "git_branch": "main", "git_tag": ""},
        "run_as": {"group_name": "g"},
    },
    "empty texts": {
        "tasks": [task(environment_key="", existing_cluster_id="", job_cluster_key="", description="")],
        "run_name": "",
        "run_as": {"service_principal_name": "s", "user_name": ""},
    },
    "wheel with an empty list": of(
        "python_wheel_task",
        {"package_name": "p", "entry_point": "e", "parameters": [], "named_parameters": {"a": "b"}},
        **CLUSTER,
    ),
    "a thousand in a row": {
        "tasks": [task("t0"), *(task(f"t{index}", **waits_for(f"t{index - 1}")) for index in range(1, 1000))]
    },
    "told before": {"tasks": UNREADABLE, "run_as": UNREADABLE, "environments": UNREADABLE},
    "told before, below": {
        "tasks": [
            UNREADABLE,
            {"task_key": UNREADABLE, "notebook_task": UNREADABLE},
            {"task_key": "a", "notebook_task": {"notebook_path": UNREADABLE}, "depends_on": [UNREADABLE]},
            task("b", depends_on=[{"task_key": UNREADABLE}, {"task_key": "maybe"}]),
        ]
    },
}

GOOD_RUNS_NOW = {
    "job_id": {"job_id": 1},
    "all kinds": {
        "job_id": 1,
        "notebook_params": {"a": "x" * 9_972},
        "python_params": ["a"],
        "sql_params": {"a": "b"},
        "only": ["+a"],
        "queue": {"enabled": False},
    },
    "empty is not given": {"job_id": 1, "job_parameters": {"a": "b"}, "notebook_params": {}, "jar_params": []},
    "not known to exclude each other": {"job_id": 1, "job_parameters": {"a": "b"}, "sql_params": {"c": "d"}},
}


def assert_faults(faults: list[str], expected: list[str]) -> None:
    assert len(faults) == len(expected), faults
    for fault, part in zip(faults, expected, strict=True):
        assert part in fault
        assert fault.endswith(".")


@pytest.mark.parametrize(("payload", "expected"), SUBMIT_FAULTS.values(), ids=SUBMIT_FAULTS)
def test_faults_of_submit_run(payload: dict[str, Any], expected: list[str]) -> None:
    assert_faults(check_submit_run(payload), expected)


@pytest.mark.parametrize(("payload", "expected"), RUN_NOW_FAULTS.values(), ids=RUN_NOW_FAULTS)
def test_faults_of_run_now(payload: dict[str, Any], expected: list[str]) -> None:
    assert_faults(check_run_now(payload), expected)


@pytest.mark.parametrize("payload", GOOD_SUBMITS.values(), ids=GOOD_SUBMITS)
def test_good_submit_runs(payload: dict[str, Any]) -> None:
    assert check_submit_run(payload) == []


@pytest.mark.parametrize("payload", GOOD_RUNS_NOW.values(), ids=GOOD_RUNS_NOW)
def test_good_run_nows(payload: dict[str, Any]) -> None:
    assert check_run_now(payload) == []


def test_a_circle_is_named() -> None:
    payload = {"tasks": [task("a", **waits_for("b")), task("b", **waits_for("c")), task("c", **waits_for("a"))]}
    (fault,) = check_submit_run(payload)
    circle = fault.split(", ")[1].split(";")[0].split(" → ")
    assert circle[0] == circle[-1]
    assert sorted(circle[1:]) == ["a", "b", "c"]


def test_values_are_not_shown() -> None:
    payload = {"job_id": 1, "python_params": ["pässword"], "notebook_params": {"token": "dapi123" * 2000}}
    faults = " ".join(check_run_now(payload))
    assert "pässword" not in faults
    assert "dapi123" not in faults


# What a body may hold by mistake: any JSON value below the names that the checks look for.
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(UNREADABLE)
NAMES = st.sampled_from(
    """
    tasks task_key depends_on notebook_task spark_jar_task sql_task for_each_task task run_job_task environments run_if
    environment_key environment_variables run_as git_source run_name timeout_seconds python_params jar_params job_id
    notebook_params job_parameters base_parameters parameters query existing_cluster_id
    """.split()  # noqa: SIM905  -- as a literal it takes a line a name
)
ODD = st.recursive(
    SCALARS, lambda odd: st.lists(odd, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), odd, max_size=5)
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(NAMES, ODD, max_size=6))
def test_odd_shapes_never_raise(payload: dict[str, Any]) -> None:
    assert all(isinstance(fault, str) for fault in (*check_submit_run(payload), *check_run_now(payload)))
