"""Runs of the local workspace which, step by step, go through every state that there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.local.client import Client, task_of
from tests.local.simulated import FAILED, task


class Play:
    """A run of the local workspace, in a time that stands still between two steps.

    Attributes:
        is_pretended: Whether `runs/get`, and that alone, gives states that the run is not in.
    """

    is_pretended = False

    def __init__(self, client: Client, start: Callable[[Client], int]) -> None:
        self.client = client
        self.run_id = start(client)

    @property
    def answer(self) -> dict[str, Any]:
        """What whoever polls is told."""
        return self.client.run(self.run_id)

    def advance(self, seconds: float = 10) -> None:
        self.client.workspace.advance(seconds)

    def cancel(self) -> None:
        self.client.post("runs/cancel", run_id=self.run_id)

    def cancel_task(self) -> None:
        """Cancel the task `a` alone."""
        self.client.post("runs/cancel", run_id=task_of(self.answer, "a")["run_id"])

    def let_in(self) -> None:
        """End the run that this one waits for."""
        (before,) = self.client.workspace.runs.keys() - {self.run_id}
        self.client.post("runs/cancel", run_id=before)

    def pretend(self, run: str, tasks: dict[str, str]) -> None:
        """Let `runs/get` give states that the local workspace does not reach by itself."""
        self.is_pretended = True
        answer = self.client.workspace.runs[self.run_id]
        answer["state"] = spelled(run)
        del answer["status"]
        for each in answer["tasks"]:
            each["state"] = spelled(tasks[each["task_key"]])
            del each["status"]
        self.client.workspace.clear_faults()
        self.client.workspace.fault("GET */runs/get", body=answer)


def spelled(word: str) -> dict[str, str]:
    """The `state` that a key of the tables stands for."""
    life_cycle = ("QUEUED", "PENDING", "BLOCKED", "WAITING_FOR_RETRY", "RUNNING", "TERMINATING", "DEFROSTING")
    if word in life_cycle:
        return {"life_cycle_state": word, "state_message": ""}
    return {"life_cycle_state": "TERMINATED", "result_state": word, "state_message": ""}


@dataclass(frozen=True)
class Step:
    """Something happens, and then the run and its tasks are in these states."""

    happens: Callable[[Play], None]
    run: str
    tasks: dict[str, str]


@dataclass(frozen=True)
class Course:
    """A run from its start to its end, by steps in each of which the Prefect server is looked at."""

    start: Callable[[Client], int]
    steps: list[Step]
    script: dict[str, Any] = field(default_factory=dict)
    workspace: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> str:
        """The key of how the run ends."""
        return self.steps[-1].run + (" asked to fail" if self.options.get("fail_on_task_failures") else "")


def submitted(*tasks: dict[str, Any], **body: Any) -> Callable[[Client], int]:
    return lambda client: client.submit(*tasks, **body)


def second_of_a_job(*tasks: dict[str, Any], **settings: Any) -> Callable[[Client], int]:
    """The second run of a job that may have one at a time."""

    def start(client: Client) -> int:
        job_id = client.post("create", tasks=list(tasks), max_concurrent_runs=1, **settings)["job_id"]
        client.post("run-now", job_id=job_id)
        return client.post("run-now", job_id=job_id)["run_id"]

    return start


def begins(_: Play) -> None:
    """Nothing but that it is looked at for the first time."""


def pretended(run: str, **tasks: str) -> Step:
    return Step(lambda play: play.pretend(run, tasks), run, tasks)


LONG = {"running": 10}
FAILS = {**FAILED, **LONG}
CONDITION = {"op": "EQUAL_TO", "left": "1", "right": "1"}
NO_NUMBER = {"op": "GREATER_THAN", "left": "one", "right": "1"}
ONE_FAILED = [
    Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
    Step(Play.advance, "RUNNING", {"a": "FAILED", "b": "RUNNING"}),
    Step(Play.advance, "SUCCESS_WITH_FAILURES", {"a": "FAILED", "b": "SUCCESS"}),
]

COURSES = {
    "queued": Course(
        second_of_a_job(task("a"), task("b", "a"), queue={"enabled": True}),
        [
            Step(begins, "QUEUED", {"a": "PENDING", "b": "BLOCKED"}),
            Step(Play.let_in, "PENDING", {"a": "QUEUED", "b": "BLOCKED"}),
            Step(Play.advance, "PENDING", {"a": "PENDING", "b": "BLOCKED"}),
            Step(Play.advance, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.advance, "RUNNING", {"a": "SUCCESS", "b": "RUNNING"}),
            Step(Play.advance, "SUCCESS", {"a": "SUCCESS", "b": "SUCCESS"}),
        ],
        script={"a": {"queued": 10, "pending": 10, "running": 10}, "b": LONG},
    ),
    "skipped": Course(
        second_of_a_job(task("a"), queue={"enabled": False}),
        [Step(begins, "MAXIMUM_CONCURRENT_RUNS_REACHED", {"a": "MAXIMUM_CONCURRENT_RUNS_REACHED"})],
        script={"a": LONG},
    ),
    "retried": Course(
        submitted(task("a", max_retries=1, min_retry_interval_millis=10_000)),
        [
            Step(begins, "RUNNING", {"a": "RUNNING"}),
            Step(Play.advance, "RUNNING", {"a": "WAITING_FOR_RETRY"}),
            Step(Play.advance, "RUNNING", {"a": "RUNNING"}),
            Step(Play.advance, "SUCCESS", {"a": "SUCCESS"}),
        ],
        script={"a": [FAILS, LONG]},
    ),
    "cleaned up": Course(
        submitted(task("a")),
        [
            Step(begins, "RUNNING", {"a": "RUNNING"}),
            Step(Play.advance, "RUNNING", {"a": "TERMINATING"}),
            Step(Play.advance, "SUCCESS", {"a": "SUCCESS"}),
        ],
        script={"a": {"running": 10, "terminating": 10}},
    ),
    "canceled": Course(
        submitted(task("a"), task("b", "a")),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.cancel, "TERMINATING", {"a": "TERMINATING", "b": "CANCELED"}),
            Step(Play.advance, "CANCELED", {"a": "CANCELED", "b": "CANCELED"}),
        ],
        script={"a": {"running": 10, "terminating": 10}},
    ),
    "a task canceled": Course(
        submitted(task("a"), task("b", "a")),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.cancel_task, "CANCELED", {"a": "CANCELED", "b": "UPSTREAM_CANCELED"}),
        ],
        script={"a": LONG},
    ),
    "branches not taken": Course(
        submitted(
            task("check", condition_task=CONDITION),
            task("yes", "check=true"),
            task("no", "check=false"),
            task("off", "yes", disabled=True),
        ),
        [
            Step(begins, "RUNNING", {"check": "SUCCESS", "yes": "RUNNING", "no": "EXCLUDED", "off": "BLOCKED"}),
            Step(Play.advance, "SUCCESS", {"check": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED", "off": "DISABLED"}),
        ],
        script={"yes": LONG},
    ),
    "success with failures": Course(
        submitted(task("a"), task("b", "a", run_if="ALL_DONE")), ONE_FAILED, script={"a": FAILS, "b": LONG}
    ),
    "success with failures, asked to fail": Course(
        submitted(task("a"), task("b", "a", run_if="ALL_DONE")),
        ONE_FAILED,
        script={"a": FAILS, "b": LONG},
        options={"fail_on_task_failures": True},
    ),
    "failed": Course(
        submitted(task("a"), task("b", "a")),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.advance, "FAILED", {"a": "FAILED", "b": "UPSTREAM_FAILED"}),
        ],
        script={"a": FAILS},
    ),
    "a task timed out": Course(
        submitted(task("a", timeout_seconds=10), task("b", "a")),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.advance, "FAILED", {"a": "TIMEDOUT", "b": "UPSTREAM_FAILED"}),
        ],
        script={"a": {"running": 100}},
    ),
    "timed out": Course(
        submitted(task("a"), task("b", "a"), timeout_seconds=10),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.advance, "TIMEDOUT", {"a": "TIMEDOUT", "b": "CANCELED"}),
        ],
        script={"a": {"running": 100}},
    ),
    "an error of the service": Course(
        submitted(task("a"), task("b", "a")),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "b": "BLOCKED"}),
            Step(Play.advance, "INTERNAL_ERROR", {"a": "INTERNAL_ERROR", "b": "UPSTREAM_FAILED"}),
        ],
        script={"a": {"running": 10, "result_state": "INTERNAL_ERROR"}},
    ),
    "a failure that is called an internal error": Course(
        submitted(task("a"), task("check", "a", condition_task=NO_NUMBER)),
        [
            Step(begins, "RUNNING", {"a": "RUNNING", "check": "BLOCKED"}),
            Step(Play.advance, "INTERNAL_ERROR FAILED", {"a": "SUCCESS", "check": "INTERNAL_ERROR FAILED"}),
        ],
        script={"a": LONG},
        workspace={"failed_as_internal_error": True},
    ),
    "states that a run of the local workspace does not reach": Course(
        submitted(task("a"), task("b", "a")),
        [
            pretended("BLOCKED", a="PENDING", b="BLOCKED"),
            pretended("WAITING_FOR_RETRY", a="PENDING", b="BLOCKED"),
            pretended("DEFROSTING", a="DEFROSTING", b="BLOCKED"),
            pretended("EVICTED", a="SUCCESS_WITH_FAILURES", b="EVICTED"),
        ],
        script={"a": {"pending": 100}},
    ),
}
