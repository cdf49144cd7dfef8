"""Jobs are applied and run in real flows, against the real local workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow
from prefect.flows import EntrypointType

from prefect_databricks_runs import (
    InvalidPayload,
    Job,
    JobProtected,
    aapply_job,
    apply_job,
    submit_run_and_wait,
)
from prefect_databricks_runs._jobs import schedules
from prefect_databricks_runs._jobs.schedules import warn_of_two_schedules
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs._prefect.logging import run_logger
from prefect_databricks_runs.local import LocalWorkspace
from tests.jobs.bodies import CLUSTER
from tests.support.prefect_api import PrefectApi

pytestmark = pytest.mark.usefixtures("prefect_server")


def written(retries: int = 0) -> Job:
    """A job with a shared cluster, a condition, and a for-each task."""
    job = Job("nightly", parameters={"day": "1"}, job_clusters={"shared": CLUSTER})
    collect = job.notebook("/collect", parameters={"day": job.parameter("day")}, max_retries=retries)
    many = job.condition("many", collect.value("rows"), ">", 2, after=collect)
    each = job.for_each("each", ["north", "south"], after=many.is_true)
    each.notebook("/report", parameters={"region": each.input})
    job.notebook("/report", key="none", parameters={"region": "none"}, after=many.is_false)
    return job


@pytest.fixture
def files(notebook: Callable[..., None]) -> None:
    notebook("/collect", "day = int(dbutils.widgets.get('day'))", "dbutils.jobs.taskValues.set('rows', day)")
    notebook("/report", "dbutils.notebook.exit(dbutils.widgets.get('region'))")


def writes(workspace: LocalWorkspace) -> list[str]:
    found = [each.path.rpartition("/jobs/")[2] for each in workspace.requests if each.method != "GET"]
    workspace.clear_requests()
    return found


@pytest.mark.usefixtures("files")
def test_a_job_with_a_shared_cluster_is_applied_and_run(databricks, workspace, run_log) -> None:
    @flow
    def parent(day: int) -> dict[str, Any]:
        run = written().run(databricks, job_parameters={"day": day}, polling_period_seconds=1.0)
        return {key: task.state.name for key, task in run.tasks.items()}

    assert parent(3)["each"] == "Success"
    assert writes(workspace) == ["create", "run-now"]
    assert "Created Databricks job" in run_log.text
    again = parent(1)
    assert (again["none"], again["each"]) == ("Success", "Excluded")
    assert writes(workspace) == ["run-now"]


@pytest.mark.usefixtures("files")
@pytest.mark.anyio
async def test_a_job_runs_in_an_async_flow_too(databricks, workspace) -> None:
    @flow
    async def parent() -> str:
        job_id = await aapply_job(databricks, written())
        run = await written(1).arun(databricks, polling_period_seconds=1.0)
        assert run.job_id == job_id
        return run.state.name

    assert await parent() == "Success"
    assert writes(workspace) == ["create", "reset", "run-now"]


@pytest.mark.usefixtures("files")
def test_a_job_with_nothing_to_save_is_submitted(databricks, workspace, prefect_api: PrefectApi) -> None:
    job = Job("once")
    job.notebook("/report", parameters={"region": "all"})

    @flow(name="submitted jobs")
    def parent() -> list[str]:
        runs = [job.run(databricks), submit_run_and_wait(databricks, json=job)]
        return [run.tasks["report"].output.result for run in runs]

    assert parent() == ["all", "all"]
    (flow_run,) = prefect_api.flow_runs_named("submitted jobs")
    for each in prefect_api.subflow_runs(flow_run["id"]):
        assert each["parameters"]["json"]["tasks"][0]["task_key"] == "report"
    assert [each.body["run_name"] for each in workspace.requests_to("POST */runs/submit")] == ["once", "once"]


def test_running_a_job_adopts_none(databricks, workspace) -> None:
    with databricks.get_client() as client:
        task = {"task_key": "t", "notebook_task": {"notebook_path": "/theirs"}}
        client.post("/api/2.2/jobs/create", json={"name": "nightly", "tasks": [task]}).raise_for_status()
    workspace.clear_requests()

    @flow
    def parent() -> None:
        written().run(databricks)

    with pytest.raises(JobProtected, match="not made by `apply_job`"):
        parent()
    assert writes(workspace) == []


def test_the_difference_is_in_the_log_and_on_the_page_of_the_flow_run(
    databricks, run_log, prefect_api: PrefectApi
) -> None:
    secret = {**CLUSTER, "spark_conf": {"fs.azure.account.key": "hunter2hunter2"}}

    @flow(name="shown difference")
    def parent() -> int:
        job_id = apply_job(databricks, written())
        job = written(2)
        job.notebook("/new", cluster=secret)
        assert apply_job(databricks, job) == apply_job(databricks, job) == job_id
        return job_id

    job_id = parent()
    portal.settle()
    assert (
        f"Updated Databricks job {job_id} 'nightly': 2 settings differed. {databricks.host}/jobs/{job_id}"
        in run_log.text
    )
    assert "  ~ tasks[collect].max_retries: 0 -> 2" in run_log.lines
    assert f"Databricks job {job_id} 'nightly' is up to date. {databricks.host}/jobs/{job_id}" in run_log.text
    (flow_run,) = prefect_api.flow_runs_named("shown difference")
    texts = [
        each["data"] for each in prefect_api.artifacts(flow_run["id"]) if each["key"] == f"databricks-job-{job_id}"
    ]
    assert any("| ~ | tasks\\[collect\\].max_retries | 0 | 2 |" in each for each in texts), texts
    assert all(f"{databricks.host}/jobs/{job_id}" in each for each in texts)
    assert "hunter2" not in run_log.text + "".join(texts)


def test_a_fault_is_one_error_and_nothing_is_sent(databricks, workspace) -> None:
    @flow
    def parent() -> None:
        apply_job(databricks, {"name": "nightly", "tasks": [{"task_key": "a"}]})

    with pytest.raises(InvalidPayload, match="has no task object"):
        parent()
    assert workspace.requests == ()


SCHEDULE = {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC"}


@flow(name="scheduled twice")
def scheduled(schedule: dict[str, Any]) -> None:
    portal.call(warn_of_two_schedules, {"schedule": schedule}, run_logger())


@pytest.mark.parametrize(
    ("of_job", "of_deployment", "warns"),
    [
        (SCHEDULE, {"cron": "0 3 * * *"}, True),
        ({**SCHEDULE, "pause_status": "PAUSED"}, {"cron": "0 3 * * *"}, False),
        (SCHEDULE, {}, False),
    ],
)
def test_a_schedule_in_the_job_beside_one_of_the_deployment_is_warned_of(
    of_job, of_deployment, warns, run_log, monkeypatch
) -> None:
    deployment_id = scheduled.to_deployment(
        "nightly", entrypoint_type=EntrypointType.MODULE_PATH, **of_deployment
    ).apply()
    contexts = schedules.run_contexts

    def of_a_deployment() -> Any:
        flows, tasks = contexts()
        flows[0].flow_run.deployment_id = deployment_id
        return flows, tasks

    monkeypatch.setattr(schedules, "run_contexts", of_a_deployment)
    scheduled(of_job)
    assert ("both start the job" in run_log.text) is warns


def test_without_credentials_nothing_is_tried() -> None:
    with pytest.raises(Exception, match="must be a DatabricksCredentials block"):
        apply_job.fn("prod", written())
