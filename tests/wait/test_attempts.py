"""Why each attempt failed, also where the next one succeeded: in the log, the artifact, the task run and the `Run`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, NamedTuple

import pytest

from prefect_databricks_runs import (
    DatabricksCredentials,
    Run,
    RunFailed,
    WaitTimeout,
    submit_run_and_wait,
    wait_for_run,
    wait_for_runs,
)
from prefect_databricks_runs.local import LocalWorkspace
from tests.conftest import RunLog
from tests.local.client import Client
from tests.local.simulated import task
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

ERRORS = ["ValueError: no rows", "TimeoutError: no warehouse"]
names = (f"attempts-{number}" for number in itertools.count())


def tries(running: float) -> list[dict[str, Any]]:
    """A task that fails twice, each time with an error of its own, and then succeeds."""
    failed = [
        {"running": running, "result_state": "FAILED", "error": error, "error_trace": f"Traceback …\n{error}"}
        for error in ERRORS
    ]
    return [*failed, {"running": running, "result": "42 rows"}]


def retried(task_key: str = "load", **more: Any) -> dict[str, Any]:
    return task(task_key, max_retries=2, min_retry_interval_millis=0, **more)


def for_each() -> dict[str, Any]:
    return {"task_key": "each", "for_each_task": {"inputs": "[1, 2]", "concurrency": 2, "task": retried("nested")}}


class Waited(NamedTuple):
    """What is left of a wait."""

    run: Run
    artifact: str
    task_run: dict[str, Any]
    states: list[dict[str, Any]]
    outputs_read: int


@contextmanager
def waiting(flow_name: str, *tasks: dict[str, Any], running: float, virtual_time: bool = True) -> Iterator[Any]:
    """A flow in another thread that waits for a run of these tasks; gives the workspace and the flow's future."""
    script = {"load": tries(running), "nested": tries(running), "*": {}}
    with LocalWorkspace(script=script, virtual_time=virtual_time) as workspace, ThreadPoolExecutor(1) as threads:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        flow = submit_run_and_wait.with_options(name=flow_name)
        settings = copy_context()  # the tests' Prefect server is among them

        def wait() -> Run:
            return flow(databricks, {"tasks": list(tasks)}, run_name="nightly", polling_period_seconds=0.05)

        try:
            yield workspace, threads.submit(settings.run, wait)
        finally:
            if virtual_time:
                workspace.advance(3600)  # whatever the test came to, the flow ends


def left_by(prefect_api: PrefectApi, flow_name: str, task_key: str, workspace: LocalWorkspace, run: Run) -> Waited:
    (flow_run,) = prefect_api.flow_runs_named(flow_name)
    (artifact,) = [each["data"] for each in prefect_api.artifacts(flow_run["id"]) if each["type"] == "markdown"]
    (task_run,) = [each for each in prefect_api.task_runs(flow_run["id"]) if each["name"] == task_key]
    states = prefect_api.task_run_states(task_run["id"])
    outputs_read = len(workspace.requests_to("GET */runs/get-output"))
    return Waited(run, artifact, task_run, states, outputs_read)


def rows(artifact: str) -> list[list[str]]:
    """The cells of the attempts in an artifact."""
    table = artifact.partition("### Attempts\n\n")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip().replace("\\", "") for cell in line.strip("|").split("|")] for line in table]


def in_task_run_log(run_log: RunLog, task_run: dict[str, Any], says: str) -> list[str]:
    records = [each for each in run_log.records if str(getattr(each, "task_run_id", "")) == task_run["id"]]
    return [each.getMessage() for each in records if says in each.getMessage()]


def assert_three_stories(waited: Waited, run_log: RunLog) -> None:
    """Of the task `load`."""
    assert [each.output.error for each in waited.run.attempts if each.is_failed] == ERRORS
    assert waited.run.tasks["load"].result == "42 rows"

    head, again = f"of Databricks run {waited.run.run_id}", "Task load (attempt 2)"
    failed = [
        f"Task load {head} failed:\n    Traceback …\n    {ERRORS[0]}",
        f"{again} {head} failed:\n    Traceback …\n    {ERRORS[1]}",
    ]
    assert in_task_run_log(run_log, waited.task_run, "failed:") == failed
    returned = [f"Task load (attempt 3) {head} returned: 42 rows"]
    assert in_task_run_log(run_log, waited.task_run, "returned") == returned
    assert not [line for line in run_log.lines if "see run output" in line]

    attempts = [(row[1], row[2], row[3]) for row in rows(waited.artifact)]
    assert attempts == [("1", "Failed", ERRORS[0]), ("2", "Failed", ERRORS[1]), ("3", "Success", "")]
    assert "| 42 rows |" in waited.artifact

    shown = [each for each in waited.states if each["name"] in ("Failed", "Success")]
    assert [each["name"] for each in shown] == ["Failed", "Failed", "Success"]
    for state, error in zip(shown, ERRORS, strict=False):
        assert error in state["message"]
    assert (waited.task_run["state_type"], waited.task_run["state_name"]) == ("COMPLETED", "Success")


def test_tries_that_are_seen_one_after_the_other_tell_three_stories(prefect_api, run_log) -> None:
    flow_name = next(names)
    with waiting(flow_name, retried(), running=10) as (workspace, ended):
        for number, name in enumerate(["Task load of", "Task load (attempt 2) of"], 1):
            wait_until(lambda name=name: any(line.startswith(name) and "is Running" in line for line in run_log.lines))
            workspace.advance(10)
            wait_until(lambda name=name: any(line.startswith(name) and "failed:" in line for line in run_log.lines))
            assert len(workspace.requests_to("GET */runs/get-output")) == number  # while it runs, and not again
        wait_until(lambda: any(line.startswith("Task load (attempt 3)") for line in run_log.lines))
        workspace.advance(10)
        waited = left_by(prefect_api, flow_name, "load", workspace, ended.result(60))
    assert_three_stories(waited, run_log)
    assert waited.outputs_read == 3


def test_tries_that_are_over_before_the_first_look_tell_the_same(prefect_api, run_log) -> None:
    flow_name = next(names)
    with waiting(flow_name, retried(), running=0) as (workspace, ended):
        waited = left_by(prefect_api, flow_name, "load", workspace, ended.result(60))
    assert_three_stories(waited, run_log)
    assert waited.outputs_read == 3


@pytest.mark.parametrize("fetch_output", [True, False])
def test_an_output_is_read_once_for_each_failed_attempt_and_of_others_only_if_wanted(fetch_output: bool) -> None:
    script = {"load": tries(0), "*": {"result": "done"}}
    with LocalWorkspace(script=script, virtual_time=True) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        submit_run_and_wait(databricks, {"tasks": [retried(), task("a"), task("b", "load")]}, fetch_output=fetch_output)
        assert len(workspace.requests_to("GET */runs/get-output")) == 2 + 3 * fetch_output


def test_iterations_that_failed_at_first_tell_theirs(prefect_api, run_log) -> None:
    flow_name = next(names)
    with waiting(flow_name, for_each(), running=0) as (workspace, ended):
        waited = left_by(prefect_api, flow_name, "each", workspace, ended.result(60))
    tried = waited.run.tasks["each"].failed_iterations
    assert sorted((each.attempt_number, each.output.error) for each in tried) == [
        (number, error) for number, error in enumerate(ERRORS) for _ in range(2)
    ]
    assert waited.outputs_read == 4 + 1  # and that of the for-each task itself, because `fetch_output` is on
    said = in_task_run_log(run_log, waited.task_run, "Iteration")
    assert sorted(line.partition("(")[2] for line in said) == sorted(
        f"attempt {number}): {error}" for number, error in enumerate(ERRORS, 1) for _ in range(2)
    )
    assert sorted((row[1], row[2], row[3]) for row in rows(waited.artifact)) == sorted(
        (str(number), "Failed", error) for number, error in enumerate(ERRORS, 1) for _ in range(2)
    )
    assert (
        f"4 attempts at iterations failed: {ERRORS[0]} (2 times); {ERRORS[1]} (2 times)."
        in waited.states[-1]["message"]
    )


def test_a_for_each_task_whose_iterations_are_not_retried_costs_no_request_when_it_succeeds() -> None:
    nested = {"task_key": "each", "for_each_task": {"inputs": "[1, 2]", "task": task("a")}}
    with LocalWorkspace(script={"*": {}}, virtual_time=True) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        run = submit_run_and_wait(databricks, {"tasks": [nested]}, fetch_output=False)
        asked_for = {request.query.get("run_id") for request in workspace.requests_to("GET */runs/get")}
        assert asked_for == {str(run.run_id)}
        assert not workspace.requests_to("GET */runs/get-output")


@pytest.fixture
def repaired() -> Iterator[tuple[LocalWorkspace, DatabricksCredentials, int]]:
    """A run that failed, was repaired, failed again, was repaired again, and then succeeded."""
    with LocalWorkspace(script={"load": tries(0), "*": {}}, virtual_time=True) as workspace:
        client = Client(workspace)
        run_id = client.submit(task("load"))
        latest: dict[str, Any] = {}
        for _ in ERRORS:
            workspace.advance(1)
            repair = client.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True, **latest)
            latest = {"latest_repair_id": repair["repair_id"]}
        workspace.advance(1)
        client.close()
        yield workspace, DatabricksCredentials(host=workspace.url, token=workspace.token), run_id


def test_repairs_tell_theirs(repaired, prefect_api, run_log) -> None:
    workspace, databricks, run_id = repaired
    flow_name = next(names)
    run = wait_for_run.with_options(name=flow_name)(databricks, run_id)
    assert_three_stories(left_by(prefect_api, flow_name, "load", workspace, run), run_log)


def test_in_a_wait_for_many_runs_they_are_in_the_log_and_in_the_run(repaired, run_log) -> None:
    _, databricks, run_id = repaired
    (run,) = wait_for_runs(databricks, [run_id])
    assert [each.output.error for each in run.failed_attempts] == ERRORS
    for error in ERRORS:
        assert [line for line in run_log.lines if line.endswith(error)]


def test_a_failed_attempt_is_logged_although_the_wait_ends_early(run_log) -> None:
    with LocalWorkspace(script={"load": [*tries(0)[:1], {"running": 3600}]}, virtual_time=True) as workspace:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        with pytest.raises(Exception, match="max_wait_seconds"):
            submit_run_and_wait(databricks, {"tasks": [retried()]}, max_wait_seconds=0.5, polling_period_seconds=0.05)
    assert [line for line in run_log.lines if "failed:" in line and line.endswith(ERRORS[0])]


def test_what_is_known_stays_in_prefect_although_the_wait_ends_early(prefect_api) -> None:
    flow_name = next(names)
    script = {"load": [*tries(0)[:1], {"running": 3600}], "bad": tries(0)[0], "done": {"result": "43 rows"}}
    with LocalWorkspace(script=script, virtual_time=True) as workspace, ThreadPoolExecutor(1) as threads:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        flow = submit_run_and_wait.with_options(name=flow_name)
        tasks = [retried(), task("bad"), task("done")]
        ended = threads.submit(
            copy_context().run, flow, databricks, {"tasks": tasks}, max_wait_seconds=1, polling_period_seconds=0.05
        )
        wait_until(lambda: workspace.requests_to("POST */runs/cancel"))
        workspace.advance(60)
        with pytest.raises(WaitTimeout):
            ended.result(60)
    (flow_run,) = prefect_api.flow_runs_named(flow_name)
    wait_until(lambda: "**Canceled**" in markdown_of(prefect_api, flow_run["id"]))
    text = markdown_of(prefect_api, flow_run["id"])
    assert "| 43 rows |" in text
    assert ("load", "1", "Failed", ERRORS[0]) in {(row[0][1:5], row[1], row[2], row[3]) for row in rows(text)}
    (bad,) = [each for each in prefect_api.task_runs(flow_run["id"]) if each["name"] == "bad"]
    assert [name for _, name in prefect_api.task_state_names(bad["id"])].count("Failed") == 1
    assert ERRORS[0] in bad["state"]["message"]


def markdown_of(prefect_api: PrefectApi, flow_run_id: str) -> str:
    return next((each["data"] for each in prefect_api.artifacts(flow_run_id) if each["type"] == "markdown"), "")


def test_each_attempt_at_a_run_job_task_says_what_raised_in_its_run(run_log) -> None:
    with LocalWorkspace(script={"load": tries(0)[0], "*": {}}, virtual_time=True) as workspace:
        client = Client(workspace)
        job_id = client.post("create", name="inner", tasks=[task("load")])["job_id"]
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        other = {"task_key": "other", "run_job_task": {"job_id": job_id}, "max_retries": 1}
        client.close()
        with pytest.raises(RunFailed):
            submit_run_and_wait(databricks, {"tasks": [{**other, "min_retry_interval_millis": 0}]})
    named = [line for line in run_log.lines if line.startswith("Task other/load of") and line.endswith(ERRORS[0])]
    assert len(named) == 2
