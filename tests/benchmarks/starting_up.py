"""What it costs to begin: imports, and the way from a call of `submit_run` to the request on the wire.

    python -m tests.benchmarks.starting_up --json starting_up.json

Imports are measured in fresh processes, one after the other and in turns: this package after `import prefect`, and, to
compare, databricks-sdk and prefect-databricks. Both Prefect and this package import most of what they have when a name
is first used: each statement is measured by itself, after those before it. The way to the wire is that of the calls in
one flow run, until the workspace has the request: the first one makes the connection too. Beside it stands what Prefect
takes to begin a task that does nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.benchmarks.contenders.parent import Contender, ContenderProcess
from tests.benchmarks.peers import PEERS_PYTHON
from tests.benchmarks.workspace_process import ROOT, WorkspaceProcess

HEAVY = (
    "databricks",
    "duckdb",
    "numpy",
    "pandas",
    "prefect_databricks_runs.cli",
    "prefect_databricks_runs.demo",
    "prefect_databricks_runs.local",
    "pytest",
    "trustme",
    "typer",
    "uvicorn",
)
OURS = (
    "import prefect",
    "from prefect import flow, task",
    "import prefect_databricks_runs",
    "from prefect_databricks_runs import DatabricksCredentials, submit_run, wait_for_run",
    "from prefect_databricks_runs import *",
)
_SDK = ("from databricks.sdk import WorkspaceClient",)
_PREFECT_DATABRICKS = ("import prefect", "from prefect import flow, task", "import prefect_databricks.flows")
_SUBMITTING = Contender("submitting", "submitting")
_LIMIT = 120.0
_WIDTH = 150
_CODE = """
import json, sys, time
from tests.benchmarks.contenders.child import memory
steps, names = [], {}
for statement in json.loads(sys.argv[1]):
    before, known, began = memory(), set(sys.modules), time.perf_counter()
    exec(statement, names)
    seconds = time.perf_counter() - began
    steps.append([seconds, memory() - before, sorted(set(sys.modules) - known)])
print(json.dumps(steps))
"""


@dataclass(frozen=True)
class Import:
    """What a statement costs, in the median.

    Attributes:
        statement: such as `import prefect`.
        milliseconds: how long it takes.
        milliseconds_after_the_first: the same with those before it, but for the first one of its process.
        megabytes: what it adds to the memory of the process.
        megabytes_after_the_first: the same with those before it, but for the first one.
        modules: how many modules it loads.
        heavy: those of them that should come only when they are used.
    """

    statement: str
    milliseconds: float
    milliseconds_after_the_first: float
    megabytes: float
    megabytes_after_the_first: float
    modules: int
    heavy: list[str]


@dataclass(frozen=True)
class Wire:
    """From a call in a flow to what it does, in ms.

    Attributes:
        first: from the first call of `submit_run` to its request.
        median: the same of all later calls.
        empty_task: from the call of a task that does nothing to its first line, in the median.
    """

    first: float
    median: float
    empty_task: float


def imports(repeats: int) -> list[Import]:
    """Measure the imports.

    Args:
        repeats: how often; once more before it, so that all is compiled.
    """
    kinds: list[tuple[str, tuple[str, ...]]] = [(sys.executable, OURS), (sys.executable, _SDK)]
    if PEERS_PYTHON.exists():
        kinds.append((str(PEERS_PYTHON), _PREFECT_DATABRICKS))
    measured = defaultdict(list)
    for number in range(repeats + 1):
        for kind in kinds:
            steps = imported(*kind)
            if number:
                measured[kind].append(steps)
    return [
        Import(
            statement=statement,
            milliseconds=_median([1000 * steps[place][0] for steps in found]),
            milliseconds_after_the_first=_median([1000 * sum(s[0] for s in steps[1 : place + 1]) for steps in found]),
            megabytes=_median([steps[place][1] for steps in found]),
            megabytes_after_the_first=_median([sum(s[1] for s in steps[1 : place + 1]) for steps in found]),
            modules=len(found[0][place][2]),
            heavy=heavy_of(found[0][place][2]),
        )
        for (_, statements), found in measured.items()
        for place, statement in enumerate(statements)
    ]


def _median(numbers: list[float]) -> float:
    return round(statistics.median(numbers), 1)


def imported(python: str, statements: tuple[str, ...] = OURS) -> list[tuple[float, float, list[str]]]:
    """Run statements in a fresh process; of each the seconds, the MB and the modules that it has loaded."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as home:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": home, "PREFECT_HOME": home}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed with pip is compiled
        command = [python, "-W", "ignore", "-c", _CODE, json.dumps(statements)]
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=True)
    return [(seconds, megabytes, modules) for seconds, megabytes, modules in json.loads(done.stdout)]


def heavy_of(modules: list[str]) -> list[str]:
    """Which of these, or of what they belong to, are heavy."""
    return sorted({heavy for heavy in HEAVY for each in modules if each == heavy or each.startswith(f"{heavy}.")})


def wire(calls: int, prefect_api_url: str = "") -> Wire:
    """Measure the way to the wire.

    Args:
        calls: how often `submit_run` is called in one flow run.
        prefect_api_url: a Prefect API; a server of its own without it.
    """
    with ExitStack() as stack:
        workspace = stack.enter_context(WorkspaceProcess())
        api_url = prefect_api_url or stack.enter_context(PrefectServer()).api_url
        process = stack.enter_context(ContenderProcess(_SUBMITTING, workspace, api_url))
        process.begin([], _LIMIT, calls=calls)
        told = process.end(_LIMIT)
        if told.note:
            raise RuntimeError(f"{told.note}\n{process.log}")
        arrived = workspace.requests_to("POST */runs/submit")
    called, begun = told.extra["called"], told.extra["begun"]
    ways = [came - 1000 * call for call, came in zip(called, arrived, strict=True)]
    return Wire(
        first=round(ways[0], 1), median=_median(ways[1:]), empty_task=_median([1000 * seconds for seconds in begun])
    )


def tables(measured: list[Import], way: Wire) -> list[Table]:
    """What is printed."""
    first = Table("statement", "ms", "since the first", "MB", "since the first", "modules", "heavy ones")
    for each in measured:
        times = str(each.milliseconds), str(each.milliseconds_after_the_first)
        memory = str(each.megabytes), str(each.megabytes_after_the_first)
        first.add_row(each.statement, *times, *memory, str(each.modules), ", ".join(each.heavy) or "none")
    second = Table("from the call in a flow", "ms")
    second.add_row("submit_run to the request, the first time", str(way.first))
    second.add_row("submit_run to the request, later", str(way.median))
    second.add_row("a task that does nothing to its first line", str(way.empty_task))
    return [first, second]


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=15, help="of the imports")
    parser.add_argument("--calls", type=int, default=50, help="of `submit_run`")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    measured, way = imports(arguments.repeats), wire(arguments.calls)
    console = Console(width=_WIDTH)
    for table in tables(measured, way):
        console.print(table)
    if arguments.json:
        numbers = {"imports": [asdict(each) for each in measured], "wire": asdict(way)}
        arguments.json.write_text(json.dumps(numbers, indent=1), "utf-8")


if __name__ == "__main__":
    main()
