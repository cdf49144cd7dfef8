"""What one poll costs in CPU time: to ask for a run and to read the answer.

    python -m tests.benchmarks.polling --json polling.json

With `runs/get`, with a page of `runs/list`, which has 25 runs, and with databricks-sdk; for runs of one task and of
ten.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.contenders.parent import Contender, ContenderProcess
from tests.benchmarks.workspace_process import WorkspaceProcess

RUNS_A_PAGE = 25
WAYS = {"get": 1, "page": RUNS_A_PAGE, "sdk": 1}
_POLLING = Contender("polling", "polling", uses_prefect=False)
_FOR_EVER = 10**6
_LIMIT = 300.0


@dataclass(frozen=True)
class Poll:
    """What was measured.

    Attributes:
        way: `get` and `page` are ours, `sdk` is that of databricks-sdk.
        tasks: how many tasks a run has.
        milliseconds_a_request: of CPU time, user and system.
        milliseconds_a_run: the same for each run that the answer has.
    """

    way: str
    tasks: int
    milliseconds_a_request: float
    milliseconds_a_run: float


def poll(way: str, tasks: int, count: int) -> Poll:
    """Ask so many times, in a process of its own."""
    with WorkspaceProcess() as workspace, ContenderProcess(_POLLING, workspace) as process:
        process.begin(workspace.submit([_FOR_EVER] * RUNS_A_PAGE, tasks), _LIMIT, what=way, count=count)
        told = process.end(_LIMIT)
        if told.note:
            raise RuntimeError(f"{told.note}\n{process.log}")
    (seconds,) = told.extra["found"]
    return Poll(way, tasks, round(1000 * seconds, 3), round(1000 * seconds / WAYS[way], 3))


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="how often is asked")
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    polls = [poll(way, tasks, arguments.count) for tasks in arguments.tasks for way in WAYS]
    table = Table("way", "tasks a run", "ms a request", "ms a run")
    for each in polls:
        table.add_row(each.way, str(each.tasks), f"{each.milliseconds_a_request}", f"{each.milliseconds_a_run}")
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(each) for each in polls], indent=1), "utf-8")


if __name__ == "__main__":
    main()
