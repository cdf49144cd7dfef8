"""Reading what Databricks says of a run."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs import Outcome, Run, RunOutput, RunState
from tests.support.answers import HOST, RUN_ID, run, state, task, with_output

# life_cycle_state, result_state → over?, the name that Prefect shows, outcome: the table of the README
STATES = [
    ("QUEUED", None, False, "Queued", None),
    ("PENDING", None, False, "Pending", None),
    ("BLOCKED", None, False, "Blocked", None),
    ("WAITING_FOR_RETRY", None, False, "WaitingForRetry", None),
    ("RUNNING", None, False, "Running", None),
    ("TERMINATING", None, False, "Terminating", None),
    ("TERMINATED", "SUCCESS", True, "Success", Outcome.SUCCESS),
    ("TERMINATED", "SUCCESS_WITH_FAILURES", True, "SuccessWithFailures", Outcome.SUCCESS_WITH_FAILURES),
    ("TERMINATED", "FAILED", True, "Failed", Outcome.FAILED),
    ("TERMINATED", "TIMEDOUT", True, "TimedOut", Outcome.TIMED_OUT),
    ("TERMINATED", "CANCELED", True, "Canceled", Outcome.CANCELED),
    ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED", True, "Skipped", Outcome.SKIPPED),
    ("SKIPPED", "EXCLUDED", True, "Excluded", Outcome.EXCLUDED),
    ("SKIPPED", "DISABLED", True, "Disabled", Outcome.DISABLED),
    ("SKIPPED", "UPSTREAM_FAILED", True, "UpstreamFailed", Outcome.UPSTREAM_FAILED),
    ("SKIPPED", "UPSTREAM_CANCELED", True, "UpstreamCanceled", Outcome.UPSTREAM_CANCELED),
    ("SKIPPED", None, True, "Skipped", Outcome.SKIPPED),
    ("INTERNAL_ERROR", None, True, "InternalError", Outcome.INTERNAL_ERROR),
    ("INTERNAL_ERROR", "FAILED", True, "Failed", Outcome.FAILED),
    ("DEFROSTING", None, False, "Defrosting", None),
    ("TERMINATED", "EVICTED", True, "Evicted", Outcome.FAILED),
    ("TERMINATED", None, True, "Failed", Outcome.FAILED),
]


@pytest.mark.parametrize(("life_cycle", "result", "over", "name", "outcome"), STATES)
def test_every_state_has_a_name_and_an_outcome(life_cycle, result, over, name, outcome) -> None:
    got = RunState.from_api({"state": state(life_cycle, result)})
    assert (got.is_terminal, got.name, got.outcome) == (over, name, outcome)


@pytest.mark.parametrize(
    ("code", "kind", "outcome"),
    [
        ("SUCCESS", "SUCCESS", Outcome.SUCCESS),
        ("RUN_EXECUTION_ERROR", "CLIENT_ERROR", Outcome.FAILED),
        ("USER_CANCELED", "SUCCESS", Outcome.CANCELED),
        ("CANCELED", "CLIENT_ERROR", Outcome.TIMED_OUT),
        ("MAX_CONCURRENT_RUNS_EXCEEDED", "CLIENT_ERROR", Outcome.SKIPPED),
        ("DRIVER_ERROR", "INTERNAL_ERROR", Outcome.INTERNAL_ERROR),
        ("CLUSTER_TERMINATED_BY_USER", "CLIENT_ERROR", Outcome.FAILED),
    ],
)
def test_a_status_alone_is_enough(code, kind, outcome) -> None:
    details = {"code": code, "type": kind, "message": "because"}
    got = RunState.from_api({"status": {"state": "TERMINATED", "termination_details": details}})
    assert (got.is_terminal, got.outcome, got.explanation) == (True, outcome, "because")


def test_an_internal_error_of_a_failed_task_is_a_plain_failure() -> None:
    details = {"code": "RUN_EXECUTION_ERROR", "type": "CLIENT_ERROR"}
    got = RunState.from_api(
        {"state": state("INTERNAL_ERROR"), "status": {"state": "TERMINATED", "termination_details": details}}
    )
    assert got.outcome is Outcome.FAILED


@given(
    st.dictionaries(
        st.sampled_from(["state", "status"]),
        st.none() | st.text() | st.dictionaries(st.sampled_from(["life_cycle_state", "state"]), st.none() | st.text()),
    )
)
def test_no_state_whatever_crashes_or_passes_for_a_success(answer) -> None:
    got = RunState.from_api(answer)
    assert got.outcome is not Outcome.SUCCESS
    assert isinstance(got.name, str)


def test_tasks_are_the_latest_attempts_in_whatever_order_they_come() -> None:
    attempts = [
        task("a", "RUNNING", attempt_number=2),
        task("b", "TERMINATED", "FAILED"),
        task("a", "TERMINATED", "FAILED", attempt_number=0),
        task("a", "TERMINATED", "FAILED", attempt_number=1),
    ]
    got = Run.from_api(run("RUNNING", tasks=attempts), HOST)
    assert got.tasks["a"].attempt_number == 2
    assert [each.attempt_number for each in got.attempts if each.task_key == "a"] == [0, 1, 2]
    assert [each.task_key for each in got.failed_tasks] == ["b"]


def test_a_task_comes_after_those_that_it_depends_on() -> None:
    waits_for = {"report": ["left", "right"], "right": ["start"], "left": ["start"], "start": []}
    entries = [
        task(key, "BLOCKED", depends_on=[{"task_key": other} for other in others]) for key, others in waits_for.items()
    ]
    assert list(Run.from_api(run("RUNNING", tasks=entries), HOST).tasks) == ["start", "left", "right", "report"]


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefg"))))
def test_no_dependencies_whatever_lose_a_task(waits_for) -> None:
    entries = [
        task(key, "BLOCKED", depends_on=[{"task_key": other} for other in others]) for key, others in waits_for.items()
    ]
    assert set(Run.from_api(run("RUNNING", tasks=entries), HOST).tasks) == set(waits_for)


def test_links_are_of_the_form_that_everybody_can_open() -> None:
    got = Run.from_api(run("RUNNING", tasks=[task("a", "RUNNING", run_id=7)]), HOST)
    assert got.url == f"{HOST}/jobs/42/runs/{RUN_ID}?o=77"
    assert got.tasks["a"].url == f"{HOST}/jobs/42/runs/7?o=77"


def test_outputs_are_put_into_tasks_and_attempts_and_the_run_pickles() -> None:
    failed, latest = task("a", "TERMINATED", "FAILED"), task("a", "TERMINATED", "SUCCESS", attempt_number=1)
    before = Run.from_api(run("TERMINATED", "SUCCESS", tasks=[failed, latest]), HOST)
    after = with_output(before, "a", result="42")
    assert after.tasks["a"].output.result == "42"
    assert [each.output.result if each.output else None for each in after.attempts] == [None, "42"]
    assert before.tasks["a"].output is None
    assert pickle.loads(pickle.dumps(after)) == after


@pytest.mark.parametrize("tasks", [5, {"a": {}}, "a", ["a"], [None], [{"task_key": "a"}, 5]], ids=repr)
def test_a_run_that_is_over_is_not_read_without_its_tasks(tasks: object) -> None:
    """While it runs, the next poll may show them; at its end there is none."""
    assert Run.from_api(run("RUNNING", tasks=tasks), HOST).state.name == "Running"
    with pytest.raises(ValueError, match="unreadable tasks"):
        Run.from_api(run("TERMINATED", "SUCCESS", tasks=tasks), HOST)


@pytest.mark.parametrize("notebook_output", [5, "x", ["x"], {"result": []}, {"result": {}}], ids=repr)
def test_a_result_that_cannot_be_read_is_not_taken_for_none(notebook_output: object) -> None:
    with pytest.raises(ValueError, match="unreadable"):
        RunOutput.from_api({"notebook_output": notebook_output})


@pytest.mark.parametrize("notebook_output", [None, {}, {"result": None}], ids=repr)
def test_a_notebook_may_have_no_result(notebook_output: object) -> None:
    assert RunOutput.from_api({"notebook_output": notebook_output}).result is None
