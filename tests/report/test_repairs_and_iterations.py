"""What goes on after it had ended, and what is many in one: a repaired run and a for-each task, on a real server."""

from __future__ import annotations

import re
from typing import Any

import pytest

from prefect_databricks_runs import Run, RunFailed
from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.local.simulated import FAILED, simulated, task
from tests.report.waiting_flow import WaitingFlow, waiting_flow
from tests.support.processes import wait_until

pytestmark = pytest.mark.usefixtures("prefect_server")

PENDING, BLOCKED, RUNNING = ("PENDING", "Pending"), ("PENDING", "Blocked"), ("RUNNING", "Running")
SUCCESS, FAILURE, UPSTREAM_FAILED = ("COMPLETED", "Success"), ("FAILED", "Failed"), ("CANCELLED", "UpstreamFailed")
LONG = {"running": 10}
FAILS = {**FAILED, **LONG}


def message_of(waiting: WaitingFlow, task_key: str) -> str:
    return waiting.task_runs[task_key]["state"]["message"]


def test_a_run_that_is_repaired_during_the_wait_goes_on_in_the_same_task_runs(prefect_api) -> None:
    """It fails and is repaired between two polls."""
    with simulated({"a": LONG, "b": [FAILS, LONG], "c": LONG}) as client:
        workspace = client.workspace
        run_id = client.submit(task("a"), task("b"), task("c", "b"))
        with waiting_flow(prefect_api, workspace, run_id, "repaired-meanwhile") as waiting:
            waiting.wait_until_it_shows(RUNNING, {"a": RUNNING, "b": RUNNING, "c": BLOCKED})
            before = {key: each["id"] for key, each in waiting.task_runs.items()}
            unread = workspace.fault("GET */runs/get", status=503)
            workspace.advance(10)
            client.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)
            unread.remove()
            waiting.wait_until_it_shows(RUNNING, {"a": SUCCESS, "b": RUNNING, "c": BLOCKED})
            wait_until(lambda: message_of(waiting, "b").startswith("Attempt 2."))
            workspace.advance(10)
            waiting.wait_until_it_shows(RUNNING, {"a": SUCCESS, "b": SUCCESS, "c": RUNNING})
            workspace.advance(10)
            assert isinstance(waiting.end(), Run)
    assert {key: each["id"] for key, each in waiting.task_runs.items()} == before
    assert {key: prefect_api.task_state_names(task_run_id) for key, task_run_id in before.items()} == {
        "a": [PENDING, RUNNING, SUCCESS],
        "b": [PENDING, RUNNING, FAILURE, RUNNING, SUCCESS],
        "c": [BLOCKED, BLOCKED, RUNNING, SUCCESS],
    }
    assert attempts_of(waiting) == {"a": "1", "b": "2", "c": "2"}


def attempts_of(waiting: WaitingFlow) -> dict[str, str]:
    """What the artifact's table says."""
    return dict(re.findall(r"^\| \[(\w+)\]\(\S+\) \| \w+ \| (\d+) \|", waiting.artifact, re.MULTILINE))


def test_a_run_that_is_repaired_after_the_wait_is_drawn_anew_by_the_next_wait(prefect_api) -> None:
    with simulated({"a": LONG, "b": [FAILS, LONG], "c": LONG}) as client:
        run_id = client.submit(task("a"), task("b"), task("c", "b"))
        with waiting_flow(prefect_api, client.workspace, run_id, "failed-at-first") as waiting:
            waiting.wait_until_it_shows(RUNNING, {"a": RUNNING, "b": RUNNING, "c": BLOCKED})
            client.workspace.advance(10)
            assert isinstance(waiting.end(), RunFailed)
            failed = {"a": SUCCESS, "b": ("FAILED", "Failed"), "c": UPSTREAM_FAILED}
            assert waiting.shows(("FAILED", "Failed"), failed)
        client.post("runs/repair", run_id=run_id, rerun_all_failed_tasks=True)
        with waiting_flow(prefect_api, client.workspace, run_id, "repaired-afterwards") as again:
            again.wait_until_it_shows(RUNNING, {"a": SUCCESS, "b": RUNNING, "c": BLOCKED})
            client.workspace.advance(10)
            again.wait_until_it_shows(RUNNING, {"a": SUCCESS, "b": SUCCESS, "c": RUNNING})
            client.workspace.advance(10)
            assert isinstance(again.end(), Run)
    assert waiting.shows(("FAILED", "Failed"), failed)
    assert again.shows(SUCCESS, {"a": SUCCESS, "b": SUCCESS, "c": SUCCESS})


def test_a_retried_task_shows_each_attempt_in_the_same_task_run(prefect_api) -> None:
    with simulated({"a": [FAILS, FAILS, LONG]}) as client:
        run_id = client.submit(task("a", max_retries=2, min_retry_interval_millis=10_000))
        with waiting_flow(prefect_api, client.workspace, run_id, "tried-three-times") as waiting:
            waiting.wait_until_it_shows(RUNNING, {"a": RUNNING})
            for attempt in (2, 3):
                client.workspace.advance(10)
                waiting.wait_until_it_shows(RUNNING, {"a": ("PENDING", "WaitingForRetry")})
                assert message_of(waiting, "a").startswith(f"Attempt {attempt}.")
                client.workspace.advance(10)
                waiting.wait_until_it_shows(RUNNING, {"a": RUNNING})
            client.workspace.advance(10)
            assert isinstance(waiting.end(), Run)
    again = [FAILURE, ("PENDING", "WaitingForRetry"), RUNNING]
    assert waiting.task_run_states == {"a": [PENDING, RUNNING, *again, *again, SUCCESS]}


def for_each(count: int) -> dict[str, Any]:
    inputs = str(list(range(count)))
    return task("each", for_each_task={"inputs": inputs, "concurrency": 1, "task": task("one")})


def test_a_for_each_task_is_one_task_run_that_says_how_far_it_is(prefect_api) -> None:
    with simulated({"one": LONG}) as client:
        run_id = client.submit(for_each(40))
        with waiting_flow(prefect_api, client.workspace, run_id, "forty-iterations") as waiting:
            waiting.wait_until_it_shows(RUNNING, {"each": RUNNING})
            client.workspace.advance(70)
            wait_until(lambda: message_of(waiting, "each").startswith("7/40 iterations."))
            assert "Running (7/40 iterations)" in waiting.artifact
            for done in range(8, 40):
                client.workspace.advance(10)
                if done % 4 == 0:  # told of each tenth
                    wait_until(lambda done=done: message_of(waiting, "each").startswith(f"{done}/40 iterations."))
            client.workspace.advance(10)
            assert isinstance(waiting.end(), Run)
            assert message_of(waiting, "each").startswith("40/40 iterations.")
    states = prefect_api.task_state_names(waiting.task_runs["each"]["id"])
    assert states == [PENDING, *[RUNNING] * 10, SUCCESS]


def test_a_for_each_task_says_how_many_of_its_iterations_failed_and_why(prefect_api) -> None:
    def course(start: Any) -> dict[str, Any]:
        return {**FAILS, "error": "ValueError: no rows", "message": "no rows"} if start.input == 1 else LONG

    with simulated(course) as client:
        run_id = client.submit(for_each(4))
        with waiting_flow(prefect_api, client.workspace, run_id, "one-of-four") as waiting:
            waiting.wait_until_it_shows(RUNNING, {"each": RUNNING})
            client.workspace.advance(40)
            assert isinstance(waiting.end(), RunFailed)
    assert waiting.shows(("FAILED", "Failed"), {"each": ("FAILED", "Failed")})
    assert message_of(waiting, "each").startswith("4/4 iterations, 1 failed.")
    assert "ValueError: no rows" in message_of(waiting, "each")


def test_an_error_that_is_read_at_the_end_does_not_move_the_end_of_the_bar(prefect_api) -> None:
    with simulated({"a": FAILS, "b": LONG}) as client:
        run_id = client.submit(task("a"), task("b", "a", run_if="ALL_DONE"))
        with waiting_flow(prefect_api, client.workspace, run_id, "failed-long-before") as waiting:
            waiting.wait_until_it_shows(RUNNING, {"a": RUNNING, "b": BLOCKED})
            unread = client.workspace.fault("GET */runs/get-output", status=403)
            client.workspace.advance(10)
            waiting.wait_until_it_shows(RUNNING, {"a": FAILURE, "b": RUNNING})
            ended = waiting.task_runs["a"]["end_time"]
            assert "no rows" not in message_of(waiting, "a")
            unread.remove()
            client.workspace.advance(10)
            assert isinstance(waiting.end(), Run)
    assert "ValueError: no rows" in message_of(waiting, "a")
    assert waiting.task_runs["a"]["end_time"] == ended


@pytest.mark.long
def test_a_run_with_as_many_tasks_as_may_be_is_drawn_whole_and_one_with_more_is_summarised(prefect_api) -> None:
    keys = [f"task_{number}" for number in range(30)]
    with simulated({"*": {"pending": 10}}) as client:
        tasks = [task(key) for key in keys]
        for limit, drawn in ((30, keys), (29, [])):
            run_id = client.submit(*tasks)
            name = f"thirty-tasks-of-{limit}"
            with waiting_flow(prefect_api, client.workspace, run_id, name, max_mirrored_tasks=limit) as waiting:
                waiting.wait_until_it_shows(("RUNNING", "Pending"), dict.fromkeys(drawn, PENDING))
                client.workspace.advance(10)
                assert isinstance(waiting.end(), Run)
            assert waiting.shows(SUCCESS, dict.fromkeys(drawn, SUCCESS))
            extra = [] if PREFECT_3 else [RUNNING]
            assert waiting.task_run_states == {key: [PENDING, *extra, SUCCESS] for key in drawn}
            assert set(attempts_of(waiting)) == set(keys)
