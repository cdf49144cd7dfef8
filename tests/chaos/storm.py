"""Drives many flows against one workspace on which everything goes wrong by chance, and tells what came of them."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.runs.simulation import TaskStart
from tests.chaos.driver import LINES, Outcome, drive, start
from tests.chaos.faults import AFTER, set_faults
from tests.chaos.shapes import FAILS_FIRST, GIVEN_UP, SHAPES, Place, Shape, given_up, timed_out
from tests.support.processes import wait_until

AT_ONCE = 3  # a Prefect 3 server on SQLite answers 503 to many at once
PROBABILITY = 0.006  # of each fault, for each request; together they meet every fourth
REQUEST_SECONDS = 1.5
PACE = 200.0  # what is to be found out is not how slow it can be
# An attempt of a flow that is not let in is two requests or more, so that it takes four of its nine attempts at most.
_REFUSED_BEFORE, _REFUSAL_SECONDS = 8, 120.0
_SAVING_SECONDS = 300.0  # the flows can wait: their old token is valid until the block is saved
BLOCK = "chaos"
_WITHOUT_RETRIES = {given_up.__name__, timed_out.__name__}
_USER = "someone@localhost"
_QUIET = {"PREFECT_LOGGING_TO_API_ENABLED": "false", "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}


@dataclass
class Report:
    """What came of it.

    Attributes:
        wrong: One sentence for each broken promise.
        numbers: What is worth knowing, by its name.
        faults: How many requests met which fault.
    """

    wrong: list[str]
    numbers: dict[str, Any] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)

    def met(self, kind: str) -> int:
        """How many requests met a fault of that kind, before the effect or after it."""
        return self.faults[kind] + self.faults[kind + AFTER]

    def __str__(self) -> str:
        met = (f"{count:8} {kind}" for kind, count in sorted(self.faults.items()))
        numbers = (f"{value:8} {name}" for name, value in self.numbers.items())
        return "\n".join([*self.wrong, *numbers, "faults met:", *met])


class Storm:
    """The chaos, once.

    Args:
        flows: How many runs are asked for, each of them waited for by a flow run of its own.
        seed: Which flows there are, and which requests meet which fault. In which order the requests come is up to the
            processes that they come from.
        api_url: The Prefect server.
        tell: Told of each flow that is over.
    """

    def __init__(self, flows: int, seed: int, api_url: str, tell: Callable[[str], None]) -> None:
        self._wanted = flows
        self._api_url = api_url
        self._chooser = random.Random(seed)
        self._tell = tell
        self._wrong: list[str] = []
        self._failed_once: set[int] = set()
        self._lock = threading.Lock()

    def run(self) -> Report:
        """Let all flows run, and look at what came of them."""
        with LocalWorkspace(script=self._course) as workspace, temporary_settings({PREFECT_API_URL: self._api_url}):
            place = _place(workspace)
            faults = set_faults(workspace, self._chooser, PROBABILITY)
            plan = list(self._plan())
            began = time.monotonic()
            outcomes = self._drive(plan, place, workspace)
            seconds = time.monotonic() - began
            workspace.clear_faults()
            self._look_at(workspace.runs, outcomes)
            met: Counter[str] = Counter()
            for kind, fault in faults:
                met[kind] += fault.met
            numbers = {
                "waiting flows": self._wanted,
                "flows called": len(plan),
                "Databricks runs made": len(workspace.runs),
                "requests": len(workspace.requests),
                "requests that met a fault": met.total(),
                **{name: sum(outcome.lines[name] for outcome in outcomes) for name in LINES},
                "seconds": round(seconds, 1),
                "seconds a waiting flow": round(seconds / self._wanted, 2),
            }
        return Report(self._wrong, numbers, met)

    def _drive(self, plan: Sequence[tuple[str, list[str]]], place: Place, workspace: LocalWorkspace) -> list[Outcome]:
        """Run the flows, a few at once, in as many processes: on Prefect 2 a flow that ends ends all of its process."""
        environment = {**_QUIET, "PREFECT_API_URL": self._api_url}
        spawned = multiprocessing.get_context("spawn")
        with patch.dict(os.environ, environment), ProcessPoolExecutor(AT_ONCE, spawned, start) as pool:
            outcomes: list[Outcome] = []

            def submit(part: Sequence[tuple[str, list[str]]]) -> list[Future[Outcome]]:
                return [pool.submit(drive, shape, place, labels) for shape, labels in part]

            def collect(futures: Sequence[Future[Outcome]]) -> None:
                for future in as_completed(futures):
                    outcomes.append(future.result())
                    got = ", ".join(each.label for each in outcomes[-1].got)
                    self._tell(f"{len(outcomes)} of {len(plan)} {outcomes[-1].error or got}")

            # A cancellation has ten seconds, and a busy Prefect server may take longer to say what the block has now:
            # only flows with retries meet the change of the token.
            first, second = plan[: len(plan) // 2], plan[len(plan) // 2 :]
            meets = [each for each in second if each[0] not in _WITHOUT_RETRIES]
            collect(submit(first))
            meeting = submit(meets)
            _rotate_token(workspace)
            collect(meeting + submit([each for each in second if each[0] in _WITHOUT_RETRIES]))
        return outcomes

    def _course(self, start: TaskStart) -> dict[str, Any]:
        """A task that takes a moment, and says which run it belongs to."""
        with self._lock:
            fails = FAILS_FIRST in start.run_name and start.run_id not in self._failed_once
            self._failed_once.add(start.run_id)
        if GIVEN_UP in start.run_name:
            return {"running": 600}
        seconds = start.run_id % 5 / 8  # many are over before anybody looks
        if fails:
            return {"running": seconds, "result_state": "FAILED", "error": "ValueError: the first time"}
        return {"running": seconds, "result": str(start.run_id)}

    def _plan(self) -> Iterator[tuple[str, list[str]]]:
        """Which flows there are, with a label for each run."""
        labels = (f"chaos {number}" for number in range(self._wanted))
        single = [shape for shape, runs in SHAPES.items() if runs == 1]
        left = self._wanted
        for shape in itertools.chain.from_iterable(self._shuffled() for _ in itertools.count()):
            if left == 0:
                return
            fits = shape if SHAPES[shape] <= left else self._chooser.choice(single)
            left -= SHAPES[fits]
            yield fits.__name__, list(itertools.islice(labels, SHAPES[fits]))

    def _shuffled(self) -> list[Shape]:
        return self._chooser.sample(list(SHAPES), len(SHAPES))

    def _look_at(self, runs: dict[int, dict[str, Any]], outcomes: Sequence[Outcome]) -> None:
        """Compare what the flows got with what the workspace has."""
        self._wrong += [outcome.error for outcome in outcomes if outcome.error]
        got = [each for outcome in outcomes for each in outcome.got]
        if len(runs) != self._wanted:
            self._wrong.append(f"{self._wanted} runs were asked for, and {len(runs)} were made.")
        owners = Counter(each.run_id for each in got)
        for run_id, run in runs.items():
            name, state = f"Run {run_id} of {_label(run)}", run["state"]["life_cycle_state"]
            result, wanted = run["state"].get("result_state"), "CANCELED" if GIVEN_UP in name else "SUCCESS"
            if result != wanted:
                self._wrong.append(f"{name} is left {state} {result}, not {wanted}.")
            if owners[run_id] != 1:
                self._wrong.append(f"{name} is what {owners[run_id]} flows got.")
        for label, run_id, result in got:
            if result != (None if GIVEN_UP in label else str(run_id)) or _label(runs[run_id]) != label:
                self._wrong.append(f"{label} got run {run_id} of {_label(runs[run_id])} with the result {result}.")


def _place(workspace: LocalWorkspace) -> Place:
    databricks = DatabricksCredentials(
        host=workspace.url, token=workspace.token, request_timeout_seconds=REQUEST_SECONDS, requests_per_second=PACE
    )
    _save(databricks)
    tasks = [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]
    parameters = [{"name": "label", "default": "?"}]
    job = {"name": "chaos", "max_concurrent_runs": 100, "parameters": parameters, "tasks": tasks}
    with databricks.get_client() as client:
        job_id = client.post("/api/2.2/jobs/create", json=job).raise_for_status().json()["job_id"]
    return Place(BLOCK, job_id)


def _rotate_token(workspace: LocalWorkspace) -> None:
    """Let the token of all flows that are running be refused before the block has another one, and end it afterwards.

    How often it is refused before that is counted in requests, and not in the seconds that it takes to save a block:
    on a busy machine these are many, and a flow has so many retries and no more.
    """
    refused = workspace.fault("* *", expired_token=True, times=_REFUSED_BEFORE)
    wait_until(lambda: refused.met == _REFUSED_BEFORE, seconds=_REFUSAL_SECONDS)
    databricks = DatabricksCredentials(
        host=workspace.url,
        token=workspace.add_user(_USER),
        request_timeout_seconds=REQUEST_SECONDS,
        requests_per_second=PACE,
    )
    _save(databricks)
    workspace.revoke_token(workspace.token)


def _save(databricks: DatabricksCredentials) -> None:
    """Save the block; a Prefect server on SQLite answers 503 for longer than its client asks."""
    deadline = time.monotonic() + _SAVING_SECONDS
    while True:
        try:
            databricks.save(BLOCK, overwrite=True)
            return
        except PrefectHTTPStatusError as error:
            if not error.response.is_server_error or time.monotonic() > deadline:
                raise
            time.sleep(1)


def _label(run: dict[str, Any]) -> str:
    """What a run was asked for with."""
    parameters = {each["name"]: each["value"] for each in run.get("job_parameters") or ()}
    return str(parameters.get("label") or run["run_name"])
