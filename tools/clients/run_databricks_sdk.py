"""databricks-sdk, put through the steps."""

from __future__ import annotations

from datetime import timedelta

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import OperationFailed, PermissionDenied
from databricks.sdk.service.jobs import NotebookTask, SubmitTask, Task
from steps import Script, Workspace, equal, holds, raises, until

script = Script()
LIMIT = timedelta(seconds=60)


def sdk(workspace: Workspace) -> WorkspaceClient:
    return WorkspaceClient(host=workspace.http, token=workspace.token)


def task(notebook: str, **parameters: str) -> SubmitTask:
    return SubmitTask("main", notebook_task=NotebookTask(f"/Shared/{notebook}", parameters))


@script.step("submit", "jobs.submit_and_wait")
def submit(workspace: Workspace) -> None:
    run = sdk(workspace).jobs.submit_and_wait(run_name="sdk", tasks=[task("nightly")], timeout=LIMIT)
    equal(run.state.result_state.value, "SUCCESS")


@script.step("job", "jobs.run_now_and_wait")
def job(workspace: Workspace) -> None:
    client = sdk(workspace)
    made = client.jobs.create(name="sdk", tasks=[Task("main", notebook_task=NotebookTask("/Shared/nightly"))])
    run = client.jobs.run_now_and_wait(made.job_id, notebook_params={"who": "job"}, timeout=LIMIT)
    equal(client.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result, "hello job")
    client.jobs.delete(made.job_id)


@script.step("output", "jobs.get_run_output")
def output(workspace: Workspace) -> None:
    client = sdk(workspace)
    run = client.jobs.submit_and_wait(tasks=[task("nightly", who="sdk")], timeout=LIMIT)
    equal(client.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result, "hello sdk")


@script.step("failure", "jobs.get_run_output")
def failure(workspace: Workspace) -> None:
    client = sdk(workspace)
    wait = client.jobs.submit(tasks=[task("fails")])
    # The SDK takes TERMINATED for success, whatever the result is, and INTERNAL_ERROR alone for a failure.
    try:
        run = wait.result(timeout=LIMIT)
    except OperationFailed:
        run = client.jobs.get_run(wait.run_id)
    equal(run.state.result_state.value, "FAILED")
    told = client.jobs.get_run_output(run.tasks[0].run_id)
    equal(told.error, "ValueError: no rows")
    holds(told.error_trace, "ValueError")


@script.step("cancel", "jobs.cancel_run_and_wait")
def cancel(workspace: Workspace) -> None:
    client = sdk(workspace)
    wait = client.jobs.submit(tasks=[task("slow")])
    run = client.jobs.cancel_run_and_wait(wait.run_id, timeout=LIMIT)
    equal(run.state.result_state.value, "CANCELED")


@script.step("pages", "jobs.list_runs")
def pages(workspace: Workspace) -> None:
    client = sdk(workspace)
    made = client.jobs.create(name="paged", tasks=[Task("main", notebook_task=NotebookTask("/Shared/nightly"))])
    started = {client.jobs.run_now(made.job_id).run_id for _ in range(5)}
    listed = [run.run_id for run in client.jobs.list_runs(job_id=made.job_id, limit=2)]
    equal(sorted(listed), sorted(started))


@script.step("repair", "jobs.repair_run_and_wait")
def repair(workspace: Workspace) -> None:
    client = sdk(workspace)
    run_id = client.jobs.submit(tasks=[task("flaky", flag=workspace.flag("sdk"))]).run_id
    until(lambda: client.jobs.get_run(run_id).state.result_state)
    run = client.jobs.repair_run_and_wait(run_id, rerun_all_failed_tasks=True, timeout=LIMIT)
    equal(run.state.result_state.value, "SUCCESS")


@script.step("idempotency", "jobs.submit(idempotency_token=…)")
def idempotency(workspace: Workspace) -> None:
    client = sdk(workspace)
    first, second = (client.jobs.submit(tasks=[task("nightly")], idempotency_token="sdk").run_id for _ in range(2))
    equal(first, second)


@script.step("rate_limit")
def rate_limit(workspace: Workspace) -> None:
    with workspace.fault("POST */runs/submit", status=429, retry_after=1):
        sdk(workspace).jobs.submit(tasks=[task("nightly")])


@script.step("server_error")
def server_error(workspace: Workspace) -> None:
    with workspace.fault("GET */runs/get", status=503, retry_after=1):
        sdk(workspace).jobs.submit_and_wait(tasks=[task("nightly")], timeout=LIMIT)


@script.step("oauth")
def oauth(workspace: Workspace) -> None:
    client = WorkspaceClient(host=workspace.http, client_id=workspace.client_id, client_secret=workspace.client_secret)
    equal(client.current_user.me().user_name, workspace.client_id)


@script.step("refused")
def refused(workspace: Workspace) -> None:
    client = WorkspaceClient(host=workspace.http, token="wrong")
    equal(type(raises(lambda: list(client.jobs.list()))), PermissionDenied)


script.main()
