"""What each public call takes and returns."""

from __future__ import annotations

from prefect import flow
from typing_extensions import assert_type

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksError,
    Job,
    Outcome,
    Run,
    RunFailed,
    RunOutput,
    RunState,
    RunTask,
    aapply_job,
    apply_job,
    arun_now,
    arun_now_and_wait,
    asubmit_run,
    asubmit_run_and_wait,
    await_for_run,
    await_for_runs,
    cancel_databricks_runs,
    run_now,
    run_now_and_wait,
    submit_run,
    submit_run_and_wait,
    wait_for_run,
    wait_for_runs,
)
from prefect_databricks_runs.jobs import ConditionTask, ForEachTask, JobTask

NOTEBOOK = {"notebook_path": "/Shared/nightly"}


@flow(on_cancellation=[cancel_databricks_runs], on_crashed=[cancel_databricks_runs])
def starts_and_waits(databricks: DatabricksCredentials) -> Run:
    run_id = submit_run(databricks, notebook_task=NOTEBOOK, run_name="nightly", timeout_seconds=600)
    assert_type(run_id, int)
    assert_type(run_now(databricks, job_name="nightly", job_parameters={"day": "2026-11-22"}), int)
    run = wait_for_run(databricks, run_id, max_wait_seconds=3_600)
    assert_type(run, Run)
    assert_type(submit_run_and_wait(databricks, json={"notebook_task": NOTEBOOK}), Run)
    assert_type(run_now_and_wait(databricks, job_id=7, on_retry="repair"), Run)
    assert_type(wait_for_runs(databricks, [run_id], fetch_output=True), list[Run])
    job = writes()
    assert_type(apply_job(databricks, job, adopt=True), int)
    assert_type(job.run(databricks, job_parameters={"day": 1}, max_wait_seconds=60.0), Run)
    return run


@flow
async def awaits(databricks: DatabricksCredentials) -> None:
    run_id = await asubmit_run(databricks, notebook_task=NOTEBOOK)
    assert_type(run_id, int)
    assert_type(await arun_now(databricks, job_id=7), int)
    assert_type(await await_for_run(databricks, run_id), Run)
    assert_type(await await_for_runs(databricks, [run_id]), list[Run])
    assert_type(await asubmit_run_and_wait(databricks, notebook_task=NOTEBOOK), Run)
    assert_type(await arun_now_and_wait(databricks, job_id=7), Run)
    assert_type(await aapply_job(databricks, writes()), int)
    assert_type(await writes().arun(databricks), Run)


def writes() -> Job:
    job = Job("nightly", parameters={"day": ""}, job_clusters={"shared": {"num_workers": 1}}, tags={"team": "data"})
    collect = job.notebook("/Shared/collect", parameters={"day": job.parameter("day")}, cluster="shared")
    assert_type(collect, JobTask)
    found = job.condition("found", collect.value("rows"), ">", 0, after=collect)
    assert_type(found, ConditionTask)
    each = job.for_each("each", ["a"], after=found.is_true).notebook("/Shared/report")
    assert_type(each, ForEachTask)
    job.python("/Shared/count.py", after=[each, found.is_false], run_if="ALL_DONE")
    return job


def reads(run: Run) -> None:
    assert_type(run.run_id, int)
    assert_type(run.state, RunState)
    assert_type(run.state.outcome, Outcome | None)
    main = run.tasks["main"]
    assert_type(main, RunTask)
    if main.output is not None:
        assert_type(main.output, RunOutput)
    assert_type(run.start_time, int)


def catches(databricks: DatabricksCredentials) -> int | None:
    try:
        submit_run_and_wait(databricks, notebook_task=NOTEBOOK)
    except RunFailed as error:
        return error.run.run_id
    except DatabricksError as error:
        return len(str(error))
    return None
