"""What a mirrored task run shows of its Databricks task."""

from __future__ import annotations

import logging

import pytest

from prefect_databricks_runs import Run
from prefect_databricks_runs._report import artifact_text
from prefect_databricks_runs._report.logs import ChangeLog
from prefect_databricks_runs._report.task_runs import shown_state
from tests.support.answers import HOST, RUN_ID, run, task, with_output

# life_cycle_state, result_state → type and name of the task run's state: the table of the docs
SHOWN = [
    ("QUEUED", None, "PENDING", "Queued"),
    ("PENDING", None, "PENDING", "Pending"),
    ("BLOCKED", None, "PENDING", "Blocked"),
    ("WAITING_FOR_RETRY", None, "PENDING", "WaitingForRetry"),
    ("RUNNING", None, "RUNNING", "Running"),
    ("TERMINATING", None, "RUNNING", "Terminating"),
    ("DEFROSTING", None, "RUNNING", "Defrosting"),
    ("TERMINATED", "SUCCESS", "COMPLETED", "Success"),
    ("TERMINATED", "SUCCESS_WITH_FAILURES", "COMPLETED", "SuccessWithFailures"),
    ("SKIPPED", "EXCLUDED", "COMPLETED", "Excluded"),
    ("SKIPPED", "DISABLED", "COMPLETED", "Disabled"),
    ("TERMINATED", "FAILED", "FAILED", "Failed"),
    ("TERMINATED", "TIMEDOUT", "FAILED", "TimedOut"),
    ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "FAILED", "Skipped"),
    ("TERMINATED", "CANCELED", "CANCELLED", "Canceled"),
    ("SKIPPED", "UPSTREAM_FAILED", "CANCELLED", "UpstreamFailed"),
    ("SKIPPED", "UPSTREAM_CANCELED", "CANCELLED", "UpstreamCanceled"),
    ("INTERNAL_ERROR", None, "CRASHED", "InternalError"),
    ("INTERNAL_ERROR", "FAILED", "FAILED", "Failed"),
    ("TERMINATED", "EVICTED", "FAILED", "Evicted"),
]


def only_task(*state: str | None, **more: object) -> Run:
    return Run.from_api(run("RUNNING", tasks=[task("a", *state, **more)]), HOST)


@pytest.mark.parametrize(("life_cycle", "result", "kind", "name"), SHOWN)
def test_each_databricks_state_has_its_prefect_state(life_cycle, result, kind, name) -> None:
    shown = shown_state(only_task(life_cycle, result).tasks["a"])
    assert (shown.type.value, shown.name) == (kind, name)


def test_the_message_has_attempt_error_and_link() -> None:
    failed = with_output(only_task("TERMINATED", "FAILED", attempt_number=1), "a", error="E: no rows")
    assert shown_state(failed.tasks["a"]).message == f"Attempt 2. E: no rows {failed.tasks['a'].url}"


def test_a_for_each_task_says_how_far_it_is() -> None:
    stats = {"total_iterations": 40, "completed_iterations": 7, "failed_iterations": 0}
    going = only_task("RUNNING", for_each_task={"stats": {"task_run_stats": stats}})
    assert going.tasks["a"].iterations_done == "7/40 iterations"
    stats["failed_iterations"] = 2
    assert going.tasks["a"].iterations_done == "7/40 iterations, 2 failed"
    assert shown_state(going.tasks["a"]).message.startswith("7/40 iterations, 2 failed. ")
    assert "| Running (7/40 iterations, 2 failed) |" in artifact_text(going)
    assert only_task("RUNNING").tasks["a"].iterations_done == ""


def test_a_for_each_task_that_failed_gives_the_errors_of_its_iterations() -> None:
    errors = [{"count": 2, "error_message": "ValueError: no rows"}, {"count": 1, "error_message": "KeyError: 'day'"}]
    failed = only_task("TERMINATED", "FAILED", for_each_task={"stats": {"error_message_stats": errors}}).tasks["a"]
    assert failed.reason == "ValueError: no rows (2 times); KeyError: 'day' (1 times)"
    assert failed.reason in shown_state(failed).message


def test_a_condition_says_how_it_came_out() -> None:
    decided = only_task("TERMINATED", "SUCCESS", condition_task={"op": "EQUAL_TO", "outcome": "false"})
    assert shown_state(decided.tasks["a"]).message.startswith("Outcome: false.")
    assert "| Success (false) |" in artifact_text(decided)


def test_the_log_says_how_a_condition_came_out_and_how_far_a_for_each_task_is(caplog) -> None:
    stats = {"total_iterations": 3, "completed_iterations": 3}
    each = task("each", "TERMINATED", "SUCCESS", for_each_task={"stats": {"task_run_stats": stats}})
    decided = task("is_full", "TERMINATED", "SUCCESS", condition_task={"outcome": "true"})
    with caplog.at_level("INFO", "tests.changes"):
        ChangeLog(logging.getLogger("tests.changes")).changes(
            Run.from_api(run("TERMINATED", "SUCCESS", tasks=[each, decided]), HOST)
        )
    assert f"Task each of Databricks run {RUN_ID} is Success (3/3 iterations)" in caplog.messages
    assert f"Task is_full of Databricks run {RUN_ID} is Success (true)" in caplog.messages
