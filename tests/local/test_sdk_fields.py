"""What databricks-sdk reads of our answers: all of it, each enum with a value that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import ClusterSpec
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    CronSchedule,
    ForEachTask,
    JobCluster,
    JobParameterDefinition,
    PauseStatus,
    QueueSettings,
    RunIf,
    RunJobTask,
    RunLifecycleStateV2State,
    SubmitTask,
    Task,
    TaskDependency,
)

from tests.local.sdk import NOTEBOOK, SdkTime, job_tasks, sdk_of, simulated_sdk, submit_tasks, task_of
from tests.local.simulated import FAILED

pytestmark = pytest.mark.usefixtures("sdk_time")

RUNS = "/api/2.2/jobs/runs"
# Of runs and job settings in recorded answers.
UNKNOWN_TO_SDK = {"format"}
ENDINGS = ("SUCCESS", "FAILED", "TIMEDOUT", "CANCELED", "INTERNAL_ERROR")


def lost(raw: Any, read: Any, place: str = "") -> Iterator[str]:
    """The fields of an answer that the SDK did not read, or not as they are; it leaves out what is empty."""
    if isinstance(raw, dict) and isinstance(read, dict):
        for name, value in raw.items():
            if name not in UNKNOWN_TO_SDK and (value not in ({}, []) or name in read):
                yield from lost(value, read.get(name), f"{place}.{name}")
    elif isinstance(raw, list) and isinstance(read, list) and len(raw) == len(read):
        for index, (one, other) in enumerate(zip(raw, read, strict=True)):
            yield from lost(one, other, f"{place}[{index}]")
    elif raw != read:
        yield f"{place}: {raw!r} was read as {read!r}"


def everything(w: WorkspaceClient, run_id: int) -> list[str]:
    """What is lost of a run, its tasks, their outputs and its place in the list."""
    asked = {"include_history": True, "include_resolved_values": True}
    run = w.jobs.get_run(run_id, **asked)
    found = list(lost(w.api_client.do("GET", f"{RUNS}/get", query={"run_id": run_id, **asked}), run.as_dict()))
    for task in run.tasks or []:
        query = {"run_id": task.run_id}
        read = w.jobs.get_run(task.run_id, **asked).as_dict()
        found += lost(w.api_client.do("GET", f"{RUNS}/get", query={**query, **asked}), read, task.task_key)
        output = w.jobs.get_run_output(task.run_id).as_dict()
        found += lost(w.api_client.do("GET", f"{RUNS}/get-output", query=query), output, f"{task.task_key} output")
    listed = [each.as_dict() for each in w.jobs.list_runs(expand_tasks=False)]
    found += lost(w.api_client.do("GET", f"{RUNS}/list")["runs"], listed, "list")
    return found


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_end_of_a_run_is_read_whole(ending: str) -> None:
    with simulated_sdk({"t0": {"result_state": ending, "logs": "l", "error": "e", "error_trace": "t"}}) as (w, _):
        run_id = w.jobs.submit(tasks=submit_tasks(2), run_name="all").run_id
        assert everything(w, run_id) == []


@pytest.mark.parametrize("phase", ["queued", "pending", "running", "terminating"])
def test_every_phase_of_a_run_is_read_whole(phase: str) -> None:
    with simulated_sdk({"t0": {phase: 10}}) as (w, workspace):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        workspace.advance(1)
        assert w.jobs.get_run(run_id).tasks[0].status.state.value == phase.upper()
        assert everything(w, run_id) == []


def test_the_wait_for_another_attempt_is_read_whole() -> None:
    with simulated_sdk({"t0": FAILED}) as (w, _):
        task = SubmitTask("t0", notebook_task=NOTEBOOK, max_retries=1, min_retry_interval_millis=60_000)
        run_id = w.jobs.submit(tasks=[task]).run_id
        assert RunLifecycleStateV2State.WAITING in {task.status.state for task in w.jobs.get_run(run_id).tasks}
        assert everything(w, run_id) == []


def test_a_run_with_tasks_of_all_kinds_is_read_whole() -> None:
    with simulated_sdk({"body": [FAILED, {}]}) as (w, _):
        child = w.jobs.create(name="child", tasks=job_tasks(1)).job_id
        run_id = w.jobs.submit(tasks=composed(child)).run_id
        run = w.jobs.get_run(run_id)
        assert {task.task_key for task in run.tasks} == {"check", "yes", "no", "each", "child", "late"}
        assert everything(w, run_id) == []
        iterations = w.jobs.get_run(task_of(run, "each").run_id).iterations
        assert [each.for_each_task for each in iterations] == [None] * 3


def test_a_queued_and_a_skipped_run_are_read_whole() -> None:
    with simulated_sdk({"t0": {"running": 60}}) as (w, _):
        for queue in (True, False):
            job = w.jobs.create(tasks=job_tasks(1), queue=QueueSettings(enabled=queue)).job_id
            w.jobs.run_now(job)
            second = w.jobs.run_now(job).run_id
            assert w.jobs.get_run(second).state.life_cycle_state.value == ("QUEUED" if queue else "SKIPPED")
            assert everything(w, second) == []


def test_a_run_of_a_job_with_overrides_and_repairs_is_read_whole() -> None:
    with simulated_sdk({"t0": [FAILED]}) as (w, _):
        parameters = [JobParameterDefinition("day", "1"), JobParameterDefinition("hour", "2")]
        clusters = [JobCluster("main", ClusterSpec(spark_version="16.4.x-scala2.12", num_workers=1))]
        job = w.jobs.create(tasks=job_tasks(2), parameters=parameters, job_clusters=clusters).job_id
        run = w.jobs.run_now(job, job_parameters={"day": "5"}).run_id
        first = w.jobs.repair_run(run, rerun_all_failed_tasks=True).response.repair_id
        w.jobs.repair_run(run, rerun_all_failed_tasks=True, latest_repair_id=first)
        assert len(w.jobs.get_run(run, include_history=True).repair_history) == 3
        assert everything(w, run) == []


def test_a_job_is_read_whole() -> None:
    with simulated_sdk() as (w, _):
        child = w.jobs.create(name="child", tasks=job_tasks(1)).job_id
        tasks = [Task.from_dict(task.as_dict()) for task in composed(child)]
        job_id = w.jobs.create(
            name="all",
            tasks=tasks,
            schedule=CronSchedule("0 0 6 * * ?", "UTC", PauseStatus.PAUSED),
            tags={"team": "data"},
            timeout_seconds=60,
        ).job_id
        raw = w.api_client.do("GET", "/api/2.2/jobs/get", query={"job_id": job_id})
        assert list(lost(raw, w.jobs.get(job_id).as_dict())) == []
        listed = w.api_client.do("GET", "/api/2.2/jobs/list", query={"expand_tasks": "true"})
        read = [{**job.as_dict(), "has_more": False} for job in w.jobs.list(expand_tasks=True)]
        assert list(lost(listed["jobs"], read)) == []


def test_a_real_notebook_is_read_whole(sdk_time: SdkTime, workspace: Any, notebook: Any) -> None:
    notebook("/n", "print('x')", "dbutils.notebook.exit('42')")
    w = sdk_of(workspace)
    run = w.jobs.submit(tasks=submit_tasks(1)).result()
    assert w.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result == "42"
    assert everything(w, run.run_id) == []


def composed(child: int) -> list[SubmitTask]:
    """Tasks that are made of others, and those that wait for them."""
    check = TaskDependency("check", outcome="true")
    return [
        SubmitTask("check", condition_task=ConditionTask(ConditionTaskOp.EQUAL_TO, "1", "1")),
        SubmitTask("yes", notebook_task=NOTEBOOK, depends_on=[check]),
        SubmitTask("no", notebook_task=NOTEBOOK, depends_on=[TaskDependency("check", outcome="false")]),
        SubmitTask("each", for_each_task=ForEachTask("[1, 2, 3]", Task("body", notebook_task=NOTEBOOK))),
        SubmitTask("child", run_job_task=RunJobTask(child)),
        SubmitTask("late", notebook_task=NOTEBOOK, depends_on=[TaskDependency("each")], run_if=RunIf.ALL_DONE),
    ]
