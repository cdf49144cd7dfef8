"""The flow that the demo runs in its own process, as a user would write it: submit a job, wait, show the result."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from prefect import flow
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .. import DatabricksCredentials, Run, RunFailed, submit_run_and_wait
from .._prefect.compat import SecretStr
from .._text import name, quoted, shorten
from .job import demo_job


@flow(name="databricks-demo")
def demo(data_folder: str, *, fail: bool = False) -> Run:
    """Submit the demo's job and wait for it.

    Args:
        data_folder: The folder for the tasks' data.
        fail: Whether one of the tasks raises.
    """
    token = SecretStr(os.environ["DATABRICKS_TOKEN"])
    databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=token)
    return submit_run_and_wait(databricks, json=demo_job(Path(data_folder), fail=fail), polling_period_seconds=0.05)


def summary(run: Run) -> Table:
    """Return a table with a row for each task of the run."""
    table = Table(title=f"Databricks run {run.run_id} {escape(quoted(run.run_name))}: {run.state.name}")
    for column in ("task", "state", "seconds", "result"):
        table.add_column(column)
    for task in run.tasks.values():
        output = task.output
        result = (output.error or output.result or output.logs or "") if output else ""
        seconds = (task.end_time - task.start_time) / 1000 if task.end_time and task.start_time else 0
        table.add_row(name(task.task_key), task.state.name, f"{seconds:.1f}", shorten(result))
    return table


def main() -> int:
    """Run the flow; return 0 if the Databricks run succeeded, else 1."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data_folder")
    parser.add_argument("--fail", action="store_true")
    arguments = parser.parse_args()
    try:
        run, status = demo(arguments.data_folder, fail=arguments.fail), 0
    except RunFailed as error:
        run, status = error.run, 1
    Console().print(summary(run))
    return status


if __name__ == "__main__":
    sys.exit(main())
