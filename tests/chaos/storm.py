"""Drives many flows against one workspace on which everything goes wrong by chance, and tells what came of them."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context  # which Prefect server to use is a context variable
from dataclasses import dataclass, field
from typing import Any

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.simulation import TaskStart
from tests.chaos.faults import set_faults
from tests.chaos.shapes import FAILS_FIRST, SHAPES, Got, Place, Shape

AT_ONCE = 3  # a Prefect 3 server on SQLite answers 503 to many at once
PROBABILITY = 0.006  # of each fault, for each request; together they meet every fifth
REQUEST_SECONDS = 1.5
BLOCK = "chaos"
_USER = "someone@localhost"
_OVER = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")
_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect_databricks_runs")
# What is counted of what is logged.
_LINES = {
    "requests tried again": " Try ",
    "requests asked again that were not let in": "Asking once more in",
    "requests asked again with a new token": "asking again with what it has now",
    "outages while waiting": "which says nothing of the run",
    "starts of which every answer was lost": "may have started the run all the same",
    "runs found again": "is found again",
    "runs repaired": "and is repaired",
    "runs followed by another": "another one is started",
    "runs cancelled": "Cancelling Databricks run",
}


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

    def __str__(self) -> str:
        met = (f"{count:8} {kind}" for kind, count in sorted(self.faults.items()))
        numbers = (f"{value:8} {name}" for name, value in self.numbers.items())
        return "\n".join([*self.wrong, *numbers, "faults met:", *met])


class LineCount(logging.Handler):
    """Counts what the runs log."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter(dict.fromkeys(_LINES, 0))

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        self.counts.update(name for name, words in _LINES.items() if words in message)


@contextmanager
def counted_lines() -> Iterator[Counter[str]]:
    """Counts the lines that are logged in this block."""
    handler, loggers = LineCount(), [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield handler.counts
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class Storm:
    """The chaos, once.

    Args:
        flows: How many runs are asked for, each of them waited for by a flow run of its own.
        seed: Which flows there are, and which requests meet which fault. In which order the requests come is up to the
            threads that they come from.
        tell: Told of each flow that is over.
    """

    def __init__(self, flows: int, seed: int, tell: Any = print) -> None:
        self._wanted = flows
        self._chooser = random.Random(seed)
        self._tell = tell
        self._wrong: list[str] = []
        self._failed_once: set[int] = set()
        self._lock = threading.Lock()

    def run(self) -> Report:
        """Let all flows run, and look at what came of them."""
        began = time.monotonic()
        with LocalWorkspace(script=self._course) as workspace, counted_lines() as lines:
            place = _place(workspace)
            faults = set_faults(workspace, self._chooser, PROBABILITY)
            plan = list(self._plan())
            with ThreadPoolExecutor(AT_ONCE) as pool:
                futures = []
                for number, (shape, labels) in enumerate(plan):
                    if number == len(plan) // 2:
                        futures.append(pool.submit(copy_context().run, _rotate_token, workspace))
                    futures.append(pool.submit(copy_context().run, self._one, shape, place, labels))
                got = [each for future in futures for each in future.result()]
            workspace.clear_faults()
            self._look_at(workspace.runs, got)
            met: Counter[str] = Counter()
            for kind, fault in faults:
                met[kind] += fault.met
            seconds = time.monotonic() - began
            numbers = {
                "waiting flows": self._wanted,
                "flows called": len(plan),
                "runs made": len(workspace.runs),
                "requests": len(workspace.requests),
                "requests that met a fault": met.total(),
                **lines,
                "seconds": round(seconds, 1),
                "seconds a waiting flow": round(seconds / self._wanted, 2),
            }
        return Report(self._wrong, numbers, met)

    def _course(self, start: TaskStart) -> dict[str, Any]:
        """A task that takes a moment, and says which run it belongs to."""
        with self._lock:
            fails = FAILS_FIRST in start.run_name and start.run_id not in self._failed_once
            self._failed_once.add(start.run_id)
        if fails:
            return {"running": 0.1, "result_state": "FAILED", "error": "ValueError: the first time"}
        return {"running": 0.1, "result": str(start.run_id)}

    def _plan(self) -> Iterator[tuple[Shape, list[str]]]:
        """Which flows there are, with a label for each run."""
        labels = (f"chaos {number}" for number in range(self._wanted))
        single = [shape for shape, runs in SHAPES.items() if runs == 1]
        left = self._wanted
        for shape in itertools.chain.from_iterable(self._shuffled() for _ in itertools.count()):
            if left == 0:
                return
            fits = shape if SHAPES[shape] <= left else self._chooser.choice(single)
            left -= SHAPES[fits]
            yield fits, list(itertools.islice(labels, SHAPES[fits]))

    def _shuffled(self) -> list[Shape]:
        return self._chooser.sample(list(SHAPES), len(SHAPES))

    def _one(self, shape: Shape, place: Place, labels: list[str]) -> list[Got]:
        try:
            got = shape(place, labels)
        except BaseException as error:
            self._wrong.append(f"{shape.__name__} of {labels} ended with {error!r}")
            return []
        self._tell(f"{shape.__name__}: {', '.join(labels)}")
        return got

    def _look_at(self, runs: dict[int, dict[str, Any]], got: list[Got]) -> None:
        """Compare what the flows got with what the workspace has."""
        if len(runs) != self._wanted:
            self._wrong.append(f"{self._wanted} runs were asked for, and {len(runs)} were made.")
        for run_id, run in runs.items():
            if run["state"]["life_cycle_state"] not in _OVER:
                self._wrong.append(f"Run {run_id} of {_label(run)} is left {run['state']['life_cycle_state']}.")
        owners = Counter(each.run.run_id for each in got)
        self._wrong += [
            f"Run {run_id} is nobody's: {_label(run)}." for run_id, run in runs.items() if not owners[run_id]
        ]
        self._wrong += [f"Run {run_id} is the run of {count} flows." for run_id, count in owners.items() if count > 1]
        for label, run in got:
            output = run.tasks["main"].output
            if not output or output.result != str(run.run_id) or _label(runs[run.run_id]) != label:
                self._wrong.append(f"{label} got run {run.run_id} of {_label(runs[run.run_id])} with {output}.")


def _place(workspace: LocalWorkspace) -> Place:
    databricks = DatabricksCredentials(
        host=workspace.url, token=workspace.token, request_timeout_seconds=REQUEST_SECONDS
    )
    databricks.save(BLOCK, overwrite=True)
    tasks = [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]
    parameters = [{"name": "label", "default": "?"}]
    job = {"name": "chaos", "max_concurrent_runs": 100, "parameters": parameters, "tasks": tasks}
    with databricks.get_client() as client:
        job_id = client.post("/api/2.2/jobs/create", json=job).raise_for_status().json()["job_id"]
    return Place(BLOCK, job_id)


def _rotate_token(workspace: LocalWorkspace) -> list[Got]:
    """The token of all flows that are going ends, a moment before the block has another one."""
    token = workspace.add_user(_USER)
    workspace.revoke_token(workspace.token)
    databricks = DatabricksCredentials(host=workspace.url, token=token, request_timeout_seconds=REQUEST_SECONDS)
    databricks.save(BLOCK, overwrite=True)
    return []


def _label(run: dict[str, Any]) -> str:
    """What a run was asked for with."""
    parameters = {each["name"]: each["value"] for each in run.get("job_parameters") or ()}
    return str(parameters.get("label") or run["run_name"])
