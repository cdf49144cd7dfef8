"""How many calls to the Prefect API a waiting flow run makes: they grow with what there is to show, not with the polls.

    python -m tests.benchmarks.prefect_calls --json prefect_calls.json

A flow in a process of its own waits for a run of simulated tasks in five stages. An HTTP proxy between it and a real
Prefect server counts. Before each change of the run, the server must show the one before.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from prefect_databricks_runs import Run
from prefect_databricks_runs._prefect.compat import SHOWS_PROGRESS
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.local.client import Client
from tests.local.simulated import simulated, task
from tests.report.shown_flow import ShownFlow
from tests.report.waiting_process import WaitingProcess
from tests.support.prefect_api import PrefectApi
from tests.support.prefect_proxy import Call, PrefectProxy
from tests.support.processes import wait_until

_STAGES = 5
_PHASE_SECONDS = 10
_MAX_ROWS = 250
_ID = "[0-9a-f-]{36}"
# The first that matches says what a call is for. Two of the flow run's states are Prefect's own.
_KINDS = {
    "task runs created": r"POST /task_runs/",
    "task run states": rf"POST /task_runs/{_ID}/set_state",
    "flow run states": rf"POST /flow_runs/{_ID}/set_state",
    "flow run named": rf"PATCH /flow_runs/{_ID}",
    "artifacts": rf"(POST|PATCH) /artifacts/({_ID})?",
    "log batches": r"POST /logs/",
    "others": r".*",  # Prefect's own: the flow, its run and the clients' set-up
}
_FAILED = "failed, tried again"


@dataclass(frozen=True)
class Result:
    """What was counted. `calls` are all HTTP calls of the process but for its log and for those that failed."""

    tasks: int
    polls: int
    state_changes: int
    calls: int
    calls_a_state_change: float
    kinds: dict[str, int]
    websocket_messages: int
    seconds: float


def measure(prefect_api: PrefectApi, tasks: int, polls: int, period: float = 0.02) -> Result:
    """Runs the benchmark.

    Args:
        prefect_api: a Prefect server.
        tasks: how many tasks the run has.
        polls: how often it is polled at least.
        period: the seconds between two polls.
    """
    course = {"*": {"pending": _PHASE_SECONDS, "running": _PHASE_SECONDS}}
    with PrefectProxy(prefect_api.url) as proxy, simulated(course) as client:
        run_id = client.submit(*_job(tasks))
        options = {"polling_period_seconds": period, "max_mirrored_tasks": tasks}
        name = f"{tasks}-tasks-{polls}-polls"
        begin = time.monotonic()
        with WaitingProcess(prefect_api, proxy.api_url, client.workspace, run_id, name, **options) as waiting:
            changes = _play(client, run_id, waiting, polls)
            assert waiting.end(600) == "Success", waiting.log[-8000:]
        seconds = time.monotonic() - begin
        kinds = Counter(_kind(call) for call in proxy.calls)
        calls = kinds.total() - kinds["log batches"] - kinds[_FAILED]
        return Result(
            tasks=tasks,
            polls=_polls(client),
            state_changes=changes,
            calls=calls,
            calls_a_state_change=round(calls / changes, 2),
            kinds={kind: kinds[kind] for kind in (*_KINDS, _FAILED)},
            websocket_messages=proxy.websocket_messages,
            seconds=round(seconds, 1),
        )


def _job(tasks: int) -> list[dict[str, Any]]:
    """Five stages, each task after one of the stage before."""
    width = -(-tasks // _STAGES)
    return [task(f"task_{number}", *([f"task_{number - width}"] if number >= width else [])) for number in range(tasks)]


def _play(client: Client, run_id: int, waiting: ShownFlow, polls: int) -> int:
    """Let the run go on step by step; returns how many states were seen, of the run and of its tasks."""
    before: dict[str, str] = {}
    changes = 0
    steps = 2 * _STAGES
    for step in range(steps + 1):
        run = Run.from_api(client.workspace.runs[run_id], client.workspace.url)
        states = {"": run.state.name, **{key: each.state.name for key, each in run.tasks.items()}}
        changes += sum(before.get(key) != state for key, state in states.items())
        before = states
        wait_until(lambda run=run: _is_shown(run, waiting), 600)
        if step < steps:
            wanted = polls * (step + 1) // steps
            wait_until(lambda wanted=wanted: _polls(client) >= wanted, 600)
            client.workspace.advance(_PHASE_SECONDS)
    return changes


def _polls(client: Client) -> int:
    """A poll of many tasks takes several pages."""
    return sum("page_token" not in each.query for each in client.workspace.requests_to("GET */runs/get"))


def _is_shown(run: Run, waiting: ShownFlow) -> bool:
    """Whether the server knows all of the run; the artifacts are told last."""
    if not waiting.prefect_api.flow_runs_named(waiting.name):
        return False
    artifacts = waiting.artifacts
    over = sum(each.state.is_terminal for each in run.tasks.values())
    if "markdown" not in artifacts:
        return False
    if SHOWS_PROGRESS and float(artifacts.get("progress", -1)) != round(100 * over / len(run.tasks), 1):
        return False
    rows = dict(re.findall(r"^\| \[(\w+)\]\(\S+\) \| (\w+) \|", artifacts["markdown"], re.MULTILINE))
    if len(run.tasks) <= _MAX_ROWS and rows != {key: each.state.name for key, each in run.tasks.items()}:
        return False
    shown = {key: each["state"]["name"] for key, each in waiting.task_runs.items()}
    return shown == {key: each.state.name for key, each in run.tasks.items()}


def _kind(call: Call) -> str:
    if call.status is None or call.status >= 500:
        return _FAILED
    what = f"{call.method} {call.path.removeprefix('/api')}"
    return next(kind for kind, pattern in _KINDS.items() if re.fullmatch(pattern, what))


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, nargs="*", default=[100, 1000], help="further runs, with 20 polls each")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    with PrefectServer() as server:
        prefect_api = PrefectApi(server)
        results = [measure(prefect_api, 10, 20, period=0.5), measure(prefect_api, 10, 500)]
        results += [measure(prefect_api, tasks, 20, period=0.5) for tasks in arguments.tasks]
    table = Table("", *(f"{result.tasks} tasks, {result.polls} polls" for result in results))
    for name in ("state_changes", "calls", "calls_a_state_change", "websocket_messages", "seconds"):
        table.add_row(name, *(str(getattr(result, name)) for result in results))
    for kind in (*_KINDS, _FAILED):
        table.add_row(f"  {kind}", *(str(result.kinds[kind]) for result in results))
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1), "utf-8")


if __name__ == "__main__":
    main()
