"""Waiting for a run, in real flows with a real Prefect server, against the real local workspace."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow

from prefect_databricks_runs import (
    Job,
    NotFound,
    Run,
    RunFailed,
    arun_now_and_wait,
    asubmit_run_and_wait,
    await_for_run,
    run_now_and_wait,
    submit_run,
    submit_run_and_wait,
    wait_for_run,
)

pytestmark = pytest.mark.usefixtures("prefect_server")

QUICK = 0.05


def job(*keys: str, **depends_on: list[str]) -> dict:
    return {
        "run_name": "fork-and-join",
        "tasks": [
            {
                "task_key": key,
                "notebook_task": {"notebook_path": f"/{key}"},
                "depends_on": [{"task_key": other} for other in depends_on.get(key, ())],
            }
            for key in keys
        ],
    }


def test_a_run_ends_with_its_tasks_outputs_and_its_own_state_name(databricks, notebook, run_log, prefect_api) -> None:
    for key in ("start", "left", "right", "join"):
        notebook(f"/{key}", f"dbutils.notebook.exit('{key} done')")
    body = job("start", "left", "right", "join", left=["start"], right=["start"], join=["left", "right"])

    run = submit_run_and_wait.with_options(name="whole-run")(databricks, body, polling_period_seconds=QUICK)

    assert run.state.name == "Success"
    assert {key: task.output.result for key, task in run.tasks.items()} == {
        key: f"{key} done" for key in ("start", "left", "right", "join")
    }
    (flow_run,) = prefect_api.flow_runs_named("whole-run")
    names = prefect_api.state_names(flow_run["id"])
    assert names[-1] == ("COMPLETED", "Success")
    assert ("RUNNING", "Running") in names
    (artifact,) = [each for each in prefect_api.artifacts(flow_run["id"]) if each["type"] == "markdown"]
    assert artifact["key"] == f"databricks-run-{run.run_id}"
    assert f"]({run.url})" in artifact["data"]
    assert "**Success**" in artifact["data"]
    assert "| [join](" in artifact["data"]
    assert run_log.text.count("'fork-and-join' is Success") == 1
    for key in run.tasks:
        assert f"Task {key} of Databricks run {run.run_id} is Success" in run_log.lines


def test_a_task_that_raises_fails_the_flow_with_its_own_error(databricks, notebook, run_log, prefect_api) -> None:
    notebook("/start", "dbutils.notebook.exit('ok')")
    notebook("/breaks", "rows = [16, 17]", "raise ValueError(f'bad row {rows[1]}')")
    notebook("/after", "pass")
    body = job("start", "breaks", "after", breaks=["start"], after=["breaks"])

    with pytest.raises(RunFailed, match="Task breaks: ValueError: bad row 17") as caught:
        submit_run_and_wait.with_options(name="failing-run")(databricks, body, polling_period_seconds=QUICK)

    error = caught.value
    assert list(error.errors) == ["breaks"]
    assert "raise ValueError(f'bad row {rows[1]}')" in error.errors["breaks"].error_trace
    assert error.run.tasks["start"].output.result == "ok"
    assert error.run.tasks["after"].state.name == "UpstreamFailed"
    (flow_run,) = prefect_api.flow_runs_named("failing-run")
    assert (flow_run["state"]["type"], flow_run["state"]["name"]) == ("FAILED", "Failed")
    assert "ValueError: bad row 17" in flow_run["state"]["message"]
    assert error.run.url in flow_run["state"]["message"]
    traces = [line for line in run_log.lines if "Traceback" in line and "bad row 17" in line]
    assert len(traces) == 1
    assert traces[0].startswith(f"Task breaks of Databricks run {error.run.run_id} failed:")


def test_a_notebook_that_does_not_exist_fails_the_run_by_name(databricks) -> None:
    with pytest.raises(RunFailed, match="/nowhere"):
        submit_run_and_wait(databricks, job("nowhere"), polling_period_seconds=QUICK)


def test_a_job_written_in_python_is_shown_as_the_dict_that_it_is() -> None:
    written = Job("shown")
    written.notebook("/start")
    shown = submit_run_and_wait.serialize_parameters({"json": written})["json"]
    assert [task["task_key"] for task in shown["tasks"]] == ["start"]


def test_a_user_can_catch_the_failure_and_go_on(databricks, notebook) -> None:
    notebook("/breaks", "1 / 0")

    @flow
    def parent() -> str:
        run_id = submit_run(databricks, job("breaks"))
        try:
            wait_for_run(databricks, run_id, polling_period_seconds=QUICK)
        except RunFailed as error:
            return error.errors["breaks"].error
        return "no error"

    assert parent() == "ZeroDivisionError: division by zero"


def test_outputs_are_only_fetched_when_wanted_but_errors_always(databricks, workspace, notebook) -> None:
    notebook("/fine", "dbutils.notebook.exit('x')")
    notebook("/breaks", "1 / 0")
    run = submit_run_and_wait(databricks, job("fine"), polling_period_seconds=QUICK, fetch_output=False)
    assert run.tasks["fine"].output is None
    with pytest.raises(RunFailed) as caught:
        submit_run_and_wait(databricks, job("fine", "breaks"), polling_period_seconds=QUICK, fetch_output=False)
    assert list(caught.value.errors) == ["breaks"]
    assert caught.value.run.tasks["fine"].output is None


def test_run_now_and_wait_finds_the_job_by_name(databricks, notebook) -> None:
    notebook("/greet", "dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))")
    with databricks.get_client() as client:
        client.post("/api/2.2/jobs/create", json={"name": "Greeting", **job("greet")}).raise_for_status()
    run = run_now_and_wait(
        databricks, job_name="greeting", notebook_params={"who": "ada"}, polling_period_seconds=QUICK
    )
    assert run.tasks["greet"].output.result == "hello ada"


def test_the_async_twins_wait_side_by_side(databricks, notebook) -> None:
    notebook("/a", "dbutils.notebook.exit('a')")
    with databricks.get_client() as client:
        answer = client.post("/api/2.2/jobs/create", json={"name": "a", **job("a")}).raise_for_status()
    job_id = answer.json()["job_id"]

    @flow
    async def parent() -> list[Run]:
        run_id = submit_run(databricks, job("a"))
        return await asyncio.gather(
            await_for_run(databricks, run_id, polling_period_seconds=QUICK),
            asubmit_run_and_wait(databricks, job("a"), polling_period_seconds=QUICK),
            arun_now_and_wait(databricks, job_id=job_id, polling_period_seconds=QUICK),
        )

    assert [run.tasks["a"].output.result for run in asyncio.run(parent())] == ["a", "a", "a"]


def test_a_run_that_is_deleted_while_being_waited_for_is_one_clear_error(databricks, workspace, notebook, run_log):
    notebook("/long", "import time; time.sleep(60)")
    run_id = submit_run.fn(databricks, job("long"))

    class DeletesIt:
        """Cancels and deletes the run as soon as the flow has seen it."""

        def filter(self, record) -> bool:
            if "is Running" in record.getMessage() and workspace.runs:
                with databricks.get_client() as client:
                    client.post("/api/2.2/jobs/runs/cancel", json={"run_id": run_id})
                    deleted = 0
                    while deleted != 200:
                        deleted = client.post("/api/2.2/jobs/runs/delete", json={"run_id": run_id}).status_code
            return True

    run_log.addFilter(DeletesIt())
    with pytest.raises(NotFound, match=f"Run {run_id} does not exist. .*may have been deleted"):
        wait_for_run(databricks, run_id, polling_period_seconds=QUICK)


def test_a_run_that_never_was_is_one_clear_error(databricks) -> None:
    with pytest.raises(NotFound, match="Run 7 does not exist"):
        wait_for_run(databricks, 7)


def test_a_flow_with_retries_keeps_them(databricks, workspace, notebook, prefect_api) -> None:
    """Each state name that we set would count as a run of the flow, so none is set where the flow has retries."""
    notebook("/breaks", "1 / 0")
    retrying = submit_run_and_wait.with_options(name="retrying-run", retries=2)
    with pytest.raises(RunFailed):
        retrying(databricks, job("breaks"), polling_period_seconds=QUICK)
    assert len(workspace.runs) == 3
    (flow_run,) = prefect_api.flow_runs_named("retrying-run")
    assert flow_run["run_count"] == 3


def test_the_states_of_a_users_own_flow_are_left_alone(databricks, notebook, prefect_api) -> None:
    notebook("/fine", "pass")

    @flow(name="users-own")
    def parent() -> int:
        run_id = submit_run(databricks, job("fine"))
        return wait_for_run.fn(databricks, run_id, polling_period_seconds=QUICK).run_id

    assert isinstance(parent(), int)
    (flow_run,) = prefect_api.flow_runs_named("users-own")
    assert flow_run["run_count"] == 1
    assert prefect_api.state_names(flow_run["id"])[-1] == ("COMPLETED", "Completed")
