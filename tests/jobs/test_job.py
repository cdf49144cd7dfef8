"""A `Job` is the request that it says it is, and a fault in it is attributed to the user's own line."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest

from prefect_databricks_runs import InvalidJob, InvalidPayload, Job
from prefect_databricks_runs._payload.build import job_settings, submit_run_template
from prefect_databricks_runs._payload.hints import hints_of
from tests.jobs.bodies import CLUSTER


def tasks_of(job: Job) -> dict[str, dict[str, Any]]:
    return {each["task_key"]: each for each in job.as_dict()["tasks"]}


def test_a_job_is_the_body_of_jobs_create() -> None:
    job = Job("nightly", parameters={"day": 3, "full": True}, job_clusters={"shared": CLUSTER}, max_concurrent_runs=2)
    collect = job.notebook("/Shared/collect data", parameters={"day": job.parameter("day"), "n": 3})
    enough = job.condition("enough", collect.value("rows"), ">", 0, after=collect)
    each = job.for_each("each", [1, {"a": 2}], after=enough.is_true, concurrency=2)
    each.notebook("/Shared/one", parameters={"one": each.input, "a": each.input_of("a")})
    job.notebook("/Shared/none", after=enough.is_false)
    job.notebook("/Shared/report", after=[each, "none"], run_if="AT_LEAST_ONE_SUCCESS")
    notebook = {"notebook_path": "/Shared/one", "base_parameters": {"one": "{{input}}", "a": "{{input.a}}"}}
    assert job.as_dict() == {
        "name": "nightly",
        "max_concurrent_runs": 2,
        "parameters": [{"name": "day", "default": "3"}, {"name": "full", "default": "true"}],
        "job_clusters": [{"job_cluster_key": "shared", "new_cluster": CLUSTER}],
        "tasks": [
            {
                "task_key": "collect_data",
                "notebook_task": {
                    "notebook_path": "/Shared/collect data",
                    "base_parameters": {"day": "{{job.parameters.day}}", "n": "3"},
                },
                "job_cluster_key": "shared",
            },
            {
                "task_key": "enough",
                "depends_on": [{"task_key": "collect_data"}],
                "condition_task": {"op": "GREATER_THAN", "left": "{{tasks.collect_data.values.rows}}", "right": "0"},
            },
            {
                "task_key": "each",
                "depends_on": [{"task_key": "enough", "outcome": "true"}],
                "for_each_task": {
                    "inputs": '[1,{"a":2}]',
                    "concurrency": 2,
                    "task": {"task_key": "one", "notebook_task": notebook, "job_cluster_key": "shared"},
                },
            },
            {
                "task_key": "none",
                "depends_on": [{"task_key": "enough", "outcome": "false"}],
                "notebook_task": {"notebook_path": "/Shared/none"},
                "job_cluster_key": "shared",
            },
            {
                "task_key": "report",
                "depends_on": [{"task_key": "each"}, {"task_key": "none"}],
                "run_if": "AT_LEAST_ONE_SUCCESS",
                "notebook_task": {"notebook_path": "/Shared/report"},
                "job_cluster_key": "shared",
            },
        ],
    }
    assert json.loads(json.dumps(job.as_dict())) == job.as_dict()


def every_kind() -> Job:
    job = Job("kinds", environments={"main": ["pandas"]})
    job.notebook("/Shared/n", source="WORKSPACE")
    job.python("/Workspace/count.py", parameters=[1, "x"])
    job.wheel("reports", "main", parameters={"day": 1})
    job.wheel("reports", "main", key="again", parameters=[2])
    job.jar("com.example.Main", parameters=["x"])
    job.sql("daily", warehouse_id="w", query="q1", parameters={"n": 1})
    job.sql("file", warehouse_id="w", file={"path": "/x.sql", "source": "WORKSPACE"})
    job.dbt("models", ["dbt deps", "dbt run"], warehouse_id="w", project_directory="/Workspace/dbt")
    job.pipeline("refresh", "p1", full_refresh=True)
    job.run_job("other", 7, parameters={"day": 1})
    without_conf = {key: value for key, value in CLUSTER.items() if key != "spark_conf"}
    job.task("submit", spark_submit_task={"parameters": ["x"]}, new_cluster=without_conf)
    return job


def test_every_kind_of_task_is_known_to_the_api_and_has_no_fault() -> None:
    body = job_settings(every_kind())
    assert hints_of(body, "jobs/create") == []
    assert [next(key for key in task if key.endswith("_task")) for task in body["tasks"]] == [
        *("notebook_task", "spark_python_task", "python_wheel_task", "python_wheel_task", "spark_jar_task", "sql_task"),
        *("sql_task", "dbt_task", "pipeline_task", "run_job_task", "spark_submit_task"),
    ]
    assert [task["task_key"] for task in body["tasks"]][:5] == ["n", "count", "reports", "again", "Main"]


def test_a_task_without_compute_has_the_only_one_that_there_is() -> None:
    environment = {key for key, task in tasks_of(every_kind()).items() if task.get("environment_key") == "main"}
    assert environment == {"count", "reports", "again", "Main", "models"}
    job = Job("two", job_clusters={"a": CLUSTER, "b": CLUSTER})
    job.notebook("/n")
    job.notebook("/m", cluster="b")
    job.notebook("/own", cluster=CLUSTER)
    job.notebook("/old", existing_cluster_id="1")
    assert [task.get("job_cluster_key") for task in tasks_of(job).values()] == [None, "b", None, None]
    assert tasks_of(job)["own"]["new_cluster"] == CLUSTER


def test_defaults_hold_for_all_tasks_that_can_have_them() -> None:
    job = Job("defaults", job_clusters={"a": CLUSTER, "b": CLUSTER})
    job.notebook("/first")
    job.defaults(cluster="b", max_retries=2)
    job.defaults(timeout_seconds=60)
    job.notebook("/own", cluster="a", max_retries=0)
    job.condition("which", 1, "==", 1)
    job.for_each("each", [1]).notebook("/inner")
    job.sql("q", warehouse_id="w", query="q")
    tasks = tasks_of(job)
    assert {key: tasks["first"][key] for key in ("job_cluster_key", "max_retries", "timeout_seconds")} == {
        "job_cluster_key": "b",
        "max_retries": 2,
        "timeout_seconds": 60,
    }
    assert (tasks["own"]["job_cluster_key"], tasks["own"]["max_retries"]) == ("a", 0)
    assert set(tasks["which"]) == {"task_key", "condition_task"}
    assert set(tasks["each"]) == {"task_key", "for_each_task"}
    assert tasks["each"]["for_each_task"]["task"]["job_cluster_key"] == "b"
    assert ("job_cluster_key" in tasks["q"], tasks["q"]["max_retries"]) == (False, 2)


def nightly(**settings: Any) -> Job:
    job = Job("nightly", **settings)
    job.notebook("/Shared/nightly", key="main")
    return job


def elsewhere() -> Any:
    return Job("other").notebook("/Shared/foreign")


def cycle() -> None:
    job = Job("circle")
    job.notebook("/a", after="b")
    job.notebook("/b", after="a")
    job.as_dict()


FAULTS: list[tuple[str, Callable[[], Any], str]] = [
    ("key twice", lambda: nightly().notebook("/x/main"), "has a task 'main' already"),
    ("bad key", lambda: nightly().notebook("/x", key="a b"), "'a b' is not a task key"),
    ("no key", lambda: nightly().notebook("/"), "'' is not a task key"),
    ("unknown cluster", lambda: nightly(job_clusters={"shared": {}}).notebook("/x", cluster="sharde"), "mean 'shared'"),
    ("unknown environment", lambda: nightly().python("/x.py", environment="main"), "no environment 'main'"),
    ("unknown default", lambda: nightly().defaults(cluster="shared"), "no job cluster 'shared'"),
    ("both computes", lambda: nightly().notebook("/x", cluster={}, environment="m"), "set one of them"),
    ("after of another job", lambda: nightly().notebook("/x", after=elsewhere()), "'foreign' of another job, 'other'"),
    (
        "value of another job",
        lambda: nightly().notebook("/x", parameters={"a": [elsewhere().value("b")]}),
        "refers to the task 'foreign' of another job, 'other'",
    ),
    (
        "value of another job in a text",
        lambda: [
            job := nightly(),
            job.notebook("/x", parameters={"a": [f"{elsewhere().value('b')}/c"]}),
            job.as_dict(),
        ],
        "A value of the task 'x' refers to 'foreign', and the job 'nightly' does not have that task. It has: main, x.",
    ),
    ("after of nothing", lambda: nightly().notebook("/x", after=3), "not int"),
    (
        "unknown task",
        lambda: [job := nightly(), job.notebook("/x", after="mian"), job.as_dict()],
        "does not have that task",
    ),
    ("circle", cycle, "wait for each other: "),
    ("unknown parameter", lambda: nightly(parameters={"day": ""}).parameter("dya"), "Did you mean 'day'?"),
    ("unknown value", lambda: nightly(parameters={"day": ""}).run(None, job_parameters={"dya": 1}), "mean 'day'?"),
    ("operator", lambda: nightly().condition("c", 1, "=", 2), "'=' is not an operator"),
    ("operator of no text", lambda: nightly().condition("c", 1, ["="], 2), "is not an operator"),
    ("parameter twice", lambda: Job("x", parameters=[{"name": "a", "default": 1}] * 2), "'a' is defined twice"),
    ("parameters of no kind", lambda: Job("x", parameters=["a"]), "must be an object with `name` and `default`"),
    ("no SQL", lambda: nightly().sql("q", warehouse_id="w"), "0 were passed"),
    ("two of SQL", lambda: nightly().sql("q", warehouse_id="w", query="a", file="b"), "2 were passed"),
    ("empty for-each", lambda: [job := nightly(), job.for_each("e", [1]), job.as_dict()], "has nothing to do"),
    ("full for-each", lambda: nightly().for_each("e", [1]).notebook("/a").notebook("/b"), "has a task already, 'a'"),
    ("after inside", lambda: nightly().for_each("e", [1]).notebook("/a", after="main"), "into the for-each task"),
    ("no task", lambda: Job("empty").as_dict(), "has no task"),
    ("no name", lambda: Job(" "), "needs a name"),
    ("tasks", lambda: Job("x", tasks=[]), "added by its methods"),
    ("clusters", lambda: Job("x", job_clusters="shared"), "must be a dict"),
    ("clusters twice", lambda: Job("x", job_clusters=[{"job_cluster_key": "a"}] * 2), "defined twice"),
    ("depends_on", lambda: nightly().task("x", depends_on=[]), "made from `after`"),
    ("name of a value", lambda: nightly().notebook("/x").value("a}}"), "without braces"),
    ("submitted", lambda: nightly(parameters={"a": ""}).as_one_time_run(), "which only a saved job has"),
]


@pytest.mark.parametrize(("make", "message"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
def test_a_fault_names_the_line_of_the_user(make, message) -> None:
    with pytest.raises(InvalidJob, match=message) as caught:
        make()
    assert caught.value.file == __file__
    lines, first = inspect.getsourcelines(inspect.getmodule(make))
    assert 0 < caught.value.line <= len(lines) + first
    assert str(caught.value).startswith(f"{__file__}:{caught.value.line}: ")


def test_the_line_is_that_of_the_call_that_has_the_fault() -> None:
    job = Job("lines")
    job.notebook("/a", after="c")
    line = inspect.currentframe().f_lineno - 1
    job.notebook("/b")
    with pytest.raises(InvalidJob) as caught:
        job.as_dict()
    assert caught.value.line == line


def test_a_job_is_submitted_as_it_is() -> None:
    template = submit_run_template(nightly(), {})
    notebook = {"task_key": "main", "notebook_task": {"notebook_path": "/Shared/nightly"}}
    assert template.fill({}) == {"run_name": "nightly", "tasks": [notebook]}


@pytest.mark.parametrize("setting", [{"job_clusters": {"shared": CLUSTER}}, {"parameters": {"day": ""}}])
def test_what_only_a_saved_job_has_cannot_be_submitted(setting) -> None:
    with pytest.raises(InvalidJob, match=r"Start it with `job.run\(…\)`"):
        submit_run_template(nightly(**setting), {})


def test_placeholders_of_prefect_are_for_one_time_runs_only() -> None:
    job = Job("names")
    job.notebook("/n", parameters={"flow": "{{ prefect.flow_run.name }}"})
    assert submit_run_template(job, {}).placeholders == {"prefect.flow_run.name"}
    with pytest.raises(InvalidPayload, match="make it a parameter of the job"):
        job_settings(job)


def test_objects_of_the_sdk_are_taken_in_a_job() -> None:
    from databricks.sdk.service import compute, jobs

    cluster = compute.ClusterSpec(spark_version="16.4.x-scala2.12", num_workers=1)
    shared = jobs.JobCluster(job_cluster_key="shared", new_cluster=cluster)
    job = Job("sdk", job_clusters=[shared], parameters=[jobs.JobParameterDefinition(default="1", name="day")])
    job.notebook("/n", cluster="shared", libraries=[compute.Library(jar="/x.jar")])
    body = job.as_dict()
    assert body["job_clusters"] == [shared.as_dict()]
    assert body["parameters"] == [{"name": "day", "default": "1"}]
    assert body["tasks"][0]["libraries"] == [{"jar": "/x.jar"}]
