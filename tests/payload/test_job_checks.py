"""The checks of a job's settings: what a saved job has and a submitted run has not."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs._payload.hints import hints_of
from prefect_databricks_runs._payload.job_checks import check_job
from prefect_databricks_runs._payload.looks import UNREADABLE
from prefect_databricks_runs.local.bodies.bodies import CREATE
from prefect_databricks_runs.local.bodies.checks import check_settings
from prefect_databricks_runs.local.bodies.schema import read
from prefect_databricks_runs.local.web.errors import ApiError
from tests.local import test_checks
from tests.payload.test_contract import cases

CRON = {"quartz_cron_expression": "0 30 6 * * ?", "timezone_id": "UTC"}
CLUSTERS = [{"job_cluster_key": "small", "new_cluster": {"spark_version": "15.4.x-scala2.12", "num_workers": 1}}]


def task(key: str = "a", **fields: Any) -> dict[str, Any]:
    return {"task_key": key, "notebook_task": {"notebook_path": "/n"}, **fields}


def job(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"name": "nightly", "tasks": list(tasks) or [task()], **fields}


VALID = {
    "job cluster": job(task(job_cluster_key="small"), job_clusters=CLUSTERS),
    "job cluster of a for-each": job(
        {
            "task_key": "each",
            "for_each_task": {"inputs": "[1]", "task": task("inner", job_cluster_key="small")},
        },
        job_clusters=CLUSTERS,
    ),
    "parameters": job(
        task(notebook_task={"notebook_path": "/n", "base_parameters": {"d": "{{job.parameters.day}}"}}),
        parameters=[{"name": "day", "default": ""}],
    ),
    "schedule": job(schedule={**CRON, "pause_status": "PAUSED"}),
    "schedule with a year": job(schedule={**CRON, "quartz_cron_expression": "0 0 6 ? * MON-FRI 2027"}),
    "trigger": job(trigger={"pause_status": "PAUSED", "periodic": {"interval": 1, "unit": "DAYS"}}),
    "continuous": job(continuous={"pause_status": "UNPAUSED", "task_retry_mode": "ON_FAILURE"}),
    "triggers": job(triggers=[{"schedule": CRON}, {"periodic": {"interval": 1, "unit": "DAYS"}}]),
    "a task of its own for_each with retries": job(task(max_retries=-1, depends_on=[])),
    "what is not known": job(task(job_cluster_key=UNREADABLE), task("b", job_cluster_key="x"), job_clusters=UNREADABLE),
    "clusters of which one is not known": job(
        task(job_cluster_key="x"), job_clusters=[{"job_cluster_key": UNREADABLE, "new_cluster": UNREADABLE}]
    ),
    "compute of which one is not known": job(task(existing_cluster_id=UNREADABLE, new_cluster={"num_workers": 1})),
    "parameters that are not known": job(
        task(notebook_task={"notebook_path": "/n", "base_parameters": {"d": "{{job.parameters.day}}"}}),
        parameters=UNREADABLE,
    ),
}

FAULTS = {
    "unknown job cluster": (
        job(task(job_cluster_key="big"), job_clusters=CLUSTERS),
        "tasks[0].job_cluster_key: Job cluster 'big' is not defined; define it in `job_clusters`.",
    ),
    "no job clusters": (job(task(job_cluster_key="big")), "Job cluster 'big' is not defined"),
    "unknown job cluster of a for-each": (
        job({"task_key": "e", "for_each_task": {"inputs": "[1]", "task": task("i", job_cluster_key="x")}}),
        "tasks[0].for_each_task.task.job_cluster_key: Job cluster 'x' is not defined",
    ),
    "job cluster twice": (
        job(job_clusters=CLUSTERS * 2),
        "job_clusters[1].job_cluster_key: 'small' is also the key of job_clusters[0]",
    ),
    "job cluster key": (
        job(job_clusters=[{**CLUSTERS[0], "job_cluster_key": "a b"}]),
        "job_clusters[0].job_cluster_key: 'a b' is not a key",
    ),
    "two computes": (
        job(task(job_cluster_key="small", existing_cluster_id="c"), job_clusters=CLUSTERS),
        "tasks[0]: existing_cluster_id and job_cluster_key exclude each other",
    ),
    "no compute": (
        job({"task_key": "a", "spark_jar_task": {"main_class_name": "A"}}),
        "a spark_jar_task needs compute; set one of job_cluster_key, existing_cluster_id,",
    ),
    "unknown environment": (job(task(environment_key="e")), "tasks[0].environment_key: 'e' is not defined"),
    "environment twice": (job(environments=[{"environment_key": "e"}] * 2), "'e' is also the key of environments[0]"),
    "parameter name": (
        job(parameters=[{"name": "a b", "default": "1"}]),
        "parameters[0].name: 'a b' is not a parameter",
    ),
    "parameters as a map": (job(parameters={"a": "1"}), "parameters: must be a list, not an object"),
    "schedule as text": (job(schedule="0 0 6 * * ?"), "schedule: must be an object, not a string"),
    "cron of unix": (
        job(schedule={**CRON, "quartz_cron_expression": "30 6 * * *"}),
        "schedule.quartz_cron_expression: '30 6 * * *' has 5 fields",
    ),
    "cron of unix in triggers": (
        job(triggers=[{"schedule": {**CRON, "quartz_cron_expression": "30 6 * * *"}}]),
        "triggers[0].schedule.quartz_cron_expression: '30 6 * * *' has 5 fields",
    ),
    "schedule and continuous": (job(schedule=CRON, continuous={}), "schedule and continuous exclude each other"),
    "long name": (job(name="ä" * 2_049), "name: has 4098 bytes"),
    "run_as of two": (job(run_as={"user_name": "u", "group_name": "g"}), "run_as: has 2 keys"),
    "git": (job(git_source={"git_url": "u"}), "git_source.git_provider: is missing"),
    "negative timeout": (job(timeout_seconds=-1), "timeout_seconds: -1 is negative"),
    "cost": (job(performance_target="COST_OPTIMIZED"), "duration_target: is missing"),
    "depends on unknown": (job(task(depends_on=[{"task_key": "b"}])), "there is no task 'b'"),
    "too many tasks": (job(*(task(f"t{n}") for n in range(1_001))), "split them into several jobs"),
}

WARNINGS = {
    "no tasks": ({"name": "n", "tasks": []}, "missing `tasks`"),
    "run_name": (job(run_name="n"), "unknown key `run_name`; did you mean `name`?"),
    "idempotency_token": (job(idempotency_token="t"), "`idempotency_token`"),
    "unknown parameter": (
        job(task(notebook_task={"notebook_path": "/n", "base_parameters": {"d": "x {{ job.parameters.dya }}"}})),
        "unknown job parameter 'dya'",
    ),
    "parameter twice": (job(parameters=[{"name": "a", "default": "1"}] * 2), "parameter 'a' twice"),
    "parameter without default": (job(parameters=[{"name": "a"}]), "parameters[0]: missing key `default`"),
    "schedule and trigger": (job(schedule=CRON, trigger={}), "`schedule` beside `trigger`"),
    "two triggers": (job(trigger={"model": {}, "periodic": {}}), "`model` beside `periodic` in `trigger`"),
    "too many at once": (job(max_concurrent_runs=1_001), "`max_concurrent_runs` of 1001"),
    "tags": (job(tags={str(n): "" for n in range(26)}), "`tags` with 26 entries"),
    "schedule without zone": (job(schedule={"quartz_cron_expression": "0 0 6 * * ?"}), "missing key `timezone_id`"),
    "for-each that depends": (
        job({"task_key": "e", "for_each_task": {"inputs": "[1]", "task": task("i", depends_on=[{"task_key": "e"}])}}),
        "tasks[0].for_each_task.task: `depends_on`",
    ),
    "outcome of a notebook": (
        job(task(), task("b", depends_on=[{"task_key": "a", "outcome": "true"}])),
        "`outcome` of task 'a'",
    ),
}


def said(body: dict[str, Any]) -> list[str]:
    return [each.as_fault() for each in hints_of(body, "jobs/create")]


@pytest.mark.parametrize("body", VALID.values(), ids=VALID)
def test_a_valid_job_has_neither_a_fault_nor_a_warning(body: dict[str, Any]) -> None:
    assert (check_job(body), said(body)) == ([], [])


@pytest.mark.parametrize(("body", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_job_is_named_once_with_its_place(body: dict[str, Any], fault: str) -> None:
    found = check_job(body)
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize(("body", "warning"), WARNINGS.values(), ids=WARNINGS)
def test_what_the_shape_of_a_job_does_not_have_is_a_warning(body: dict[str, Any], warning: str) -> None:
    assert check_job(body) == []
    assert [each for each in said(body) if warning in each] != []


JOBS_REFUSED = cases(test_checks.test_a_broken_rule_of_a_job_is_named)


@pytest.mark.parametrize(("fields", "told"), JOBS_REFUSED, ids=[each[1] for each in JOBS_REFUSED])
def test_what_the_local_workspace_refuses_of_a_job_is_named(fields: dict[str, Any], told: str) -> None:
    body = {"tasks": [test_checks.TASK], **fields}
    assert check_job(body) + said(body) != []


@pytest.mark.parametrize("body", [each for key, each in VALID.items() if "not known" not in key])
def test_a_valid_job_is_taken_by_the_local_workspace_but_for_what_it_does_not_serve(body: dict[str, Any]) -> None:
    try:
        check_settings(read(body, CREATE))
    except ApiError as error:
        assert error.status == 501  # noqa: PT017 - most are taken
