"""What it costs to wait for many runs, and how late their ends are noticed: this package and what else there is.

    python -m tests.benchmarks.peers
    python -m tests.benchmarks.watching --runs 1 10 100 500 2000 --json watching.json --plot watching.svg

For each number of runs, each contender in turn waits for the same runs: simulated, started before its clock, all over
some 20 to 30 seconds after it. It is a process of its own, and so are the workspace, which serves https, and the
Prefect server, with an HTTP proxy before it that counts. All are new each time. A notice is what tells the user: the
line in the flow run's log, or, with databricks-sdk, that the call comes back. Delays are counted from the run's
`end_time`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.contenders.parent import OURS, OURS_EACH, PREFECT_DATABRICKS, SDK, SDK_POLITE, Contender
from tests.benchmarks.measuring import Load, Result, measure
from tests.benchmarks.peers import our_versions, versions

# Its limit is how often databricks-sdk has just asked for the same runs; it need not use it up.
OURS_AT_SDK_RATE = "ours-at-sdk-rate"
_CONTENDERS = {each.name: each for each in (OURS, OURS_EACH, SDK, SDK_POLITE, PREFECT_DATABRICKS)}
_DEFAULT = (OURS.name, SDK.name, OURS_AT_SDK_RATE, SDK_POLITE.name, PREFECT_DATABRICKS.name)
_COLUMNS = ("runs", "contender", "noticed", "median late", "p99", "worst", "requests", "a second", "to Prefect")
_MORE_COLUMNS = ("CPU s", "MB", "over imports", "took s", "")
_WIDTH = 180


def measurements(names: list[str], loads: list[Load]) -> Iterator[Result]:
    """Each contender with each load, one after the other; a contender that cannot be measured here is left out."""
    for load in loads:
        sdk: Result | None = None
        for name in names:
            contender, options = _CONTENDERS.get(name, OURS), {}
            if name == OURS_AT_SDK_RATE:
                if not sdk:
                    continue
                contender, options = replace(OURS, name=name), {"requests_per_second": sdk.requests_a_second}
            if contender.missing:
                continue
            result = _measured(contender, load, **options)
            if name == SDK.name:
                sdk = result
            yield result


def _measured(contender: Contender, load: Load, **options: Any) -> Result:
    """One measurement; that something has broken is a result too."""
    try:
        return measure(contender, load, **options)
    except RuntimeError as error:
        Console(stderr=True).print(str(error), markup=False)
        return Result(
            contender=contender.name,
            runs=load.runs,
            tasks=load.tasks,
            noticed=0,
            delay_median=None,
            delay_p99=None,
            delay_worst=None,
            requests={},
            requests_in_all=0,
            requests_a_second=0,
            prefect_calls=0,
            prefect_calls_failed=0,
            prefect_messages=0,
            cpu_seconds=0,
            memory_peak=0,
            memory_over_imports=0,
            seconds=0,
            workspace_cpu_seconds=0,
            note=str(error).partition("\n")[0],
        )


def table_of(results: list[Result]) -> Table:
    """What is printed."""
    table = Table(*_COLUMNS, *_MORE_COLUMNS)
    for result in results:
        failed = f" + {result.prefect_calls_failed} failed" if result.prefect_calls_failed else ""
        table.add_row(
            str(result.runs),
            result.contender,
            str(result.noticed),
            *("-" if each is None else f"{each:.2f}" for each in _delays(result)),
            str(result.requests_in_all),
            f"{result.requests_a_second:.1f}",
            f"{result.prefect_calls}{failed}",
            f"{result.cpu_seconds:.1f}",
            f"{result.memory_peak:.0f}",
            f"{result.memory_over_imports:.0f}",
            f"{result.seconds:.0f}",
            result.note,
        )
    return table


def _delays(result: Result) -> tuple[float | None, float | None, float | None]:
    return result.delay_median, result.delay_p99, result.delay_worst


def machine() -> dict[str, Any]:
    """Where it was measured."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "ours": our_versions(),
        "peers": versions(),
    }


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[1, 10, 100, 500, 2000])
    names = [*_CONTENDERS, OURS_AT_SDK_RATE]
    parser.add_argument("--contenders", nargs="+", choices=names, default=_DEFAULT, metavar="NAME", help=str(names))
    parser.add_argument("--tasks", type=int, default=1, help="of each run, side by side")
    parser.add_argument("--seconds", type=float, nargs=2, default=(20, 30), help="when the runs end: from, to")
    parser.add_argument("--repeats", type=int, default=1, help="how often all is measured, each time with other runs")
    parser.add_argument("--limit", type=float, default=300, help="seconds after which a contender is stopped")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    parser.add_argument("--plot", type=Path, help="a file for the picture, .svg; needs the extra `benchmarks`")
    arguments = parser.parse_args()
    chosen = list(arguments.contenders)
    if OURS_AT_SDK_RATE in chosen and SDK.name not in chosen[: chosen.index(OURS_AT_SDK_RATE)]:
        parser.error(f"{OURS_AT_SDK_RATE} needs to come after {SDK.name}, whose rate it has")
    before = machine()
    loads = [
        Load(runs, arguments.tasks, tuple(arguments.seconds), seed, arguments.limit)
        for runs in arguments.runs
        for seed in range(arguments.repeats)
    ]
    results = []
    for result in measurements(chosen, loads):
        results.append(result)
        print(f"{result.runs} runs, {result.contender}: {result.seconds:.0f} s", file=sys.stderr)
        told = {**before, "seconds": list(arguments.seconds), "results": [asdict(each) for each in results]}
        if arguments.json:  # each time, so that little is lost when it breaks
            arguments.json.write_text(json.dumps(told, indent=1), "utf-8")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table_of(results))
    left_out = {each.name: each.missing for each in _CONTENDERS.values() if each.missing}
    for name in left_out.keys() & set(chosen):
        console.print(f"{name} {left_out[name]}")
    if arguments.plot:
        from tests.benchmarks.plot import plot

        plot([asdict(each) for each in results], arguments.plot)


if __name__ == "__main__":
    main()
