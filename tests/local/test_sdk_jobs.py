"""Jobs, as databricks-sdk makes, reads, changes, runs and deletes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from databricks.sdk.errors import InvalidParameterValue, ResourceDoesNotExist
from databricks.sdk.service.jobs import (
    CronSchedule,
    JobEmailNotifications,
    JobParameterDefinition,
    JobSettings,
    NotebookTask,
    PauseStatus,
    QueueSettings,
    RunResultState,
    RunType,
    Task,
    TriggerType,
)

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.sdk import NOTEBOOK, job_tasks, sdk_of, simulated_sdk, states
from tests.local.simulated import FAILED

pytestmark = pytest.mark.usefixtures("sdk_time")

KEYS = [f"t{number}" for number in range(250)]


def keys(settings: JobSettings) -> list[str]:
    return [task.task_key for task in settings.tasks]


def test_a_job_of_250_tasks_is_made_read_changed_and_deleted() -> None:
    with simulated_sdk() as (w, workspace):
        job_id = w.jobs.create(name="wide", tasks=job_tasks(250)).job_id
        job = w.jobs.get(job_id)
        assert (keys(job.settings), job.next_page_token) == (KEYS, None)
        assert len(workspace.requests_to("GET */jobs/get")) == 3
        assert [keys(each.settings) for each in w.jobs.list(expand_tasks=True)] == [KEYS]

        w.jobs.update(job_id, new_settings=JobSettings(name="wider", tasks=[Task("new", notebook_task=NOTEBOOK)]))
        changed = w.jobs.get(job_id).settings
        assert (changed.name, set(keys(changed))) == ("wider", {*KEYS, "new"})
        w.jobs.update(job_id, fields_to_remove=["tasks/new", "tasks/t0"])
        assert keys(w.jobs.get(job_id).settings) == KEYS[1:]

        w.jobs.reset(job_id, JobSettings(name="again", tasks=job_tasks(101)))
        assert keys(w.jobs.get(job_id).settings) == KEYS[:101]
        assert len(w.jobs.run_now(job_id).result().tasks) == 101
        w.jobs.delete(job_id)
        with pytest.raises(ResourceDoesNotExist):
            w.jobs.get(job_id)


def test_a_job_reads_back_as_it_was_made() -> None:
    with simulated_sdk() as (w, _):
        made = JobSettings(
            name="etl",
            description="each morning",
            tasks=job_tasks(2),
            tags={"team": "data"},
            timeout_seconds=600,
            max_concurrent_runs=3,
            schedule=CronSchedule("0 0 6 * * ?", "Europe/Berlin", PauseStatus.PAUSED),
            parameters=[JobParameterDefinition("day", "1")],
            queue=QueueSettings(enabled=True),
            email_notifications=JobEmailNotifications(on_failure=["anna@example.com"]),
        ).as_dict()
        job = w.jobs.get(w.api_client.do("POST", "/api/2.2/jobs/create", body=made)["job_id"])
        read = job.settings.as_dict()
        tasks = [{**task, "notebook_task": {**task["notebook_task"], "source": "WORKSPACE"}} for task in made["tasks"]]
        filled_in = {"run_if": "ALL_SUCCESS", "timeout_seconds": 0, "email_notifications": {}}
        assert read["tasks"] == [{**task, **filled_in} for task in tasks]
        assert {name: read[name] for name in made} == {**made, "tasks": read["tasks"]}
        assert job.creator_user_name == w.current_user.me().user_name
        assert job.created_time > 0


def test_a_list_of_jobs_has_all_pages_newest_first() -> None:
    with simulated_sdk() as (w, workspace):
        made = [w.jobs.create(name=f"job {number}", tasks=job_tasks(1)).job_id for number in range(45)]
        listed = list(w.jobs.list())
        assert [job.job_id for job in listed] == made[::-1]
        assert len(workspace.requests_to("GET */jobs/list")) == 3
        assert not any(job.settings.tasks for job in listed)
        assert [len(job.settings.tasks) for job in w.jobs.list(expand_tasks=True, limit=100)] == [1] * 45
        assert [job.settings.name for job in w.jobs.list(name="JOB 7")] == ["job 7"]
        assert list(w.jobs.list(name="job")) == []


def test_a_run_of_a_job_is_waited_for() -> None:
    with simulated_sdk() as (w, _):
        job_id = w.jobs.create(name="etl", tasks=job_tasks(2)).job_id
        waiter = w.jobs.run_now(job_id)
        run = waiter.result()
        assert (run.run_id, run.job_id, run.run_name) == (waiter.run_id, job_id, "etl")
        assert (run.run_type, run.trigger) == (RunType.JOB_RUN, TriggerType.ONE_TIME)
        assert waiter.response.number_in_job == run.number_in_job
        assert states(run) == {"t0": "SUCCESS", "t1": "SUCCESS"}


def test_only_the_tasks_asked_for_are_run() -> None:
    with simulated_sdk() as (w, _):
        job_id = w.jobs.create(tasks=job_tasks(3)).job_id
        run = w.jobs.run_now(job_id, only=["t1"]).result()
        assert states(run) == {"t1": "SUCCESS"}


def test_parameters_reach_the_notebook(workspace: LocalWorkspace, notebook: Callable[..., None]) -> None:
    notebook("/n", "dbutils.notebook.exit(dbutils.widgets.get('day') + dbutils.widgets.get('hour'))")
    w = sdk_of(workspace)
    parameters = [JobParameterDefinition("day", "1"), JobParameterDefinition("hour", "2")]
    job_id = w.jobs.create(tasks=[Task("main", notebook_task=NotebookTask("/n"))], parameters=parameters).job_id
    run = w.jobs.run_now(job_id, job_parameters={"day": "5"}).result()
    assert w.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result == "52"
    assert [(each.name, each.default, each.value) for each in run.job_parameters] == [
        ("day", "1", "5"),
        ("hour", "2", None),
    ]


def test_notebook_params_are_told_as_overriding_parameters() -> None:
    with simulated_sdk() as (w, _):
        job_id = w.jobs.create(tasks=job_tasks(1)).job_id
        run = w.jobs.run_now(job_id, notebook_params={"day": "5"}).result()
        assert run.overriding_parameters.notebook_params == {"day": "5"}


@pytest.mark.parametrize(("queue", "state"), [(True, "QUEUED"), (False, "SKIPPED")])
def test_a_run_too_many_is_queued_or_skipped(queue: bool, state: str) -> None:
    with simulated_sdk({"t0": {"running": 60}}) as (w, workspace):
        job_id = w.jobs.create(tasks=job_tasks(1), queue=QueueSettings(enabled=queue)).job_id
        w.jobs.run_now(job_id)
        second = w.jobs.run_now(job_id).run_id
        assert w.jobs.get_run(second).state.life_cycle_state.value == state
        workspace.advance(120)
        expected = RunResultState.SUCCESS if queue else RunResultState.MAXIMUM_CONCURRENT_RUNS_REACHED
        assert w.jobs.get_run(second).state.result_state == expected


def test_the_runs_of_a_deleted_job_stay() -> None:
    with simulated_sdk({"t0": FAILED}) as (w, _):
        job_id = w.jobs.create(tasks=job_tasks(1)).job_id
        run_id = w.jobs.run_now(job_id).result().run_id
        w.jobs.delete(job_id)
        assert [run.run_id for run in w.jobs.list_runs(job_id=job_id)] == [run_id]
        with pytest.raises(InvalidParameterValue, match=f"Job {job_id} does not exist"):
            w.jobs.run_now(job_id)
