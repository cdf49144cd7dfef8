"""What Prefect is told: the final state of each outcome, and that telling it never hurts the run."""

from __future__ import annotations

import asyncio
import logging

import pytest

from prefect_databricks_runs import (
    Run,
    RunCanceled,
    RunFailed,
    RunInternalError,
    RunOutput,
    RunSkipped,
    RunTimedOut,
)
from prefect_databricks_runs.report import RunReport, artifact_text, final_state
from tests.answers import HOST, RUN_ID, run, task

# life_cycle_state, result_state → the Prefect state's type and name, and the error: the table of the README
FINAL = [
    ("TERMINATED", "SUCCESS", "COMPLETED", "Success", None),
    ("TERMINATED", "SUCCESS_WITH_FAILURES", "COMPLETED", "SuccessWithFailures", None),
    ("TERMINATED", "FAILED", "FAILED", "Failed", RunFailed),
    ("TERMINATED", "TIMEDOUT", "FAILED", "TimedOut", RunTimedOut),
    ("TERMINATED", "CANCELED", "CANCELLED", "Canceled", RunCanceled),
    ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", "FAILED", "Skipped", RunSkipped),
    ("INTERNAL_ERROR", None, "CRASHED", "InternalError", RunInternalError),
    ("INTERNAL_ERROR", "FAILED", "FAILED", "Failed", RunFailed),
    ("TERMINATED", "EVICTED", "FAILED", "Evicted", RunFailed),
]


def over(life_cycle: str, result: str | None, **more: object) -> Run:
    return Run.from_api(run(life_cycle, result, **more), HOST)


@pytest.mark.parametrize(("life_cycle", "result", "kind", "name", "error"), FINAL)
def test_every_outcome_has_its_final_state(life_cycle, result, kind, name, error) -> None:
    ended = over(life_cycle, result)
    state = final_state(ended, fail_on_task_failures=False)
    assert (state.type.value, state.name) == (kind, name)
    assert ended.url in state.message
    assert str(RUN_ID) in state.message
    if error:
        assert type(state.data) is error
        assert state.data.run is ended
    else:
        assert state.data is ended


def test_success_with_failures_fails_for_those_who_ask() -> None:
    failed = over("TERMINATED", "SUCCESS_WITH_FAILURES", tasks=[task("a", "TERMINATED", "FAILED")])
    state = final_state(failed, fail_on_task_failures=True)
    assert (state.type.value, state.name) == ("FAILED", "SuccessWithFailures")
    assert "Task a: Failed" in str(state.data)


def lines_of(*snapshots: Run) -> list[str]:
    logger = logging.getLogger("tests.report")
    logger.setLevel("INFO")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(f"{record.levelname} {record.getMessage()}")
    logger.addHandler(handler)

    async def tell() -> None:
        report = RunReport(logger)
        for snapshot in snapshots:
            await report(snapshot)
        report.log_errors(snapshots[-1])

    try:
        asyncio.run(tell())
    finally:
        logger.removeHandler(handler)
    return lines


def test_one_line_a_change_and_none_for_what_stayed() -> None:
    running = over("RUNNING", None, tasks=[task("a", "RUNNING"), task("b", "BLOCKED")])
    second_try = [task("a", "TERMINATED", "FAILED"), task("a", "RUNNING", attempt_number=1), task("b", "BLOCKED")]
    link = f"{HOST}/jobs/42/runs/{RUN_ID}?o=77"
    queued, again = over("QUEUED", None, message="maximum reached"), over("RUNNING", None, tasks=second_try)
    assert lines_of(queued, running, running, again) == [
        f"INFO Databricks run {RUN_ID} 'nightly' is Queued: maximum reached {link}",
        f"INFO Databricks run {RUN_ID} 'nightly' is Running {link}",
        f"INFO Task a of Databricks run {RUN_ID} is Running",
        f"INFO Task b of Databricks run {RUN_ID} is Blocked",
        f"WARNING Task a of Databricks run {RUN_ID} is Failed",
        f"INFO Task a (attempt 2) of Databricks run {RUN_ID} is Running",
    ]


def test_a_failed_tasks_traceback_is_logged_once_and_a_long_one_says_where_the_rest_is() -> None:
    failed = over("TERMINATED", "FAILED", tasks=[task("a", "TERMINATED", "FAILED")])
    short = failed.with_outputs({"a": RunOutput(error="E: x", error_trace="Traceback …\nE: x")})
    assert lines_of(short)[-1] == f"ERROR Task a of Databricks run {RUN_ID} failed:\nTraceback …\nE: x"
    long = failed.with_outputs({"a": RunOutput(error="E: x", error_trace="line\n" * 5000 + "E: x")})
    line = lines_of(long)[-1]
    assert line.endswith("E: x")
    assert len(line) < 9000
    assert f"the whole of it: {failed.tasks['a'].url}" in line


def test_the_artifact_shows_link_state_and_tasks_whatever_their_names() -> None:
    tasks = [task("left", "RUNNING", run_id=5)]
    text = artifact_text(over("RUNNING", None, message="a|b", run_name="x | y", tasks=tasks))
    assert text.splitlines() == [
        f"## [Databricks run {RUN_ID} x \\| y]({HOST}/jobs/42/runs/{RUN_ID}?o=77)",
        "",
        "**Running** a\\|b",
        "",
        "| task | state | attempt |",
        "|---|---|---|",
        f"| [left]({HOST}/jobs/42/runs/5?o=77) | Running | 1 |",
    ]
