"""The flows that the chaos is let loose on: each way to start a run and to wait for it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from prefect import flow, task, unmapped

from prefect_databricks_runs import (
    DatabricksCredentials,
    Run,
    WaitTimeout,
    asubmit_run,
    asubmit_run_and_wait,
    await_for_run,
    run_now,
    run_now_and_wait,
    submit_run,
    submit_run_and_wait,
    wait_for_run,
)

# With a delay: a flow whose tries are all refused within a second would not outlast a token that is being changed.
# So many that chance does not have all of them meet a fault.
RETRIES: dict[str, Any] = {"retries": 20, "retry_delay_seconds": 0.5}
# A start that fails for good, for the flow's retry to find again what was started.
TRIES: dict[str, Any] = {"databricks_retry_limit": 2, "databricks_retry_delay": 0.01}
PATIENT: dict[str, Any] = {**TRIES, "databricks_retry_limit": 12}
WAIT: dict[str, Any] = {**PATIENT, "polling_period_seconds": 0.05}
# In a run's name:
FAILS_FIRST = "fails first"
GIVEN_UP = "is given up"


class Got(NamedTuple):
    """What a flow got.

    Attributes:
        label: What the run was asked for with: its name, or the parameter of its job.
        run_id: The run's id.
        result: The result of its one task; None if it was given up.
    """

    label: str
    run_id: int
    result: str | None


def got(label: str, run: Run) -> Got:
    """What a flow got that asked for `label`."""
    output = run.tasks["main"].output
    return Got(label, run.run_id, output.result if output else None)


@dataclass(frozen=True)
class Place:
    """Where the flows run their work.

    Attributes:
        block: Name of the saved credentials.
        job_id: A saved job with the parameter `label`.
    """

    block: str
    job_id: int

    @property
    def databricks(self) -> DatabricksCredentials:
        """The credentials as they are saved now."""
        loaded: Any = DatabricksCredentials.load(self.block)
        assert isinstance(loaded, DatabricksCredentials)
        return loaded


class Bump:
    """Raises the first time that it is called."""

    def __init__(self) -> None:
        self._calls = itertools.count()

    def __call__(self) -> None:
        if next(self._calls) == 0:
            raise ValueError("the first attempt goes wrong")


def body(label: str) -> dict[str, Any]:
    """A one-time run of that name."""
    return {"run_name": label, "tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}


def by_itself(place: Place, labels: list[str]) -> list[Got]:
    """The package's own flow, called by nobody."""
    (label,) = labels
    return [got(label, submit_run_and_wait.with_options(**RETRIES)(place.databricks, body(label), **WAIT))]


def in_a_flow(place: Place, labels: list[str]) -> list[Got]:
    """The package's own flow in one of the user's."""
    (label,) = labels
    databricks = place.databricks

    @flow(**RETRIES)
    def in_a_flow() -> Run:
        return submit_run_and_wait(databricks, body(label), **WAIT)

    return [got(label, in_a_flow())]


def of_a_saved_job(place: Place, labels: list[str]) -> list[Got]:
    """A run of a saved job."""
    (label,) = labels
    waits = run_now_and_wait.with_options(**RETRIES)
    return [got(label, waits(place.databricks, job_id=place.job_id, job_parameters={"label": label}, **WAIT))]


def raises_once(place: Place, labels: list[str]) -> list[Got]:
    """The flow's first attempt goes wrong after the run was started."""
    (label,) = labels
    databricks, bump = place.databricks, Bump()

    @flow(**RETRIES)
    def raises_once() -> Run:
        run_id = run_now(databricks, job_id=place.job_id, job_parameters={"label": label}, **TRIES)
        bump()
        return wait_for_run(databricks, run_id, **WAIT)

    return [got(label, raises_once())]


def in_a_users_task(place: Place, labels: list[str]) -> list[Got]:
    """The first attempt of the user's own task goes wrong after the run was started."""
    (label,) = labels
    databricks, bump = place.databricks, Bump()

    @task(**RETRIES, persist_result=False)
    def users() -> int:
        run_id = submit_run(databricks, body(label), **TRIES)
        bump()
        return run_id

    @flow(**RETRIES)
    def in_a_users_task() -> Run:
        return wait_for_run(databricks, users(), **WAIT)

    return [got(label, in_a_users_task())]


def repaired(place: Place, labels: list[str]) -> list[Got]:
    """The run fails, and the retry repairs it."""
    (number,) = labels
    databricks, label = place.databricks, f"{number} {FAILS_FIRST}"

    @flow(**RETRIES)
    def repaired() -> Run:
        run_id = submit_run(databricks, body(label), on_retry="repair", **TRIES)
        return wait_for_run(databricks, run_id, **WAIT)

    return [got(label, repaired())]


def given_up(place: Place, labels: list[str]) -> list[Got]:
    """The run takes too long, and is cancelled."""
    (number,) = labels
    label = f"{number} {GIVEN_UP}"
    try:
        run = submit_run_and_wait(place.databricks, body(label), max_wait_seconds=0.5, **WAIT)
    except WaitTimeout as error:
        return [Got(label, error.run_id, None)]
    return [got(label, run)]


def timed_out(place: Place, labels: list[str]) -> list[Got]:
    """The wait is at its end before the run is, and the run is cancelled."""
    (number,) = labels
    label = f"{number} {GIVEN_UP}"
    databricks = place.databricks

    @flow
    async def timed_out() -> tuple[int, bool]:
        run_id = await asubmit_run(databricks, body(label), **PATIENT)
        waits = await_for_run.with_options(timeout_seconds=1)
        state: Any = await waits(databricks, run_id, **WAIT, return_state=True)
        return run_id, state.is_failed()

    run_id, is_timed_out = asyncio.run(timed_out())
    return [Got(label, run_id, None if is_timed_out else "not timed out")]


def mapped(place: Place, labels: list[str]) -> list[Got]:
    """The runs are started side by side, and the first attempt goes wrong after that."""
    databricks, bump = place.databricks, Bump()

    @flow(**RETRIES)
    def mapped() -> list[Run]:
        options = {name: unmapped(value) for name, value in TRIES.items()}
        futures = submit_run.map(unmapped(databricks), [body(label) for label in labels], **options)
        run_ids = [future.result() for future in futures]
        bump()
        return [wait_for_run(databricks, run_id, **WAIT) for run_id in run_ids]

    return list(map(got, labels, mapped()))


def twins(place: Place, labels: list[str]) -> list[Got]:
    """Equal requests side by side are runs of their own."""
    databricks, bump = place.databricks, Bump()
    label = " and ".join(labels)

    @flow(**RETRIES)
    def twins() -> list[Run]:
        futures = [submit_run.submit(databricks, body(label), **TRIES) for _ in labels]
        run_ids = [future.result() for future in futures]
        bump()
        return [wait_for_run(databricks, run_id, **WAIT) for run_id in run_ids]

    return [got(label, run) for run in twins()]


def asynchronous(place: Place, labels: list[str]) -> list[Got]:
    """An async flow waits for several runs at once."""
    databricks = place.databricks

    @flow(**RETRIES)
    async def asynchronous() -> list[Run]:
        return await asyncio.gather(*(asubmit_run_and_wait(databricks, body(label), **WAIT) for label in labels))

    return list(map(got, labels, asyncio.run(asynchronous())))


Shape = Callable[[Place, list[str]], list[Got]]

# Each with how many runs one of it asks for.
SHAPES: dict[Shape, int] = {
    by_itself: 1,
    in_a_flow: 1,
    of_a_saved_job: 1,
    raises_once: 1,
    in_a_users_task: 1,
    repaired: 1,
    given_up: 1,
    timed_out: 1,
    mapped: 3,
    twins: 2,
    asynchronous: 2,
}
