"""dbt-databricks' submission of Python models, put through the steps: its helpers, with no SQL warehouse."""

from __future__ import annotations

import threading
from typing import Any

from dbt.adapters.databricks.credentials import DatabricksCredentials
from dbt.adapters.databricks.python_models.python_submissions import (
    AllPurposeClusterPythonJobHelper,
    BaseDatabricksHelper,
    JobClusterPythonJobHelper,
    ServerlessClusterPythonJobHelper,
    WorkflowPythonJobHelper,
)
from dbt_common.exceptions import DbtRuntimeError
from steps import Script, Workspace, equal, holds, raises, until

script = Script()
MODEL = "dbutils.notebook.exit('42 rows')"


def credentials(workspace: Workspace, **way: str) -> DatabricksCredentials:
    """What dbt reads of a profile; the path is that of a cluster that is not asked for."""
    path = "sql/protocolv1/o/1234567890/1234-567890-local"
    return DatabricksCredentials(
        host=workspace.http, http_path=path, database="main", schema="dbt", **(way or {"token": workspace.token})
    )


def model(name: str, **config: Any) -> dict[str, Any]:
    return {"database": "main", "schema": "dbt", "alias": name, "config": {"timeout": 60, **config}}


def last_run(workspace: Workspace) -> dict[str, Any]:
    run = workspace.ask("GET", "/api/2.2/jobs/runs/list?limit=1&expand_tasks=true")["runs"][0]
    return workspace.ask("GET", f"/api/2.2/jobs/runs/get?run_id={run['run_id']}")


@script.step("submit", "submission_method: serverless_cluster, job_cluster, all_purpose_cluster")
def submit(workspace: Workspace) -> None:
    cluster = {"spark_version": "15.4.x-scala2.12", "node_type_id": "i3.xlarge", "num_workers": 1}
    mine = credentials(workspace)
    for helper in (
        ServerlessClusterPythonJobHelper(model("serverless", packages=["pandas"]), mine),
        JobClusterPythonJobHelper(model("job_cluster", job_cluster_config=cluster, packages=["pandas"]), mine),
        AllPurposeClusterPythonJobHelper(model("all_purpose", create_notebook=True, user_folder_for_python=True), mine),
    ):
        helper.submit(MODEL)
        run = last_run(workspace)
        holds(run["run_name"], helper.parsed_model.identifier)
        equal(run["state"]["result_state"], "SUCCESS")


@script.step("job", "submission_method: workflow_job")
def job(workspace: Workspace) -> str:
    access = [{"user_name": "anna@example.com", "permission_level": "CAN_VIEW"}]
    for _ in "12":  # the second time it finds the job by its name, and resets it
        helper = WorkflowPythonJobHelper(model("workflow", access_control_list=access), credentials(workspace))
        helper.submit(MODEL)
        equal(last_run(workspace)["state"]["result_state"], "SUCCESS")
    (made,) = workspace.ask("GET", "/api/2.2/jobs/list?name=dbt__main-dbt-workflow")["jobs"]
    levels = workspace.ask("GET", f"/api/2.0/permissions/jobs/{made['job_id']}")["access_control_list"]
    holds(levels, "CAN_VIEW")
    return "it creates the job and sets its permissions"


script.absent("output", "a model writes a table, and dbt reads errors alone")


@script.step("failure")
def failure(workspace: Workspace) -> str:
    helper = ServerlessClusterPythonJobHelper(model("fails"), credentials(workspace))
    error = raises(lambda: helper.submit("raise ValueError('no rows')"), "ended in result_state FAILED")
    assert isinstance(error, DbtRuntimeError), error
    run_id = str(last_run(workspace)["run_id"])
    with workspace.fault("GET */runs/get", merge={"state": {"life_cycle_state": "INTERNAL_ERROR"}}):
        raises(lambda: helper.api_client.job_runs.poll_for_completion(run_id), "ValueError: no rows")
    return "its error has the error of the notebook if the run ends in `INTERNAL_ERROR`; see `failed_as_internal_error`"


@script.step("cancel", "PythonRunTracker.cancel_runs")
def cancel(workspace: Workspace) -> None:
    helper = ServerlessClusterPythonJobHelper(model("slow"), credentials(workspace))
    errors: list[Exception] = []
    waiting = threading.Thread(
        target=lambda: errors.append(raises(lambda: helper.submit("import time; time.sleep(120)")))
    )
    waiting.start()
    until(lambda: BaseDatabricksHelper.tracker._run_ids)
    BaseDatabricksHelper.tracker.cancel_runs(helper.api_client)
    waiting.join(60)
    holds(errors, "CANCELED")


script.absent("pages", "it asks for jobs by their name")
script.absent("repair", "it submits again")
script.absent("idempotency", "it sends no token")


@script.step("rate_limit")
def rate_limit(workspace: Workspace) -> None:
    with workspace.fault("POST */runs/submit", status=429, retry_after=1):
        ServerlessClusterPythonJobHelper(model("limited"), credentials(workspace)).submit(MODEL)


@script.step("server_error")
def server_error(workspace: Workspace) -> None:
    with workspace.fault("GET */runs/get", status=503, retry_after=1):
        ServerlessClusterPythonJobHelper(model("down"), credentials(workspace)).submit(MODEL)


@script.step("oauth")
def oauth(workspace: Workspace) -> None:
    way = {"auth_type": "oauth", "client_id": workspace.client_id, "client_secret": workspace.client_secret}
    ServerlessClusterPythonJobHelper(model("oauth"), credentials(workspace, **way)).submit(MODEL)
    equal(last_run(workspace)["creator_user_name"], workspace.client_id)


@script.step("refused")
def refused(workspace: Workspace) -> None:
    helper = ServerlessClusterPythonJobHelper(model("refused"), credentials(workspace, token="wrong"))
    raises(lambda: helper.submit(MODEL), "Invalid access token")


script.main()
