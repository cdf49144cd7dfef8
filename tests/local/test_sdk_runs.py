"""Runs, as databricks-sdk submits them, waits for them, reads what they left, and cancels them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidState, OperationFailed, ResourceDoesNotExist
from databricks.sdk.service.jobs import (
    NotebookTask,
    RunLifeCycleState,
    RunLifecycleStateV2State,
    RunResultState,
    RunType,
    SparkPythonTask,
    SubmitTask,
    TerminationCodeCode,
    TerminationTypeType,
    ViewsToExport,
    ViewType,
)

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.sdk import NOTEBOOK, SdkTime, job_tasks, sdk_of, simulated_sdk, states, submit_tasks
from tests.local.simulated import FAILED

pytestmark = pytest.mark.usefixtures("sdk_time")


@pytest.fixture
def w(sdk_time: SdkTime, workspace: LocalWorkspace) -> WorkspaceClient:
    return sdk_of(workspace)


def test_a_notebook_is_submitted_and_waited_for(
    w: WorkspaceClient, sdk_time: SdkTime, notebook: Callable[..., None]
) -> None:
    notebook("/etl", "dbutils.notebook.exit(dbutils.widgets.get('day'))")
    task = SubmitTask("main", notebook_task=NotebookTask("/etl", {"day": "monday"}))
    seen: list[RunLifeCycleState] = []
    waiter = w.jobs.submit(run_name="etl", tasks=[task])
    run = waiter.result(callback=lambda run: seen.append(run.state.life_cycle_state))
    assert (run.run_id, run.run_name, run.run_type) == (waiter.run_id, "etl", RunType.SUBMIT_RUN)
    assert run.state.result_state == RunResultState.SUCCESS
    assert seen
    assert len(sdk_time.slept) == len(seen)
    assert run.start_time < run.end_time
    output = w.jobs.get_run_output(run.tasks[0].run_id)
    assert (output.notebook_output.result, output.notebook_output.truncated) == ("monday", False)
    assert output.metadata.run_id == run.tasks[0].run_id


def test_a_failed_notebook_tells_its_error_and_ends_the_wait(w: WorkspaceClient, notebook: Callable[..., None]) -> None:
    notebook("/bad", "raise ValueError('no rows')")
    run = w.jobs.submit(tasks=[SubmitTask("main", notebook_task=NotebookTask("/bad"))]).result()
    assert run.state.result_state == RunResultState.FAILED
    details = run.status.termination_details
    assert (details.code, details.type) == (TerminationCodeCode.RUN_EXECUTION_ERROR, TerminationTypeType.CLIENT_ERROR)
    output = w.jobs.get_run_output(run.tasks[0].run_id)
    assert output.error == "ValueError: no rows"
    assert "raise ValueError('no rows')" in output.error_trace


def test_a_python_file_tells_what_it_wrote(w: WorkspaceClient, workspace: LocalWorkspace) -> None:
    (workspace.root / "job.py").write_text("import sys; print('rows', sys.argv[1])")
    file = SparkPythonTask("/job.py", parameters=["7"])
    task = SubmitTask("main", existing_cluster_id="c", spark_python_task=file)
    output = w.jobs.get_run_output(w.jobs.submit(tasks=[task]).result().tasks[0].run_id)
    assert (output.logs, output.logs_truncated) == ("rows 7\n", False)


def test_a_notebook_is_exported(w: WorkspaceClient, notebook: Callable[..., None]) -> None:
    notebook("/n", "x = 41 + 1")
    run = w.jobs.submit(tasks=submit_tasks(1)).result()
    (view,) = w.jobs.export_run(run.tasks[0].run_id, views_to_export=ViewsToExport.CODE).views
    assert (view.type, view.name) == (ViewType.NOTEBOOK, "n")
    assert "x = 41 + 1" in view.content


@pytest.mark.parametrize("as_internal_error", [False, True])
def test_the_wait_raises_only_for_the_life_cycle_state_internal_error(as_internal_error: bool) -> None:
    with simulated_sdk({"t0": FAILED}, failed_as_internal_error=as_internal_error) as (w, _):
        waiter = w.jobs.submit(tasks=submit_tasks(1))
        if as_internal_error:
            with pytest.raises(OperationFailed, match=r"INTERNAL_ERROR: Task t0 failed with message: Workload failed"):
                waiter.result()
        else:
            assert waiter.result().state.result_state == RunResultState.FAILED


def test_the_wait_goes_through_the_phases_of_a_run(sdk_time: SdkTime) -> None:
    with simulated_sdk({"t0": {"pending": 60, "running": 60}}) as (w, workspace):
        sdk_time.passes = workspace.advance
        seen: list[RunLifecycleStateV2State] = []
        run = w.jobs.submit(tasks=submit_tasks(1)).result(callback=lambda run: seen.append(run.tasks[0].status.state))
        assert list(dict.fromkeys(seen)) == [RunLifecycleStateV2State.PENDING, RunLifecycleStateV2State.RUNNING]
        assert (run.tasks[0].setup_duration, run.tasks[0].execution_duration) == (60_000, 60_000)


def test_the_wait_gives_up_in_time() -> None:
    with simulated_sdk({"t0": {"running": 60}}) as (w, _), pytest.raises(TimeoutError, match="timed out after"):
        w.jobs.submit(tasks=submit_tasks(1)).result(timeout=timedelta(seconds=0.05))


def test_the_same_idempotency_token_is_the_same_run() -> None:
    with simulated_sdk() as (w, _):
        job = w.jobs.create(tasks=job_tasks(1)).job_id
        first, again, other = (w.jobs.submit(tasks=submit_tasks(1), idempotency_token=each).run_id for each in "aab")
        assert first == again != other
        first, again, other = (w.jobs.run_now(job, idempotency_token=each).run_id for each in "ccd")
        assert first == again != other
        assert len(list(w.jobs.list_runs())) == 4


def test_cancelling_waits_for_the_end_of_the_run(sdk_time: SdkTime) -> None:
    with simulated_sdk({"t0": {"running": 600, "terminating": 5}}) as (w, workspace):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        workspace.advance(1)
        sdk_time.passes = workspace.advance
        seen: list[RunLifeCycleState] = []
        run = w.jobs.cancel_run(run_id).result(callback=lambda run: seen.append(run.state.life_cycle_state))
        assert set(seen) == {RunLifeCycleState.TERMINATING}
        assert (run.state.result_state, run.state.user_cancelled_or_timedout) == (RunResultState.CANCELED, True)
        assert run.status.termination_details.code == TerminationCodeCode.USER_CANCELED
        assert states(w.jobs.cancel_run(run_id).result()) == {"t0": "CANCELED"}


def test_cancel_all_runs_ends_those_of_one_job() -> None:
    with simulated_sdk({"*": {"running": 600}}) as (w, _):
        jobs = [w.jobs.create(tasks=job_tasks(1), max_concurrent_runs=5).job_id for _ in range(2)]
        for job in jobs * 2:
            w.jobs.run_now(job)
        w.jobs.cancel_all_runs(job_id=jobs[0])
        assert [run.job_id for run in w.jobs.list_runs(active_only=True)] == [jobs[1]] * 2
        assert {run.state.result_state for run in w.jobs.list_runs(job_id=jobs[0])} == {RunResultState.CANCELED}


def test_cancel_all_runs_ends_those_that_are_queued() -> None:
    with simulated_sdk({"*": {"running": 600}}) as (w, _):
        job = w.jobs.create(tasks=job_tasks(1)).job_id
        running, queued = (w.jobs.run_now(job).run_id for _ in range(2))
        assert w.jobs.get_run(queued).status.queue_details.code.value == "MAX_CONCURRENT_RUNS_REACHED"
        w.jobs.cancel_all_runs(all_queued_runs=True)
        assert w.jobs.get_run(queued).state.result_state == RunResultState.CANCELED
        assert [run.run_id for run in w.jobs.list_runs(active_only=True)] == [running]


def test_a_run_is_deleted_when_it_is_over() -> None:
    with simulated_sdk({"t0": {"running": 60}}) as (w, workspace):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        with pytest.raises(InvalidState):
            w.jobs.delete_run(run_id)
        workspace.advance(60)
        w.jobs.delete_run(run_id)
        with pytest.raises(ResourceDoesNotExist):
            w.jobs.get_run(run_id)


def test_a_list_of_runs_has_all_pages_newest_first() -> None:
    with simulated_sdk() as (w, workspace):
        made = [w.jobs.submit(tasks=submit_tasks(1), run_name=f"run {number}").run_id for number in range(60)]
        assert [run.run_id for run in w.jobs.list_runs()] == made[::-1]
        assert len(workspace.requests_to("GET */runs/list")) == 3
        assert [run.run_id for run in w.jobs.list_runs(limit=25, completed_only=True)] == made[::-1]
        assert list(w.jobs.list_runs(run_type=RunType.JOB_RUN)) == []


def test_a_list_of_runs_with_their_tasks_has_all_of_them() -> None:
    with simulated_sdk() as (w, _):
        for count in (250, 1):
            w.jobs.submit(tasks=submit_tasks(count))
        assert [len(run.tasks) for run in w.jobs.list_runs(expand_tasks=True)] == [1, 250]


def test_runs_are_listed_by_when_they_began() -> None:
    with simulated_sdk() as (w, workspace):
        made = []
        for _ in range(3):
            made.append(w.jobs.submit(tasks=[SubmitTask("t0", notebook_task=NOTEBOOK)]).run_id)
            workspace.advance(10)
        begin = w.jobs.get_run(made[1]).start_time
        assert [run.run_id for run in w.jobs.list_runs(start_time_from=begin)] == [made[2], made[1]]
        assert [run.run_id for run in w.jobs.list_runs(start_time_to=begin)] == [made[1], made[0]]
