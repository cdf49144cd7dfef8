"""Tasks that depend on each other or are made of others, as databricks-sdk tells of them."""

from __future__ import annotations

import json

import pytest
from databricks.sdk.service.jobs import (
    ConditionTask,
    ConditionTaskOp,
    ForEachTask,
    RunIf,
    RunJobTask,
    RunResultState,
    SubmitTask,
    Task,
    TaskDependency,
    TriggerType,
)

from tests.local.sdk import NOTEBOOK, SdkTime, job_tasks, simulated_sdk, states, submit_tasks, task_of
from tests.local.simulated import FAILED

pytestmark = pytest.mark.usefixtures("sdk_time")


def after(*task_keys: str) -> list[TaskDependency]:
    return [TaskDependency(task_key) for task_key in task_keys]


def for_each(count: int, nested: Task | None = None, concurrency: int = 10) -> SubmitTask:
    nested = nested or Task("body", notebook_task=NOTEBOOK)
    return SubmitTask("each", for_each_task=ForEachTask(json.dumps(list(range(count))), nested, concurrency))


def test_a_run_of_250_tasks_is_merged_from_its_pages() -> None:
    with simulated_sdk() as (w, workspace):
        run = w.jobs.submit(tasks=submit_tasks(250)).result()
        assert {task.task_key for task in run.tasks} == {f"t{number}" for number in range(250)}
        assert len({task.run_id for task in run.tasks}) == len(run.tasks) == 250
        assert run.next_page_token is None
        assert len(workspace.requests_to("GET */runs/get")) == 3


def test_250_iterations_are_merged_from_their_pages() -> None:
    with simulated_sdk() as (w, _):
        run = w.jobs.submit(tasks=[for_each(250)]).result()
        each = w.jobs.get_run(run.tasks[0].run_id)
        assert len({iteration.run_id for iteration in each.iterations}) == len(each.iterations) == 250
        assert [task.task_key for task in each.tasks] == ["each"]
        stats = each.tasks[0].for_each_task.stats.task_run_stats
        assert (stats.total_iterations, stats.succeeded_iterations, stats.failed_iterations) == (250, 250, 0)


def test_a_failed_iteration_is_counted_and_explained() -> None:
    with simulated_sdk({"body": FAILED}) as (w, _):
        run = w.jobs.submit(tasks=[for_each(3)]).result()
        stats = run.tasks[0].for_each_task.stats
        assert (stats.task_run_stats.failed_iterations, stats.task_run_stats.active_iterations) == (3, 0)
        assert [(each.count, each.error_message) for each in stats.error_message_stats] == [(3, "ValueError: no rows")]
        (first, *_) = w.jobs.get_run(run.tasks[0].run_id).iterations
        assert w.jobs.get_run_output(first.run_id).error == "ValueError: no rows"


@pytest.mark.parametrize(
    ("left", "op", "outcome"),
    [("5", ConditionTaskOp.GREATER_THAN, "true"), ("1", ConditionTaskOp.GREATER_THAN_OR_EQUAL, "false")],
)
def test_a_condition_decides_which_way_to_go(left: str, op: ConditionTaskOp, outcome: str) -> None:
    with simulated_sdk() as (w, _):
        tasks = [
            SubmitTask("check", condition_task=ConditionTask(op, left, "3")),
            SubmitTask("true", notebook_task=NOTEBOOK, depends_on=[TaskDependency("check", "true")]),
            SubmitTask("false", notebook_task=NOTEBOOK, depends_on=[TaskDependency("check", "false")]),
        ]
        run = w.jobs.submit(tasks=tasks).result()
        assert task_of(run, "check").condition_task.outcome == outcome
        other = "false" if outcome == "true" else "true"
        assert states(run) == {"check": "SUCCESS", outcome: "SUCCESS", other: "EXCLUDED"}
        resolved = w.jobs.get_run(run.run_id, include_resolved_values=True)
        assert task_of(resolved, "check").resolved_values.condition_task.as_dict() == {"left": left, "right": "3"}


def test_a_run_job_task_leads_to_the_run_that_it_started() -> None:
    with simulated_sdk() as (w, _):
        child = w.jobs.create(name="child", tasks=job_tasks(1)).job_id
        task = SubmitTask("child", run_job_task=RunJobTask(child, job_parameters={"day": "5"}))
        run = w.jobs.submit(tasks=[task]).result()
        started = w.jobs.get_run(w.jobs.get_run_output(run.tasks[0].run_id).run_job_output.run_id)
        assert (started.job_id, started.trigger) == (child, TriggerType.RUN_JOB_TASK)
        assert started.trigger_info.run_id == run.run_id
        assert started.state.result_state == RunResultState.SUCCESS
        resolved = w.jobs.get_run(run.run_id, include_resolved_values=True).tasks[0].resolved_values
        assert resolved.run_job_task.job_parameters == {"day": "5"}


@pytest.mark.parametrize(
    ("run_if", "state"),
    [
        (None, "UPSTREAM_FAILED"),
        (RunIf.ALL_SUCCESS, "UPSTREAM_FAILED"),
        (RunIf.NONE_FAILED, "UPSTREAM_FAILED"),
        (RunIf.ALL_FAILED, "EXCLUDED"),
        (RunIf.ALL_DONE, "SUCCESS"),
        (RunIf.AT_LEAST_ONE_FAILED, "SUCCESS"),
        (RunIf.AT_LEAST_ONE_SUCCESS, "SUCCESS"),
    ],
)
def test_run_if_decides_what_comes_after_a_success_and_a_failure(run_if: RunIf | None, state: str) -> None:
    with simulated_sdk({"t1": FAILED}) as (w, _):
        last = SubmitTask("last", notebook_task=NOTEBOOK, depends_on=after("t0", "t1"), run_if=run_if)
        run = w.jobs.submit(tasks=[*submit_tasks(2), last]).result()
        assert states(run) == {"t0": "SUCCESS", "t1": "FAILED", "last": state}
        assert task_of(run, "last").run_if == (run_if or RunIf.ALL_SUCCESS)


def test_each_attempt_at_a_task_has_an_entry(sdk_time: SdkTime) -> None:
    with simulated_sdk({"t0": [FAILED, FAILED, {}]}) as (w, workspace):
        sdk_time.passes = workspace.advance
        task = SubmitTask("t0", notebook_task=NOTEBOOK, max_retries=2, min_retry_interval_millis=5_000)
        run = w.jobs.submit(tasks=[task]).result()
        attempts = sorted(run.tasks, key=lambda each: each.attempt_number)
        assert [each.attempt_number for each in attempts] == [0, 1, 2]
        assert [each.state.result_state.value for each in attempts] == ["FAILED", "FAILED", "SUCCESS"]
        assert run.state.result_state == RunResultState.SUCCESS
        assert w.jobs.get_run_output(attempts[0].run_id).error == "ValueError: no rows"
        assert w.jobs.get_run(attempts[2].run_id).original_attempt_run_id == attempts[0].run_id
