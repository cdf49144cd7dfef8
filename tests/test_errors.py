"""Errors are part of the interface: they pickle, and say what happened, to what, and what to do."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from prefect_databricks_runs import Run, RunFailed, WaitTimeout, errors
from prefect_databricks_runs._failures import failure_of
from prefect_databricks_runs._text import first_line, shorten
from tests.support.answers import HOST, RUN_ID, run, task, with_output

FAILED = with_output(
    Run.from_api(
        run(
            "TERMINATED",
            "FAILED",
            "Task b failed with message: Workload failed, see run output for details.",
            tasks=[
                task("a", "TERMINATED", "SUCCESS"),
                task("b", "TERMINATED", "FAILED"),
                task("c", "SKIPPED", "UPSTREAM_FAILED"),
            ],
        ),
        HOST,
    ),
    "b",
    error="ValueError: bad row 17",
    error_trace="Traceback …",
)

EXAMPLES = [
    errors.InvalidCredentials("No."),
    errors.InvalidPayload(["one.", "two."], "runs/submit"),
    errors.InvalidOption(["one.", "two."]),
    errors.InvalidJob("A fault.", "/flows/nightly.py", 7),
    errors.JobProtected(7, "nightly", "it is locked."),
    errors.DatabricksConnectionError("refused", host=HOST, method="GET", path="/x"),
    errors.SignInUnavailable("refused", host=HOST, method="POST", path="/oidc/v1/token", retry_after=1.0),
    errors.SignInFailed("Sorry.", source="the file /x", advice="Look there."),
    errors.InvalidResponse("html", host=HOST, method="GET", path="/x", status_code=200),
    *(
        kind("Sorry", status_code=400, error_code="X", request_id="r", method="GET", path="/x", retry_after=1.0)
        for kind in (errors.DatabricksApiError, *errors.DatabricksApiError.__subclasses__())
    ),
    errors.InvalidJob("The job has no task.", "/flows/nightly.py", 7),
    errors.JobNameError("nightly", [1, 2]),
    errors.JobProtected(7, "nightly", "it belongs to a bundle."),
    errors.DatabricksUnreachable(run_id=1, seconds=600, url=HOST, reason="refused"),
    errors.WaitTimeout(run_id=1, max_wait_seconds=60, url=HOST, state="RUNNING"),
    errors.RunsFailed([FAILED], {RUN_ID: RunFailed(FAILED)}, [7, 8], [7]),
    *(kind(FAILED) for kind in (RunFailed, *RunFailed.__subclasses__())),
]


def all_subclasses(kind: type) -> set[type]:
    ours = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    return {kind, *(deeper for each in ours for deeper in all_subclasses(each))}


def test_every_error_is_in_the_examples() -> None:
    assert {type(each) for each in EXAMPLES} == all_subclasses(errors.DatabricksError) - {errors.DatabricksError}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_pickles_whole(error: errors.DatabricksError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert plain(again.__dict__) == plain(error.__dict__)


def plain(value: Any) -> Any:
    """A value in which errors, which are never equal, stand as what they are of and say."""
    if isinstance(value, errors.DatabricksError):
        return type(value), str(value), plain(value.__dict__)
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("kind", sorted(all_subclasses(errors.DatabricksError), key=lambda kind: kind.__name__))
def test_every_error_is_drawn_in_the_tree_of_its_module(kind: type) -> None:
    assert f"{kind.__name__} " in errors.__doc__ or f"{kind.__name__}\n" in errors.__doc__


def test_a_failed_run_names_the_task_its_own_error_and_the_page() -> None:
    error = RunFailed(FAILED)
    assert str(error).splitlines() == [
        f"Databricks run {RUN_ID} 'nightly' failed.",
        "Task b: ValueError: bad row 17",
        f"See {HOST}/jobs/42/runs/{RUN_ID}?o=77",
    ]
    assert error.errors["b"].error_trace == "Traceback …"
    assert list(error.errors) == ["b"]


def test_where_no_output_is_known_databricks_own_sentence_is_kept() -> None:
    says = "Task b failed with message: Workload failed, see run output for details."
    ended = Run.from_api(run("TERMINATED", "FAILED", says, tasks=[task("b", "TERMINATED", "FAILED")]), HOST)
    assert str(RunFailed(ended)).splitlines()[1] == f"    {says}"


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("FAILED", "failed."),
        ("SUCCESS_WITH_FAILURES", "failed (SuccessWithFailures)."),
        ("EVICTED", "failed (Evicted)."),
        ("CANCELED", "was cancelled."),
        ("TIMEDOUT", "was stopped at its timeout."),
        ("MAXIMUM_CONCURRENT_RUNS_REACHED", "was skipped."),
    ],
)
def test_the_state_is_named_where_the_words_do_not_say_it(result: str, says: str) -> None:
    ended = Run.from_api(run("TERMINATED", result), HOST)
    error = failure_of(ended, fail_on_task_failures=True)
    assert str(error).splitlines()[0] == f"Databricks run {RUN_ID} 'nightly' {says}"


def test_every_fault_of_a_payload_is_named_at_once() -> None:
    assert str(errors.InvalidPayload(["one.", "two."], "run-now")).splitlines()[1:] == ["  - one.", "  - two."]


def test_a_wait_that_was_too_short_says_so() -> None:
    assert "max_wait_seconds=60" in str(WaitTimeout(run_id=1, max_wait_seconds=60, url=HOST, state="RUNNING"))


def test_somebody_elses_long_text_is_cut_and_says_how_much_is_missing() -> None:
    assert shorten("x" * 700) == "x" * 600 + "… (100 more characters)"


def test_of_a_huge_text_only_the_beginning_is_looked_at() -> None:
    huge = first_line("\n" + "x" * 5_000_000 + "\nsecond", 10)
    assert huge == "x" * 10 + "… (4999990 more characters)"
    assert first_line("\x1b[31mred\x00") == "red\\x00"


def test_of_very_many_failed_tasks_the_message_names_some() -> None:
    tasks = [task(f"t{number:03}", "TERMINATED", "FAILED", run_id=number + 1) for number in range(100)]
    error = RunFailed(Run.from_api(run("TERMINATED", "FAILED", tasks=tasks), HOST))
    lines = str(error).splitlines()
    assert [line.split(":")[0] for line in lines[1:21]] == [f"Task t{number:03}" for number in range(20)]
    assert lines[21] == "80 more tasks failed."
    assert lines[22].startswith("See https://")


def test_whatever_is_put_into_an_error_of_ours_has_nothing_hidden_and_is_bounded() -> None:
    assert str(errors.DatabricksError("a\x1b[31mb\u202e\ud800")) == "ab\\u202e\\ud800"
    assert len(str(errors.DatabricksError("x" * 1_000_000))) < 21_000
    assert errors.DatabricksError(5, "a").args == (5, "a")
