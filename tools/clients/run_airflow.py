"""The Databricks provider of Airflow, put through the steps: its operators' `execute`, with no scheduler."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

os.environ["AIRFLOW_HOME"] = str(Path(os.environ["LOCAL_FOLDER"]) / "airflow-home")  # before Airflow reads its settings
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"

from airflow.exceptions import AirflowException
from airflow.providers.databricks.hooks.databricks import DatabricksHook
from airflow.providers.databricks.operators.databricks import (
    DatabricksCreateJobsOperator,
    DatabricksNotebookOperator,
    DatabricksRunNowOperator,
    DatabricksSubmitRunOperator,
)
from airflow.providers.databricks.operators.databricks_workflow import DatabricksWorkflowTaskGroup
from airflow.sdk import DAG
from airflow.sdk.exceptions import TaskDeferred
from steps import Script, Workspace, equal, holds, raises, until

script = Script()
QUICK = {"polling_period_seconds": 1}


class TaskInstance:
    """The part of a task instance that the operators use: it keeps what they push."""

    def __init__(self) -> None:
        self.stats_tags: dict[str, str] = {}
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def connect(workspace: Workspace, url: str = "", **fields: Any) -> None:
    """Set the connection, in the variable of the environment that users set."""
    parts = urlsplit(url or workspace.http)
    connection = {"conn_type": "databricks", "schema": parts.scheme, "host": parts.hostname, "port": parts.port}
    connection |= fields or {"password": workspace.token}
    os.environ["AIRFLOW_CONN_DATABRICKS_DEFAULT"] = json.dumps(connection)


def executed(operator: Any, store: dict[str, Any] | None = None) -> dict[str, Any]:
    """Execute an operator, and return what it pushed."""
    instance = TaskInstance()
    operator.execute({"ti": instance, "task_state_store": store})
    return instance.pushed


def submitting(workspace: Workspace, notebook: str, **options: Any) -> DatabricksSubmitRunOperator:
    return DatabricksSubmitRunOperator(task_id="submit", **workspace.task(notebook), **QUICK, **options)


@script.step("submit", "DatabricksSubmitRunOperator")
def submit(workspace: Workspace) -> str:
    connect(workspace)
    pushed = executed(submitting(workspace, "nightly"))
    holds(pushed["run_page_url"], workspace.http)
    equal(DatabricksHook().get_run_state(pushed["run_id"]).result_state, "SUCCESS")

    deferred = submitting(workspace, "nightly", deferrable=True)
    try:
        executed(deferred)
    except TaskDeferred as later:
        event = asyncio.run(first_event(later.trigger))
        deferred.execute_complete({}, event.payload)
    else:
        raise AssertionError("it did not defer")

    for retries in (None, 1):  # which it submits in the old form, and as a list of tasks
        executed(notebook("alone", max_retries=retries))
    return "also deferrable, and with `DatabricksNotebookOperator`"


def notebook(task_id: str, name: str = "nightly", **options: Any) -> DatabricksNotebookOperator:
    where = {"notebook_path": f"/Shared/{name}", "source": "WORKSPACE", "existing_cluster_id": "1234-567890-local"}
    return DatabricksNotebookOperator(task_id=task_id, **where, **QUICK, **options)


async def first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return event
    raise AssertionError("the trigger ended without an event")


@script.step("job", "DatabricksRunNowOperator")
def job(workspace: Workspace) -> str:
    connect(workspace)
    settings = {"name": "airflow", "tasks": [{"task_key": "main", **workspace.task("nightly")}]}
    making = DatabricksCreateJobsOperator(task_id="create", json=settings)
    job_id = making.execute({})
    equal(making.execute({}), job_id)  # found by its name, and reset
    pushed = executed(
        DatabricksRunNowOperator(task_id="run", job_name="airflow", notebook_params={"who": "job"}, **QUICK)
    )
    hook = DatabricksHook()
    equal(hook.get_job_id(pushed["run_id"]), job_id)
    equal(output_of(hook, pushed["run_id"])["notebook_output"]["result"], "hello job")

    access = [{"user_name": "anna@example.com", "permission_level": "CAN_VIEW"}]
    for _ in "12":  # the second time it finds the job, sets its permissions and resets it
        with (
            DAG("dag"),
            DatabricksWorkflowTaskGroup(
                group_id="group", databricks_conn_id="databricks_default", access_control_list=access
            ),
        ):
            first, second = notebook("first"), notebook("second", notebook_params={"who": "group"})
            first >> second
        launch = first.dag.get_task("group.launch")
        launched = launch.execute({"ti": TaskInstance()})
        for operator in (first, second):
            operator.workflow_run_metadata = launched
            executed(operator)
        tasks = hook.get_run_tasks(launched["run_id"])
        results = [hook.get_run_output(each["run_id"])["notebook_output"]["result"] for each in tasks]
        equal(sorted(results), ["hello group", "hello nobody"])
    return "also made by `DatabricksCreateJobsOperator` and by `DatabricksWorkflowTaskGroup`"


def output_of(hook: DatabricksHook, run_id: int) -> dict[str, Any]:
    return hook.get_run_output(hook.get_run(run_id)["tasks"][0]["run_id"])


@script.step("output", "DatabricksHook.get_run_output")
def output(workspace: Workspace) -> None:
    connect(workspace)
    run_id = executed(submitting(workspace, "nightly"))["run_id"]
    equal(output_of(DatabricksHook(), run_id)["notebook_output"]["result"], "hello nobody")


@script.step("failure", "DatabricksSubmitRunOperator")
def failure(workspace: Workspace) -> None:
    connect(workspace)
    error = raises(lambda: executed(submitting(workspace, "fails")), "ValueError: no rows")
    assert isinstance(error, AirflowException), error


@script.step("cancel", "DatabricksSubmitRunOperator.on_kill")
def cancel(workspace: Workspace) -> None:
    connect(workspace)
    operator = submitting(workspace, "slow", wait_for_termination=False)
    run_id = executed(operator)["run_id"]
    operator.on_kill()
    hook = DatabricksHook()
    until(lambda: hook.get_run_state(run_id).is_terminal)
    equal(hook.get_run_state(run_id).result_state, "CANCELED")


@script.step("pages", "DatabricksHook.list_jobs")
def pages(workspace: Workspace) -> str:
    connect(workspace)
    made = {workspace.job("nightly", name=f"airflow-{number}") for number in range(30)}
    assert made <= {each["job_id"] for each in DatabricksHook().list_jobs()}
    return "it lists jobs, and no runs"


@script.step("repair", "DatabricksRunNowOperator(repair_run=True)")
def repair(workspace: Workspace) -> str:
    connect(workspace)
    job_id = workspace.job("flaky", parameters=[{"name": "flag", "default": workspace.flag("airflow")}])
    operator = DatabricksRunNowOperator(task_id="repair", job_id=str(job_id), repair_run=True, **QUICK)
    raises(lambda: executed(operator), "ValueError: not yet")
    equal(DatabricksHook().get_run_state(operator.run_id).result_state, "SUCCESS")

    # The deferred one does not fail for the first failure.
    job_id = workspace.job("flaky", parameters=[{"name": "flag", "default": workspace.flag("deferred")}])
    operator = DatabricksRunNowOperator(task_id="repair", job_id=str(job_id), repair_run=True, deferrable=True, **QUICK)
    context = {"ti": TaskInstance()}
    deferred = None
    try:
        operator.execute(context)
    except TaskDeferred as later:
        deferred = later
    while deferred:
        event, deferred = asyncio.run(first_event(deferred.trigger)), None
        try:
            operator.execute_complete(context, event.payload)
        except TaskDeferred as later:
            deferred = later
    equal(DatabricksHook().get_run_state(operator.run_id).result_state, "SUCCESS")
    return "the operator repairs the run and then fails anyway with the first error, unless it is deferrable"


@script.step("idempotency", "DatabricksSubmitRunOperator(idempotency_token=…)")
def idempotency(workspace: Workspace) -> str:
    connect(workspace)
    first, second = (executed(submitting(workspace, "nightly", idempotency_token="af"))["run_id"] for _ in range(2))
    equal(first, second)
    store = Store()
    first, second = (executed(submitting(workspace, "nightly"), store)["run_id"] for _ in range(2))
    equal(first, second)
    return "a retried task also finds its run again by its task state store"


class Store(dict[str, Any]):
    """The part of Airflow's store of task states that the operators use."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


@script.step("rate_limit")
def rate_limit(workspace: Workspace) -> None:
    connect(workspace)
    with workspace.fault("POST */runs/submit", status=429):
        executed(submitting(workspace, "nightly"))


@script.step("server_error")
def server_error(workspace: Workspace) -> None:
    connect(workspace)
    with workspace.fault("GET */runs/get", status=503):
        executed(submitting(workspace, "nightly"))


@script.step("oauth")
def oauth(workspace: Workspace) -> str:
    workspace.https_without_port  # noqa: B018 - not tried without port 443
    os.environ["REQUESTS_CA_BUNDLE"] = workspace.ca_file
    way = {"login": workspace.client_id, "password": workspace.client_secret}
    connect(workspace, workspace.https, **way, extra=json.dumps({"service_principal_oauth": True}))
    try:
        run_id = executed(submitting(workspace, "nightly"))["run_id"]
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
    run = workspace.ask("GET", f"/api/2.2/jobs/runs/get?run_id={run_id}", url=workspace.https)
    equal(run["creator_user_name"], workspace.client_id)
    return "on port 443"


@script.step("refused")
def refused(workspace: Workspace) -> None:
    connect(workspace, password="wrong")
    equal(DatabricksHook().test_connection()[0], False)
    raises(lambda: executed(submitting(workspace, "nightly")), "Invalid access token")


script.main()
