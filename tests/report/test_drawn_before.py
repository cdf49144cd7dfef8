"""A retried flow run goes on with the task runs that its earlier attempt drew, whatever release or Python did."""

from __future__ import annotations

import itertools
import logging
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from prefect import State
from prefect.states import Failed, Pending, Running

from prefect_databricks_runs import DatabricksCredentials, Run, RunFailed, wait_for_run
from prefect_databricks_runs._report import task_runs
from prefect_databricks_runs._report.drawn_before import DrawnBefore
from tests.local.simulated import FAILED, simulated, task
from tests.support import answers
from tests.support.prefect_api import PrefectApi


def test_a_task_run_that_another_release_has_drawn_is_found(prefect_api: PrefectApi, monkeypatch) -> None:
    create, keys = task_runs.MirroredTask._create, itertools.count()

    async def with_a_key_of_its_own(mirrored: Any, *given: Any) -> Any:
        monkeypatch.setattr(task_runs._databricks_task, "task_key", f"of-release-{next(keys)}")
        return await create(mirrored, *given)

    monkeypatch.setattr(task_runs.MirroredTask, "_create", with_a_key_of_its_own)
    flow = wait_for_run.with_options(name="drawn-by-two-releases", retries=1)
    with simulated({"a": FAILED}) as client:
        run_id = client.submit(task("a"))
        databricks = DatabricksCredentials(host=client.workspace.url, token=client.workspace.token)
        with pytest.raises(RunFailed):
            flow(databricks, run_id)
    assert next(keys) == 2  # so both attempts drew it
    (flow_run,) = prefect_api.flow_runs_named("drawn-by-two-releases")
    (drawn,) = prefect_api.task_runs(flow_run["id"])
    assert (drawn["name"], drawn["task_key"]) == ("a", "of-release-0")
    assert drawn["dynamic_key"] == f"{run_id}-a"  # which every release writes the same


def test_the_key_is_pinned() -> None:
    assert task_runs._databricks_task.task_key == "databricks-task"


@pytest.mark.anyio
async def test_a_first_attempt_costs_no_request() -> None:
    before = DrawnBefore(SimpleNamespace(id=uuid4(), run_count=1))
    assert await before.find(None, "7-a") is None


class Prefect:
    """Prefect's client, with one task run in it; keeps the states that were set."""

    def __init__(self, *states: State) -> None:
        self.states = list(states)
        self.meanwhile = lambda: None

    async def create_task_run(self, **_: Any) -> Any:
        self.meanwhile()
        return SimpleNamespace(id=uuid4(), state=Pending())

    async def read_task_run_states(self, _: Any) -> list[State]:
        return self.states

    async def read_task_runs(self, **_: Any) -> list[Any]:
        if not self.states:
            return []
        return [SimpleNamespace(id=uuid4(), dynamic_key="7-a", state=self.states[-1], run_count=1)]

    async def set_task_run_state(self, _: Any, state: State, *, force: bool) -> None:
        self.states.append(state)

    @property
    def shown(self) -> list[tuple[str, str]]:
        return [(state.name, state.message.rpartition("/")[2]) for state in self.states if state.name != "Pending"]


def drawn(prefect: Prefect, *attempts: dict[str, Any]) -> task_runs.MirroredTask:
    mirrored = task_runs.MirroredTask(
        uuid4(),
        "7-a",
        "a",
        state=task_runs.UNWATCHED,
        logger=logging.getLogger(__name__),
        drawn_before=DrawnBefore(SimpleNamespace(id=uuid4(), run_count=2)),
    )
    show(mirrored, *attempts)
    return mirrored


def show(mirrored: task_runs.MirroredTask, *attempts: dict[str, Any]) -> None:
    run = Run.from_api(answers.run("RUNNING", tasks=list(attempts)), answers.HOST)
    mirrored.state, mirrored.attempt = task_runs.shown_state(run.tasks["a"]), run.tasks["a"].run_id
    mirrored.earlier = task_runs.shown_failures(run).get("a", {})


def attempt(number: int, *state: str) -> dict[str, Any]:
    return answers.task("a", *state, run_id=number + 1, attempt_number=number)


FIRST_FAILED, SECOND_FAILED = attempt(0, "TERMINATED", "FAILED"), attempt(1, "TERMINATED", "FAILED")
FAILED_BEFORE = Failed(message=f"E: x {answers.HOST}/jobs/42/runs/1?o=77")


@pytest.mark.anyio
async def test_a_failed_attempt_that_its_history_has_is_not_shown_again_and_others_are() -> None:
    prefect = Prefect(FAILED_BEFORE, Running(message="Attempt 2."))
    await drawn(prefect, FIRST_FAILED, SECOND_FAILED, attempt(2, "TERMINATED", "SUCCESS")).tell(prefect)
    assert [name for name, _ in prefect.shown].count("Failed") == 2
    ends = [each for each in prefect.shown if each[0] != "Running"]  # on Prefect 2 each is preceded by one
    assert ends[-2:] == [("Failed", "2?o=77"), ("Success", "3?o=77")]


@pytest.mark.anyio
async def test_what_happens_while_it_is_created_is_shown_after_that_and_in_order() -> None:
    prefect = Prefect()
    mirrored = drawn(prefect, attempt(0, "RUNNING"))
    prefect.meanwhile = lambda: show(mirrored, FIRST_FAILED, attempt(1, "RUNNING"))
    await mirrored.tell(prefect)
    await mirrored.tell(prefect)
    assert prefect.shown == [("Running", "1?o=77"), ("Failed", "1?o=77"), ("Running", "2?o=77")]
