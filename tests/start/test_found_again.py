"""A run that an earlier attempt has started is found again, in real flows on a real Prefect server."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect import flow, task

from prefect_databricks_runs import (
    BadRequest,
    DatabricksCredentials,
    RunFailed,
    RunSkipped,
    WaitTimeout,
    asubmit_run_and_wait,
    run_now,
    run_now_and_wait,
    submit_run,
    submit_run_and_wait,
    wait_for_run,
)
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.local import LocalWorkspace

pytestmark = pytest.mark.usefixtures("prefect_server")

QUICK = 0.05
BODY = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}
SUBMIT = "POST */jobs/runs/submit"


class Courses:
    """Plays `courses` one after the other, whichever task begins; the last one for ever."""

    def __init__(self) -> None:
        self.courses: list[dict[str, Any]] = [{}]
        self._lock = threading.Lock()

    def __call__(self, _start: object) -> dict[str, Any]:
        with self._lock:
            return self.courses.pop(0) if len(self.courses) > 1 else self.courses[0]


FAILS = {"result_state": "FAILED", "error": "ValueError: no rows"}


@pytest.fixture
def courses() -> Courses:
    return Courses()


@pytest.fixture
def workspace(courses: Courses) -> Iterator[LocalWorkspace]:
    with LocalWorkspace(script=courses) as workspace:
        yield workspace


class Once:
    """Raises the first time that it is called."""

    def __init__(self) -> None:
        self.called = 0

    def __call__(self) -> None:
        self.called += 1
        if self.called == 1:
            raise ValueError("the first attempt fails")


def in_flow(submit: Callable[[DatabricksCredentials], int]) -> Callable[[DatabricksCredentials], list[int]]:
    """A flow that submits, fails in its first attempt, and is retried; gives the run ids of both attempts."""

    def run(databricks: DatabricksCredentials) -> list[int]:
        once, seen = Once(), []

        @flow(retries=1)
        def parent() -> None:
            seen.append(submit(databricks))
            once()

        parent()
        return seen

    return run


def directly(databricks: DatabricksCredentials) -> int:
    return submit_run(databricks, BODY)


def as_a_future(databricks: DatabricksCredentials) -> int:
    return submit_run.submit(databricks, BODY).result()


def in_a_subflow(databricks: DatabricksCredentials) -> int:
    return submit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK).run_id


def in_a_nested_subflow(databricks: DatabricksCredentials) -> int:
    @flow
    def child() -> int:
        return in_a_subflow(databricks)

    return child()


def in_a_users_task(databricks: DatabricksCredentials) -> int:
    @task(persist_result=False)
    def users() -> int:
        return submit_run(databricks, BODY)

    return users()


WAYS = [directly, as_a_future, in_a_subflow, in_a_nested_subflow, in_a_users_task]


@pytest.mark.parametrize("submit", WAYS, ids=lambda way: way.__name__)
def test_a_retried_flow_finds_its_run_again(submit, databricks, workspace, run_log) -> None:
    first, second = in_flow(submit)(databricks)
    assert first == second
    assert list(workspace.runs) == [first]
    if PREFECT_3 or submit not in (in_a_subflow, in_a_nested_subflow):  # Prefect 2 calls no completed subflow again
        assert f"Databricks run {first}, which an earlier attempt started, is found again" in run_log.text


def test_a_saved_jobs_run_is_found_again_too(databricks, workspace, run_log) -> None:
    with databricks.get_client() as client:
        job_id = client.post("/api/2.2/jobs/create", json={"name": "nightly", **BODY}).json()["job_id"]
    first, second = in_flow(lambda databricks: run_now(databricks, job_id=job_id))(databricks)
    assert first == second
    assert list(workspace.runs) == [first]


def test_equal_mapped_submissions_are_runs_of_their_own_and_all_found_again(databricks, workspace) -> None:
    def submit(databricks: DatabricksCredentials) -> set[int]:
        return {future.result() for future in [submit_run.submit(databricks, BODY) for _ in range(4)]}

    first, second = in_flow(submit)(databricks)
    assert len(first) == 4
    assert first == second == set(workspace.runs)


def test_a_retried_task_of_the_users_finds_the_runs_that_it_started(databricks, workspace) -> None:
    once = Once()

    @task(retries=1, persist_result=False)
    def users() -> list[int]:
        runs = [submit_run(databricks, BODY), submit_run.fn(databricks, BODY)]
        once()
        return runs

    @flow
    def parent() -> list[int]:
        return [*users(), submit_run(databricks, BODY)]

    assert sorted(parent()) == sorted(workspace.runs)
    assert len(workspace.runs) == 3


def test_two_flow_runs_have_two_runs(databricks, workspace) -> None:
    @flow
    def parent() -> int:
        return submit_run(databricks, BODY)

    assert parent() != parent()
    assert len(workspace.runs) == 2


def test_answers_that_are_lost_until_the_task_fails_lead_its_retry_to_the_same_run(databricks, workspace) -> None:
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=3)

    @flow
    def parent() -> int:
        return submit_run.with_options(retries=1)(databricks, BODY, databricks_retry_delay=0.01)

    assert [parent()] == list(workspace.runs)
    assert len(workspace.requests_to(SUBMIT)) == 4


def test_a_run_that_fails_twice_and_then_succeeds_is_three_runs(databricks, workspace, courses, run_log) -> None:
    courses.courses = [FAILS, FAILS, {"result": "done"}]

    @flow(retries=2)
    def parent() -> str:
        return submit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK).tasks["main"].output.result

    assert parent() == "done"
    assert len(workspace.runs) == 3
    assert run_log.text.count("ended Failed; another one is started") == 3  # one, and then both


def fails_and_is_deleted(databricks: DatabricksCredentials) -> None:
    try:
        submit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK)
    except RunFailed as error:
        with databricks.get_client() as client:
            client.post("/api/2.2/jobs/runs/delete", json={"run_id": error.run.run_id}).raise_for_status()
        raise


def test_failed_runs_that_were_deleted_are_followed_by_another(
    databricks, workspace, courses, run_log, prefect_api
) -> None:
    courses.courses = [FAILS, FAILS, {}]

    @flow(name="deleted", retries=2)
    def parent() -> None:
        fails_and_is_deleted(databricks)

    parent()
    assert [run["state"]["result_state"] for run in workspace.runs.values()] == ["SUCCESS"]
    said = "was deleted; another one is started. Databricks said: The run that was submitted"
    assert run_log.text.count(said) == 3  # one, and then both
    (flow_run,) = prefect_api.flow_runs_named("deleted")
    texts = [
        artifact["data"]
        for subflow in prefect_api.subflow_runs(flow_run["id"])
        for artifact in prefect_api.artifacts(subflow["id"])
    ]
    assert any(said in text for text in texts)


def test_what_else_is_refused_is_not_taken_for_a_deleted_run(databricks, workspace) -> None:
    workspace.fault(SUBMIT, status=400, error_code="INVALID_PARAMETER_VALUE", message="The cluster c-1 was deleted")

    @flow
    def parent() -> int:
        return submit_run(databricks, BODY)

    with pytest.raises(BadRequest, match="The cluster c-1 was deleted"):
        parent()
    assert len(workspace.requests_to(SUBMIT)) == 1


def test_a_token_of_ones_own_whose_run_was_deleted_is_refused(databricks) -> None:
    @flow
    def parent() -> int:
        run_id = submit_run(databricks, BODY, idempotency_token="mine")
        wait_for_run(databricks, run_id, polling_period_seconds=QUICK)
        with databricks.get_client() as client:
            client.post("/api/2.2/jobs/runs/delete", json={"run_id": run_id}).raise_for_status()
        return submit_run(databricks, BODY, idempotency_token="mine")

    with pytest.raises(BadRequest, match="has been deleted"):
        parent()


@pytest.mark.skipif(not PREFECT_3, reason="Prefect 2 itself takes the subflow run of the first task for the second's")
@pytest.mark.long
def test_runs_of_other_names_are_not_taken_for_each_other_where_a_retry_skips_one(
    databricks, workspace, courses
) -> None:
    """The first task's persisted result is reused, so only the second one asks in the second attempt."""
    courses.courses = [{}, FAILS, {}]

    @task(persist_result=True)
    def append(name: str) -> str:
        return submit_run_and_wait(databricks, BODY, run_name=name, polling_period_seconds=QUICK).run_name

    @flow(retries=1)
    def parent() -> list[str]:
        return [append("first"), append("second")]

    assert parent() == ["first", "second"]
    ended = [(run["run_name"], run["state"]["result_state"]) for run in workspace.runs.values()]
    assert ended == [("first", "SUCCESS"), ("second", "FAILED"), ("second", "SUCCESS")]


def test_a_waiting_flow_with_retries_of_its_own_starts_three_runs_too(databricks, workspace, courses) -> None:
    courses.courses = [FAILS, FAILS, {}]
    run = submit_run_and_wait.with_options(retries=2)(databricks, BODY, polling_period_seconds=QUICK)
    assert run.state.name == "Success"
    assert len(workspace.runs) == 3


def test_with_repair_it_is_one_run_with_two_repairs_and_the_same_parameters(
    databricks, workspace, courses, run_log
) -> None:
    courses.courses = [FAILS, FAILS, {"result": "done"}]
    with databricks.get_client() as client:
        job = {"name": "nightly", "parameters": [{"name": "day", "default": "?"}], **BODY}
        job_id = client.post("/api/2.2/jobs/create", json=job).json()["job_id"]

    @flow(retries=2)
    def parent() -> str:
        run = run_now_and_wait(
            databricks,
            job_id=job_id,
            job_parameters={"day": "monday"},
            on_retry="repair",
            polling_period_seconds=QUICK,
        )
        assert run.state.name == "Success"
        return run.tasks["main"].output.result

    assert parent() == "done"
    assert len(workspace.runs) == 1
    repairs = [request.body for request in workspace.requests_to("POST */runs/repair")]
    assert [body["job_parameters"] for body in repairs] == [{"day": "monday"}] * 2
    assert [body.get("latest_repair_id") is None for body in repairs] == [True, False]
    assert run_log.text.count("is repaired") == 2


def test_a_repair_whose_answer_is_lost_is_made_once(databricks, workspace, courses) -> None:
    courses.courses = [FAILS, {"running": 0.5}]
    workspace.fault("POST */runs/repair", reset=True, after_effect=True, times=1)
    waits = submit_run_and_wait.with_options(retries=1)
    run = waits(databricks, BODY, on_retry="repair", polling_period_seconds=QUICK, databricks_retry_delay=0.01)
    assert run.state.name == "Success"
    assert len(workspace.requests_to("POST */runs/repair")) == 2
    assert len(run.attempts) == 2


@pytest.mark.long
def test_a_cancelled_run_that_is_repaired_is_not_taken_for_one_that_is_about_to_end(
    databricks, workspace, courses, run_log
) -> None:
    courses.courses = [{"running": 60}, {"running": 3}]
    attempts = itertools.count(1)

    @flow(retries=2)
    def parent() -> str:
        attempt = next(attempts)
        run_id = submit_run(databricks, BODY, on_retry="repair")
        if attempt == 2:
            raise ValueError("the second attempt fails, while the repaired run goes on")
        seconds = 0.5 if attempt == 1 else None
        return wait_for_run(databricks, run_id, polling_period_seconds=QUICK, max_wait_seconds=seconds).state.name

    assert parent() == "Success"
    assert len(workspace.runs) == 1
    assert "is found again: Running" in run_log.text


def test_a_run_that_cannot_be_repaired_is_followed_by_another(databricks, workspace, courses, run_log) -> None:
    courses.courses = [FAILS, {}]
    workspace.fault("POST */runs/repair", status=400, error_code="INVALID_STATE", message="cannot be repaired")
    waits = submit_run_and_wait.with_options(retries=1)
    assert waits(databricks, BODY, on_retry="repair", polling_period_seconds=QUICK).state.name == "Success"
    assert len(workspace.runs) == 2
    assert "cannot be repaired" in run_log.text


def test_a_run_that_fails_at_once_in_a_first_attempt_is_started_once(databricks, workspace, courses) -> None:
    """Whatever counters say: each state name that we set counts as one more run of the waiting flow."""
    courses.courses = [FAILS]
    with pytest.raises(RunFailed):
        submit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK)
    workspace.fault(SUBMIT, reset=True, after_effect=True, times=2)
    with pytest.raises(RunFailed):
        submit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK, databricks_retry_delay=0.01)
    assert len(workspace.runs) == 2


def test_a_run_that_is_skipped_at_once_is_started_once(databricks, workspace) -> None:
    with databricks.get_client() as client:
        job = {"name": "full", "max_concurrent_runs": 0, "queue": {"enabled": False}, **BODY}
        job_id = client.post("/api/2.2/jobs/create", json=job).json()["job_id"]
    workspace.fault("POST */run-now", reset=True, after_effect=True, times=1)
    with pytest.raises(RunSkipped):
        run_now_and_wait(databricks, job_id=job_id, polling_period_seconds=QUICK, databricks_retry_delay=0.01)
    assert len(workspace.runs) == 1


def test_a_run_that_the_earlier_attempt_has_cancelled_is_followed_by_another(databricks, workspace, courses) -> None:
    courses.courses = [{"running": 60, "terminating": 1}, {}]

    @flow(retries=1)
    def parent() -> str:
        return submit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK, max_wait_seconds=0.5).state.name

    assert parent() == "Success"
    assert [run["state"]["result_state"] for run in workspace.runs.values()] == ["CANCELED", "SUCCESS"]


def test_a_failed_run_is_not_found_again_where_failures_of_tasks_count(databricks, workspace, courses) -> None:
    courses.courses = [FAILS, {}]
    leaf = {"task_key": "always", "depends_on": [{"task_key": "main"}], "run_if": "ALL_DONE"}
    body = {"tasks": [*BODY["tasks"], {**leaf, "notebook_task": {"notebook_path": "/n"}}]}
    waits = submit_run_and_wait.with_options(retries=1)
    run = waits(databricks, body, polling_period_seconds=QUICK, fail_on_task_failures=True)
    assert run.state.name == "Success"
    assert len(workspace.runs) == 2


def test_a_token_of_ones_own_decides_alone(databricks, workspace, courses) -> None:
    courses.courses = [FAILS]

    @flow
    def parent() -> list[int]:
        return [submit_run(databricks, BODY, idempotency_token="mine") for _ in range(2)]

    first, second = parent()
    assert first == second
    assert len(workspace.runs) == 1


def test_async_waits_side_by_side_are_runs_of_their_own(databricks, workspace) -> None:
    once = Once()
    seen: list[set[int]] = []

    @flow(retries=1)
    async def parent() -> None:
        waits = [asubmit_run_and_wait(databricks, BODY, polling_period_seconds=QUICK) for _ in range(3)]
        seen.append({run.run_id for run in await asyncio.gather(*waits)})
        once()

    asyncio.run(parent())
    assert len(seen[0]) == 3
    assert seen == [set(workspace.runs)] * 2


def test_the_names_of_flow_runs_do_not_make_another_request(databricks, workspace) -> None:
    """A subflow run has another name and id in each attempt of its parent."""

    def submit(databricks: DatabricksCredentials) -> int:
        return submit_run_and_wait(
            databricks,
            {**BODY, "run_name": "{{ prefect.flow_run.name }} {{ prefect.flow_run.id }}"},
            polling_period_seconds=QUICK,
        ).run_id

    first, second = in_flow(submit)(databricks)
    assert first == second
    assert "{{" not in workspace.runs[first]["run_name"]


def test_finding_again_is_said_in_the_artifact(databricks, workspace, prefect_api) -> None:
    once = Once()

    @flow(name="found-and-said", retries=1)
    def parent() -> int:
        run_id = submit_run(databricks, BODY)
        once()
        return wait_for_run(databricks, run_id, polling_period_seconds=QUICK).run_id

    parent()
    (flow_run,) = prefect_api.flow_runs_named("found-and-said")
    texts = [artifact["data"] for artifact in prefect_api.artifacts(flow_run["id"])]
    assert any("which an earlier attempt started, is found again" in text for text in texts)


def test_a_wait_that_gave_up_says_so_in_each_attempt(databricks, workspace, courses) -> None:
    courses.courses = [{"running": 60}]
    waits = submit_run_and_wait.with_options(retries=1)
    with pytest.raises(WaitTimeout):
        waits(databricks, BODY, polling_period_seconds=QUICK, max_wait_seconds=0.5)
    assert [run["state"]["result_state"] for run in workspace.runs.values()] == ["CANCELED", "CANCELED"]
