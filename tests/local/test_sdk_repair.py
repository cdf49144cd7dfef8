"""Repairs, as databricks-sdk asks for them and reads their history."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import InvalidParameterValue, InvalidState
from databricks.sdk.service.jobs import (
    NotebookTask,
    RepairHistoryItemType,
    RunResultState,
    SubmitTask,
    Task,
    TaskDependency,
)

from tests.local.sdk import NOTEBOOK, SdkTime, job_tasks, simulated_sdk, states, submit_tasks, task_of
from tests.local.simulated import FAILED

pytestmark = pytest.mark.usefixtures("sdk_time")

ORIGINAL, REPAIR = RepairHistoryItemType.ORIGINAL, RepairHistoryItemType.REPAIR


def test_a_repair_runs_what_failed_and_what_came_after_once_more(sdk_time: SdkTime) -> None:
    tasks = [*submit_tasks(2), SubmitTask("last", notebook_task=NOTEBOOK, depends_on=[TaskDependency("t1")])]
    with simulated_sdk({"t1": [FAILED, {"running": 30}]}) as (w, workspace):
        sdk_time.passes = workspace.advance
        before = w.jobs.submit(tasks=tasks).result()
        assert states(before) == {"t0": "SUCCESS", "t1": "FAILED", "last": "UPSTREAM_FAILED"}
        waiter = w.jobs.repair_run(before.run_id, rerun_all_failed_tasks=True)
        assert w.jobs.get_run(before.run_id).state.result_state is None
        run = waiter.result()
        assert waiter.response.repair_id
        assert (run.run_id, run.state.result_state) == (before.run_id, RunResultState.SUCCESS)
        assert states(run) == {"t0": "SUCCESS", "t1": "SUCCESS", "last": "SUCCESS"}
        assert task_of(run, "t0").run_id == task_of(before, "t0").run_id
        assert task_of(run, "t1").run_id != task_of(before, "t1").run_id


def test_the_history_begins_with_the_original_run() -> None:
    with simulated_sdk({"t0": FAILED}) as (w, _):
        run_id = w.jobs.submit(tasks=submit_tasks(2)).run_id
        assert not w.jobs.get_run(run_id).repair_history
        (only,) = w.jobs.get_run(run_id, include_history=True).repair_history
        assert (only.type, only.id, len(only.task_run_ids)) == (ORIGINAL, None, 2)
        first = w.jobs.repair_run(run_id, rerun_tasks=["t0"]).response.repair_id
        second = w.jobs.repair_run(run_id, rerun_tasks=["t0", "t1"], latest_repair_id=first).response.repair_id
        history = w.jobs.get_run(run_id, include_history=True).repair_history
        assert [(each.type, each.id) for each in history] == [(ORIGINAL, None), (REPAIR, first), (REPAIR, second)]
        assert [len(each.task_run_ids) for each in history] == [2, 1, 2]
        assert {each.state.result_state for each in history} == {RunResultState.FAILED}


@pytest.mark.parametrize("wrong_id", [None, 1])
def test_a_second_repair_needs_the_id_of_the_latest(wrong_id: int | None) -> None:
    with simulated_sdk({"t0": FAILED}) as (w, _):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        w.jobs.repair_run(run_id, rerun_all_failed_tasks=True)
        with pytest.raises(InvalidParameterValue, match="latest repair ID needs to be provided"):
            w.jobs.repair_run(run_id, rerun_all_failed_tasks=True, latest_repair_id=wrong_id)


def test_dependent_tasks_are_run_again_when_asked_for() -> None:
    with simulated_sdk({"t0": [FAILED, {}]}) as (w, _):
        last = SubmitTask("last", notebook_task=NOTEBOOK, depends_on=[TaskDependency("t1")])
        before = w.jobs.submit(tasks=[*submit_tasks(2), last]).result()
        run = w.jobs.repair_run(before.run_id, rerun_tasks=["t0", "t1"], rerun_dependent_tasks=True).result()
        changed = {key for key in ("t0", "t1", "last") if task_of(run, key).run_id != task_of(before, key).run_id}
        assert changed == {"t0", "t1", "last"}


def test_a_repair_uses_the_job_as_it_is_now() -> None:
    with simulated_sdk(lambda start: FAILED if start.settings["notebook_task"]["notebook_path"] == "/n" else {}) as (
        w,
        _,
    ):
        job_id = w.jobs.create(tasks=job_tasks(1)).job_id
        run_id = w.jobs.run_now(job_id).result().run_id
        settings = w.jobs.get(job_id).settings
        settings.tasks = [Task("t0", notebook_task=NotebookTask("/mended"))]
        w.jobs.reset(job_id, settings)
        run = w.jobs.repair_run(run_id, rerun_all_failed_tasks=True).result()
        assert run.state.result_state == RunResultState.SUCCESS
        assert task_of(run, "t0").notebook_task.notebook_path == "/mended"


@pytest.mark.parametrize(
    "asked", [{}, {"rerun_tasks": ["nope"]}, {"rerun_tasks": ["t0"], "rerun_all_failed_tasks": True}]
)
def test_a_repair_that_makes_no_sense_is_refused(asked: dict[str, object]) -> None:
    with simulated_sdk({"t0": FAILED}) as (w, _):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        with pytest.raises(InvalidParameterValue):
            w.jobs.repair_run(run_id, **asked)


def test_a_run_under_way_is_not_repaired() -> None:
    with simulated_sdk({"t0": {"running": 60}}) as (w, _):
        run_id = w.jobs.submit(tasks=submit_tasks(1)).run_id
        with pytest.raises(InvalidState, match="active"):
            w.jobs.repair_run(run_id, rerun_tasks=["t0"])
