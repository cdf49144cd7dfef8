"""Every state of a run and of its tasks, played in the local workspace, as a real Prefect server shows it."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs import Run, RunCanceled, RunFailed, RunInternalError, RunSkipped, RunTimedOut
from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.local.simulated import simulated
from tests.report.courses import COURSES, Course, Play, Step
from tests.report.shown_flow import State, without_repetitions
from tests.report.waiting_flow import WaitingFlow, waiting_flow

pytestmark = pytest.mark.usefixtures("prefect_server")

# What a task run shows, by the task's `life_cycle_state` while it goes on, and by its `result_state` then.
TASK_RUNS: dict[str, State] = {
    "QUEUED": ("PENDING", "Queued"),
    "PENDING": ("PENDING", "Pending"),
    "BLOCKED": ("PENDING", "Blocked"),
    "WAITING_FOR_RETRY": ("PENDING", "WaitingForRetry"),
    "RUNNING": ("RUNNING", "Running"),
    "TERMINATING": ("RUNNING", "Terminating"),
    "SUCCESS": ("COMPLETED", "Success"),
    "SUCCESS_WITH_FAILURES": ("COMPLETED", "SuccessWithFailures"),
    "EXCLUDED": ("COMPLETED", "Excluded"),
    "DISABLED": ("COMPLETED", "Disabled"),
    "FAILED": ("FAILED", "Failed"),
    "TIMEDOUT": ("FAILED", "TimedOut"),
    "UPSTREAM_FAILED": ("CANCELLED", "UpstreamFailed"),
    "UPSTREAM_CANCELED": ("CANCELLED", "UpstreamCanceled"),
    "CANCELED": ("CANCELLED", "Canceled"),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ("FAILED", "Skipped"),
    "INTERNAL_ERROR": ("CRASHED", "InternalError"),
    "INTERNAL_ERROR FAILED": ("FAILED", "Failed"),
    "EVICTED": ("FAILED", "Evicted"),  # not known to us
    "DEFROSTING": ("RUNNING", "Defrosting"),  # not known to us
}
# What the flow run shows, and what its caller gets, by those of the run.
FLOW_RUNS: dict[str, tuple[State, type[Exception] | None]] = {
    "QUEUED": (("RUNNING", "Queued"), None),
    "PENDING": (("RUNNING", "Pending"), None),
    "BLOCKED": (("RUNNING", "Blocked"), None),
    "WAITING_FOR_RETRY": (("RUNNING", "WaitingForRetry"), None),
    "RUNNING": (("RUNNING", "Running"), None),
    "TERMINATING": (("RUNNING", "Terminating"), None),
    "DEFROSTING": (("RUNNING", "Defrosting"), None),
    "SUCCESS": (("COMPLETED", "Success"), None),
    "SUCCESS_WITH_FAILURES": (("COMPLETED", "SuccessWithFailures"), None),
    "SUCCESS_WITH_FAILURES asked to fail": (("FAILED", "SuccessWithFailures"), RunFailed),
    "FAILED": (("FAILED", "Failed"), RunFailed),
    "TIMEDOUT": (("FAILED", "TimedOut"), RunTimedOut),
    "CANCELED": (("CANCELLED", "Canceled"), RunCanceled),
    "MAXIMUM_CONCURRENT_RUNS_REACHED": (("FAILED", "Skipped"), RunSkipped),
    "INTERNAL_ERROR": (("CRASHED", "InternalError"), RunInternalError),
    "INTERNAL_ERROR FAILED": (("FAILED", "Failed"), RunFailed),
    "EVICTED": (("FAILED", "Evicted"), RunFailed),
}


def word_of(thing: dict[str, Any]) -> str:
    """The key of the tables for the state of a run or task as the workspace gives it."""
    life_cycle, result = thing["state"]["life_cycle_state"], thing["state"].get("result_state")
    return f"{life_cycle} {result}" if life_cycle == "INTERNAL_ERROR" and result else result or life_cycle


def test_every_state_of_the_tables_is_played() -> None:
    assert {step.run for course in COURSES.values() for step in course.steps} | {
        course.end for course in COURSES.values()
    } == set(FLOW_RUNS)
    assert {word for course in COURSES.values() for step in course.steps for word in step.tasks.values()} == set(
        TASK_RUNS
    )


@pytest.mark.parametrize("name", COURSES)
def test_prefect_shows_each_state_of_the_run_and_of_its_tasks_and_the_caller_gets_its_error(name, prefect_api) -> None:
    course = COURSES[name]
    with simulated(course.script, **course.workspace) as client:
        play = Play(client, course.start)
        course.steps[0].happens(play)
        with waiting_flow(prefect_api, client.workspace, play.run_id, name, **course.options) as waiting:
            for step in course.steps:
                if step is not course.steps[0]:
                    step.happens(play)
                look_at(play, step, waiting, is_last=step is course.steps[-1])
            gotten = waiting.end()
    shown, error = FLOW_RUNS[course.end]
    assert waiting.shows(shown, {key: TASK_RUNS[word] for key, word in course.steps[-1].tasks.items()})
    assert type(gotten) is (error or Run)
    assert waiting.flow_run_states == flow_run_states(course)
    assert waiting.task_run_states == {key: task_run_states(course, key) for key in course.steps[0].tasks}


def look_at(play: Play, step: Step, waiting: WaitingFlow, *, is_last: bool) -> None:
    states = {each["task_key"]: word_of(each) for each in sorted(play.answer["tasks"], key=attempt_number)}
    assert (word_of(play.answer), states) == (step.run, step.tasks)
    flow_run = None if is_last else FLOW_RUNS[step.run][0]
    waiting.wait_until_it_shows(flow_run, {key: TASK_RUNS[word] for key, word in step.tasks.items()})


def attempt_number(entry: dict[str, Any]) -> int:
    return entry["attempt_number"]


def flow_run_states(course: Course) -> list[State]:
    """Those that Prefect gives to a flow run that begins, and then those of the run."""
    named = [FLOW_RUNS[step.run][0] for step in course.steps[:-1]]
    return without_repetitions([("PENDING", "Pending"), ("RUNNING", "Running"), *named, FLOW_RUNS[course.end][0]])


def task_run_states(course: Course, task_key: str) -> list[State]:
    """Pending at first; on Prefect 2 one that never ran passes through Running, or its bar would never end.

    What waits for a retry has failed before, although no look at the run has found it so.
    """
    words = [step.tasks[task_key] for step in course.steps]
    words = [each for word in words for each in (["FAILED", word] if word == "WAITING_FOR_RETRY" else [word])]
    states = without_repetitions([TASK_RUNS[word] for word in words])
    if states[0][0] != "PENDING":
        states.insert(0, ("PENDING", "Pending"))
    if not PREFECT_3 and all(kind != "RUNNING" for kind, _ in states):
        states.insert(-1, ("RUNNING", "Running"))
    return states
