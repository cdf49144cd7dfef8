"""What Prefect is told: the final state of each outcome, and that telling it never hurts the run."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from uuid import uuid4

import pytest

from prefect_databricks_runs import Run, RunCanceled, RunFailed, RunInternalError, RunSkipped, RunTimedOut
from prefect_databricks_runs._prefect.compat import SHOWS_PROGRESS
from prefect_databricks_runs._report import RunReport, final_state, flow_run_report
from tests.support.answers import HOST, RUN_ID, run, task, with_output

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


@pytest.fixture(autouse=True)
def no_events(monkeypatch) -> None:
    """Without a Prefect server, Prefect 3 would start one to send them to."""
    monkeypatch.setattr("prefect.events.emit_event", lambda **_: None)


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
        report = RunReport(logger, HOST, 250)
        for snapshot in snapshots:
            await report(snapshot)
        await report.finish(snapshots[-1])

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
    short = with_output(failed, "a", error="E: x", error_trace="Traceback …\nE: x")
    assert lines_of(short)[-1] == f"ERROR Task a of Databricks run {RUN_ID} failed:\n    Traceback …\n    E: x"
    long = with_output(failed, "a", error="E: x", error_trace="line\n" * 5000 + "E: x")
    line = lines_of(long)[-1]
    assert line.endswith("E: x")
    assert len(line) < 9000
    assert f"full traceback: {failed.tasks['a'].url}" in line


LEVELS = [("EXCLUDED", "INFO"), ("DISABLED", "INFO"), ("UPSTREAM_FAILED", "WARNING")]


@pytest.mark.parametrize(("result", "level"), LEVELS)
def test_a_branch_that_was_not_taken_is_no_warning(result, level) -> None:
    lines = lines_of(over("RUNNING", None, tasks=[task("a", "SKIPPED", result)]))
    assert [line.split()[0] for line in lines if "Task a" in line] == [level]


class TestInAFlowRun:
    """What Prefect is told from inside one of our flows, as far as a client that only listens can see."""

    @pytest.fixture
    def in_a_flow_run(self, monkeypatch) -> None:
        flow_run = SimpleNamespace(id=uuid4(), empirical_policy=None, run_count=1)
        flow = SimpleNamespace(
            fn=SimpleNamespace(__module__="prefect_databricks_runs.flows"), retries=0, flow_run_name=None
        )
        context = SimpleNamespace(flow_run=flow_run, flow=flow)
        monkeypatch.setattr(flow_run_report, "FlowRunContext", SimpleNamespace(get=lambda: context))

    @pytest.fixture
    def report(self, in_a_flow_run) -> RunReport:
        return RunReport(logging.getLogger("tests.report"), HOST, 3)

    @staticmethod
    def tell(report: RunReport, *snapshots: Run) -> None:
        async def main() -> None:
            for snapshot in snapshots:
                await report(snapshot)
            await report.finish(snapshots[-1])

        asyncio.run(main())

    def test_each_task_is_drawn_after_those_that_it_depends_on(self, report, prefect) -> None:
        blocked = task("b", "BLOCKED", depends_on=[{"task_key": "a"}])
        first = over("RUNNING", None, tasks=[blocked, task("a", "RUNNING")])
        done = [task("a", "TERMINATED", "SUCCESS"), {**blocked, "state": task("b", "TERMINATED", "FAILED")["state"]}]
        self.tell(report, first, over("TERMINATED", "FAILED", tasks=done))
        assert [(name, upstream) for name, upstream, *_ in prefect.of("create_task_run")] == [("a", []), ("b", ["a"])]
        assert prefect.states_of("a")[-1] == ("COMPLETED", "Success")
        assert prefect.states_of("b")[-1] == ("FAILED", "Failed")

    def test_a_retried_task_is_the_same_task_run_which_goes_on(self, report, prefect) -> None:
        tries = [task("a", "TERMINATED", "FAILED"), task("a", "RUNNING", attempt_number=1)]
        ended = [tries[0], task("a", "TERMINATED", "SUCCESS", attempt_number=1)]
        for snapshot in (over("RUNNING", None, tasks=tries[:1]), over("RUNNING", None, tasks=tries)):
            self.tell(report, snapshot)
        self.tell(report, over("TERMINATED", "SUCCESS", tasks=ended))
        assert len(prefect.of("create_task_run")) == 1
        names = [name for _, name in prefect.states_of("a")]
        assert names[-3:] == ["Failed", "Running", "Success"]
        assert "Attempt 2." in prefect.of("set_task_run_state")[-1][-1]

    def test_a_thousand_tasks_are_one_call_each_and_one_for_each_change(self, in_a_flow_run, prefect) -> None:
        report = RunReport(logging.getLogger("tests.report"), HOST, 1000)
        pending = {f"task_{number}": task(f"task_{number}", "PENDING", run_id=number + 1) for number in range(1000)}
        going = {**pending, **{key: {**each, **task(key, "RUNNING")} for key, each in [*pending.items()][:10]}}
        snapshots = [over("RUNNING", None, tasks=[*tasks.values()]) for tasks in (pending, going)]
        self.tell(report, snapshots[0], *[snapshots[1]] * 20)
        assert len(prefect.of("create_task_run")) == 1000
        assert len(prefect.of("set_task_run_state")) == 10
        assert len(prefect.told) == 1000 + 10 + 4 + SHOWS_PROGRESS  # labels, the state name, and the artifacts

    def test_a_run_with_too_many_tasks_is_summarised(self, report, prefect) -> None:
        many = over("RUNNING", None, tasks=[task(key, "RUNNING") for key in "abcd"])
        self.tell(report, many)
        assert prefect.of("create_task_run") == []
        assert "| [d](" in prefect.of("create_artifact")[0][1]

    def test_name_and_tags_say_which_run_it_is(self, report, prefect) -> None:
        self.tell(report, over("RUNNING", None, run_type="JOB_RUN"))
        name, tags = prefect.of("update_flow_run")[0]
        assert name == f"nightly-{RUN_ID}"
        assert tags == ["databricks-host:adb-1.2.azuredatabricks.net", "databricks-job:42", "mine"]

    def test_the_traceback_is_in_the_log_of_the_failed_tasks_own_task_run(self, report, prefect, caplog) -> None:
        failed = over("TERMINATED", "FAILED", tasks=[task("a", "TERMINATED", "FAILED")])
        self.tell(report, with_output(failed, "a", error="E: x", error_trace="Traceback …\nE: x"))
        (record,) = [each for each in caplog.records if "Traceback" in each.getMessage()]
        assert prefect.names[record.task_run_id] == "a"

    @pytest.mark.skipif(not SHOWS_PROGRESS, reason="the UI of Prefect 2 does not know progress artifacts")
    def test_the_progress_is_the_share_of_tasks_that_are_over(self, report, prefect) -> None:
        half = [task("a", "TERMINATED", "SUCCESS"), task("b", "RUNNING")]
        self.tell(report, over("RUNNING", None, tasks=half))
        assert (f"databricks-progress-{RUN_ID}", 50.0) in prefect.of("create_artifact")

    def test_leaving_finishes_every_task_run_that_is_not_over(self, report, prefect) -> None:
        async def main() -> None:
            await report(over("RUNNING", None, tasks=[task("a", "TERMINATED", "SUCCESS"), task("b", "RUNNING")]))
            await report.leave("The run goes on.")

        asyncio.run(main())
        assert prefect.states_of("a")[-1] == ("COMPLETED", "Success")
        assert prefect.states_of("b")[-1] == ("CANCELLED", "Unwatched")

    def test_the_more_tasks_there_are_the_longer_may_the_end_take(self, in_a_flow_run, prefect, monkeypatch) -> None:
        monkeypatch.setattr(flow_run_report, "LEAVE_SECONDS", 0.0)
        monkeypatch.setattr(flow_run_report, "LEAVE_SECONDS_A_THING", 1.0)
        prefect.seconds_a_call = 0.02
        report = RunReport(logging.getLogger("tests.report"), HOST, 20)

        async def main() -> None:
            await report(over("RUNNING", None, tasks=[task(f"task_{number}", "RUNNING") for number in range(20)]))
            await report.leave("The run goes on.")

        asyncio.run(main())
        assert {prefect.states_of(f"task_{number}")[-1] for number in range(20)} == {("CANCELLED", "Unwatched")}
