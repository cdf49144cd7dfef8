"""Why a run failed, down to the task that raised, and which runs its tasks have started."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from prefect_databricks_runs import DatabricksHook, PermissionDenied, Run, RunFailed, RunOutput, submit_run_and_wait
from prefect_databricks_runs._report.artifact import artifact_text
from prefect_databricks_runs._report.task_runs import shown_state
from prefect_databricks_runs._wait import outputs
from prefect_databricks_runs.local import LocalWorkspace
from tests.support import answers
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.usefixtures("prefect_server")

QUICK = 0.05


def a_job(databricks, name: str, *tasks: dict[str, Any]) -> int:
    with databricks.get_client() as client:
        answer = client.post("/api/2.2/jobs/create", json={"name": name, "tasks": list(tasks)})
        return answer.raise_for_status().json()["job_id"]


def a_notebook(task_key: str, **more: Any) -> dict[str, Any]:
    return {"task_key": task_key, "notebook_task": {"notebook_path": f"/{task_key}"}, **more}


def run_job(job_id: int, **more: Any) -> dict[str, Any]:
    return {"tasks": [{"task_key": "other", "run_job_task": {"job_id": job_id}, **more}]}


def children(workspace: LocalWorkspace, job_id: int) -> list[int]:
    return [run["run_id"] for run in workspace.runs.values() if run["job_id"] == job_id]


def test_a_run_job_task_is_linked_with_its_run_while_it_goes_on_and_after(
    databricks, workspace, notebook, prefect_api
) -> None:
    notebook("/slow", "import time; time.sleep(1)")
    job_id = a_job(databricks, "slow", a_notebook("slow"))
    flow = submit_run_and_wait.with_options(name="linked")
    flow(databricks, run_job(job_id), polling_period_seconds=QUICK, fetch_output=False)

    (child,) = children(workspace, job_id)
    link = f"{workspace.url}/jobs/{job_id}/runs/{child}?o="
    (flow_run,) = prefect_api.flow_runs_named("linked")
    (mirrored,) = [each for each in prefect_api.task_runs(flow_run["id"]) if each["name"] == "other"]
    messages = {state["name"]: state["message"] for state in prefect_api.task_run_states(mirrored["id"])}
    assert f"Run: {link}" in messages["Running"]
    assert f"Run: {link}" in messages["Success"]
    (text,) = [each["data"] for each in prefect_api.artifacts(flow_run["id"]) if each["type"] == "markdown"]
    assert f"[run {child}]({link}" in text


class Links:
    """The hook of a workspace that gives no link; tells which were asked for, and how many at most at once."""

    def __init__(self, answer: Callable[[], Awaitable[RunOutput]]) -> None:
        self.clock = FakeClock()
        self.asked: list[int] = []
        self.going = self.most = 0
        self._answer = answer

    async def get_run_output(self, run_id: int) -> RunOutput:
        self.asked.append(run_id)
        self.going += 1
        self.most = max(self.most, self.going)
        try:
            return await self._answer()
        finally:
            self.going -= 1


async def refuse() -> RunOutput:
    await anyio.lowlevel.checkpoint()
    raise PermissionDenied("You may not view this run", status_code=403, method="GET", path="/runs/get-output")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "seconds", "asked"), [(anyio.sleep_forever, 0.05, 8), (refuse, 60.0, 20)], ids=["hangs", "refuses"]
)
async def test_links_that_cannot_be_read_hold_the_wait_up_once_and_not_at_each_change(
    answer, seconds, asked, monkeypatch
) -> None:
    monkeypatch.setattr(outputs, "_RUNNING_SECONDS", seconds)
    keys = [f"task-{number}" for number in range(20)]
    tasks = [answers.task(key, "RUNNING", run_job_task={"job_id": 1}) for key in keys]
    going = Run.from_api(answers.run("RUNNING", tasks=tasks), answers.HOST)
    links = Links(answer)
    reader = outputs.OutputReader(links, logging.getLogger(__name__), every_task=False)
    assert await reader.so_far(going) == going
    assert links.most == 8
    assert len(links.asked) == asked
    await reader.so_far(going)
    assert len(links.asked) == asked
    await links.clock.sleep(60)
    await reader.so_far(going)
    assert len(links.asked) == 2 * asked


def test_a_failed_run_job_task_says_what_raised_in_the_run_that_it_started(
    databricks, notebook, run_log, prefect_api
) -> None:
    notebook("/broken", "1 / 0")
    inner = a_job(databricks, "inner", a_notebook("broken"))
    outer = a_job(databricks, "outer", {"task_key": "middle", "run_job_task": {"job_id": inner}})
    flow = submit_run_and_wait.with_options(name="failed-below")
    with pytest.raises(RunFailed, match="ZeroDivisionError: division by zero") as caught:
        flow(databricks, run_job(outer), polling_period_seconds=QUICK)

    assert list(caught.value.errors) == ["other", "other/middle", "other/middle/broken"]
    assert "1 / 0" in caught.value.errors["other/middle/broken"].error_trace
    assert [line for line in run_log.lines if line.startswith("Task other/middle/broken of") and "1 / 0" in line]
    (flow_run,) = prefect_api.flow_runs_named("failed-below")
    (text,) = [each["data"] for each in prefect_api.artifacts(flow_run["id"]) if each["type"] == "markdown"]
    assert "### other/middle/broken: Failed" in text
    assert "1 / 0" in text


def test_a_failed_for_each_task_has_the_traceback_of_an_iteration(databricks, notebook) -> None:
    notebook("/halve", "n = int(dbutils.widgets.get('n'))", "assert n % 2 == 0, f'{n} is odd'")
    nested = {
        **a_notebook("halve"),
        "notebook_task": {"notebook_path": "/halve", "base_parameters": {"n": "{{input}}"}},
    }
    body = {"tasks": [{"task_key": "each", "for_each_task": {"inputs": "[2, 3, 4]", "task": nested}}]}
    with pytest.raises(RunFailed, match="3 is odd") as caught:
        submit_run_and_wait(databricks, body, polling_period_seconds=QUICK)
    assert "assert n % 2 == 0" in caught.value.errors["each"].error_trace


def test_what_is_behind_a_failed_task_and_cannot_be_read_is_said_and_does_not_hide_the_failure(
    databricks, workspace, notebook, run_log, monkeypatch
) -> None:
    notebook("/broken", "1 / 0")
    job_id = a_job(databricks, "inner", a_notebook("broken"))
    get_run = DatabricksHook.get_run

    async def get_own_run(self: DatabricksHook, run_id: int) -> Run:
        if run_id in children(workspace, job_id):
            raise PermissionDenied("You may not view this run", status_code=403, method="GET", path="/runs/get")
        return await get_run(self, run_id)

    monkeypatch.setattr(DatabricksHook, "get_run", get_own_run)
    with pytest.raises(RunFailed) as caught:
        submit_run_and_wait(databricks, run_job(job_id), polling_period_seconds=QUICK)
    assert list(caught.value.errors) == ["other"]
    assert "Could not read the cause of a failed task. Databricks answered 403" in run_log.text


class Outputs:
    """The hook of a workspace that gives these outputs, one after the other, and tells which were asked for."""

    def __init__(self, *answers_: dict[str, Any], iterations: list[dict[str, Any]] | None = None) -> None:
        self.clock = FakeClock()
        self.asked: list[int] = []
        self.listed: list[int] = []
        self._answers = iter(answers_)
        self._iterations = iterations or []

    async def get_run_output(self, run_id: int) -> RunOutput:
        self.asked.append(run_id)
        return RunOutput.from_api(next(self._answers, {"error": "ValueError: no rows"}))

    async def get_run(self, run_id: int) -> Run:
        self.listed.append(run_id)
        return Run.from_api({**answers.run("TERMINATED", "FAILED"), "iterations": self._iterations}, answers.HOST)


def reader_of(hook: Any) -> outputs.OutputReader:
    return outputs.OutputReader(hook, logging.getLogger(__name__), every_task=False)


def run_of(*tasks: dict[str, Any]) -> Run:
    return Run.from_api(answers.run("RUNNING", tasks=list(tasks)), answers.HOST)


@pytest.mark.anyio
async def test_what_a_run_job_task_said_while_it_ran_is_not_taken_for_how_it_ended() -> None:
    job = {"run_job_task": {"job_id": 1}}
    hook = Outputs({}, {"run_job_output": {"run_id": 99}}, {"run_job_output": {"run_id": 99}, "error": "E: child"})
    reader = reader_of(hook)
    going = run_of(answers.task("a", "RUNNING", **job))
    assert (await reader.so_far(going)).tasks["a"].run_job_run_id is None
    await hook.clock.sleep(60)
    assert (await reader.so_far(going)).tasks["a"].run_job_run_id == 99
    ended = await reader.so_far(run_of(answers.task("a", "TERMINATED", "FAILED", **job)))
    assert ended.tasks["a"].output.error == "E: child"
    assert len(hook.asked) == 3


@pytest.mark.anyio
async def test_an_entry_that_two_pages_have_is_read_once() -> None:
    failed = answers.task("each", "TERMINATED", "FAILED", for_each_task={"task": {}})
    iteration = answers.task("one", "TERMINATED", "FAILED", run_id=5)
    hook = Outputs(iterations=[iteration, iteration])
    run = await reader_of(hook).so_far(run_of(failed, failed))
    assert len(hook.listed) == 1
    assert sorted(hook.asked) == sorted([5, run.tasks["each"].run_id])


@pytest.mark.anyio
async def test_of_very_many_failed_iterations_a_hundred_are_read_and_it_says_so() -> None:
    each = answers.task("each", "TERMINATED", "SUCCESS", for_each_task={"task": {"max_retries": 1}})
    iterations = [answers.task("one", "TERMINATED", "FAILED", run_id=number) for number in range(1, 301)]
    hook = Outputs(iterations=iterations)
    run = await reader_of(hook).at_the_end(run_of(each))
    assert len(hook.asked) == 100
    assert (
        "100 or more attempts at iterations failed: ValueError: no rows (100 times)."
        in shown_state(run.tasks["each"]).message
    )
    assert "At most 100 failed attempts at iterations of a for-each task are shown." in artifact_text(run)
