"""Every answer, for every type of task, fits the dataclasses of databricks-sdk with no key left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk.service import jobs

from prefect_databricks_runs.local.bodies.shapes import TASK_TYPES
from tests.local.client import Client
from tests.local.sdk_types import misfits
from tests.local.simulated import FAILED, simulated
from tests.local.valid_tasks import VALID_TASKS, N

DEPENDS = {"depends_on": [{"task_key": "main"}]}
# Settings of a job, with something of each kind.
SETTINGS: dict[str, Any] = {
    "name": "all",
    "description": "d",
    "tags": {"a": 1},
    "timeout_seconds": "60",
    "max_concurrent_runs": 5,
    "parameters": [{"name": "a", "default": "b"}, {"name": "c", "default": ""}],
    "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"},
    "job_clusters": [{"job_cluster_key": "j", "new_cluster": {"num_workers": 1, "spark_conf": {"a": True}}}],
    "environments": [{"environment_key": "e", "spec": {"client": "1", "dependencies": ["x"]}}],
    "email_notifications": {"on_failure": ["a@example.org"]},
    "webhook_notifications": {"on_start": [{"id": "w"}]},
    "notification_settings": {"no_alert_for_skipped_runs": "true"},
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": "5"}]},
    "git_source": {"git_url": "https://example.org/x", "git_provider": "gitHub", "git_tag": "v1"},
    "queue": {"enabled": True},
    "run_as": {"user_name": "u"},
    "edit_mode": "EDITABLE",
    "access_control_list": [{"group_name": "users", "permission_level": "CAN_VIEW"}],
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    course = {"logs": "l", "result": "r"}
    with simulated({"main": [{**course, **FAILED, "error_trace": "t"}, course], "inner": course}) as client:
        yield client


@pytest.fixture
def fits(client: Client) -> Callable[..., dict[str, Any]]:
    """Asks an endpoint, and holds its answer against a class."""

    def ask(kind: type, method: str, path: str, **fields: Any) -> dict[str, Any]:
        how = {"params": fields} if method == "GET" else {"json": fields}
        answer = client.answer(client.http.request(method, f"/api/{path}", **how))
        assert list(misfits(answer, kind)) == [], path
        return answer

    return ask


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_all_answers_of_a_job_and_its_run_fit(fits: Callable[..., Any], client: Client, task_type: str) -> None:
    tasks = [
        {"task_key": "main", "max_retries": 0, "run_if": "ALL_DONE", **VALID_TASKS[task_type]},
        {"task_key": "after", "notebook_task": N, "job_cluster_key": "j", **DEPENDS},
    ]
    job = fits(jobs.CreateResponse, "POST", "2.2/jobs/create", tasks=tasks, **SETTINGS)
    for version in ("2.0", "2.1", "2.2"):
        fits(jobs.Job, "GET", f"{version}/jobs/get", **job)
        fits(jobs.ListJobsResponse, "GET", f"{version}/jobs/list", limit=1, expand_tasks="true")
        fits(jobs.ListJobsResponse, "GET", f"{version}/jobs/list", limit=1)
    fits(jobs.JobPermissions, "GET", f"2.0/permissions/jobs/{job['job_id']}")
    grants = [{"user_name": "someone@localhost", "permission_level": "IS_OWNER"}]
    for method in ("PUT", "PATCH"):
        fits(jobs.JobPermissions, method, f"2.0/permissions/jobs/{job['job_id']}", access_control_list=grants)

    run_id = fits(jobs.RunNowResponse, "POST", "2.2/jobs/run-now", **job, job_parameters={"a": 5})["run_id"]
    submitted = {**tasks[0], "task_key": "alone"}
    fits(jobs.SubmitRunResponse, "POST", "2.2/jobs/runs/submit", tasks=[submitted], run_name="r")
    client.workspace.advance(1)
    for _ in range(2):
        run = all_of_the_run(fits, run_id)
        if run["state"]["result_state"] == "SUCCESS":
            break
        body = {"run_id": run_id, "rerun_all_failed_tasks": True}
        fits(jobs.RepairRunResponse, "POST", "2.2/jobs/runs/repair", **body)
        client.workspace.advance(1)
    assert run["state"]["result_state"] == "SUCCESS"
    for endpoint, body in (("runs/cancel", {"run_id": run_id}), ("runs/delete", {"run_id": run_id}), ("delete", job)):
        assert client.post(endpoint, **body) == {}


def all_of_the_run(fits: Callable[..., Any], run_id: int) -> dict[str, Any]:
    asked = {"include_history": "true", "include_resolved_values": "true"}
    run: dict[str, Any] = fits(jobs.Run, "GET", "2.2/jobs/runs/get", run_id=run_id, **asked)
    fits(jobs.Run, "GET", "2.1/jobs/runs/get", run_id=run_id)
    for expand_tasks in ("true", "false"):
        fits(jobs.ListRunsResponse, "GET", "2.2/jobs/runs/list", expand_tasks=expand_tasks)
    for task in run["tasks"]:
        fits(jobs.Run, "GET", "2.2/jobs/runs/get", run_id=task["run_id"], **asked)
        fits(jobs.RunOutput, "GET", "2.2/jobs/runs/get-output", run_id=task["run_id"])
    return run


def test_an_exported_notebook_fits(workspace: Any, notebook: Callable[..., None], sdk_time: Any) -> None:
    notebook("/n", "print('x')")
    own = Client(workspace)
    run = own.finish({"task_key": "main", "notebook_task": N})
    answer = own.get("runs/export", run_id=run["tasks"][0]["run_id"])
    assert list(misfits(answer, jobs.ExportRunOutput)) == []
    assert answer["views"]
    own.close()


def test_a_key_or_a_type_that_does_not_fit_is_found() -> None:
    odd = {"job_id": "5", "settings": {"name": 1, "tasks": [{"run_if": "NEVER", "odd": 1}]}, "has_more": 1, "x": 2}
    assert list(misfits(odd, jobs.Job)) == [
        ".job_id: '5' is not of type int",
        ".settings.name: 1 is not of type str",
        ".settings.tasks[0].run_if: 'NEVER' is not one of RunIf",
        ".settings.tasks[0].odd: Task has no such field",
        ".settings.tasks[0].task_key: is missing",
        ".has_more: 1 is not of type bool",
        ".x: Job has no such field",
    ]
