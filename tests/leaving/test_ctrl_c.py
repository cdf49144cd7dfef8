"""Ctrl-C in the terminal of a script, and in that of somebody who started the script's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest

from tests.leaving.databricks_side import polls, states
from tests.processes import wait_until

CANCELED = [("TERMINATED", "CANCELED")]
GOING = [("RUNNING", None)]

SCRIPT = """
    import os
    from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

    databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=os.environ["DATABRICKS_TOKEN"])
    body = {"notebook_task": {"notebook_path": "/long"}}
    submit_run_and_wait.with_options(name=os.environ["FLOW"])(databricks, body, polling_period_seconds=0.05)
"""

ASYNC_SCRIPT = """
    import asyncio
    import os
    from prefect_databricks_runs import DatabricksCredentials, asubmit_run_and_wait

    databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=os.environ["DATABRICKS_TOKEN"])
    body = {"notebook_task": {"notebook_path": "/long"}}
    flow = asubmit_run_and_wait.with_options(name=os.environ["FLOW"])
    asyncio.run(flow(databricks, body, polling_period_seconds=0.05))
"""


@pytest.mark.parametrize(
    ("script", "somebodys_child", "becomes"),
    [(SCRIPT, False, CANCELED), (ASYNC_SCRIPT, False, CANCELED), (SCRIPT, True, GOING), (ASYNC_SCRIPT, True, GOING)],
    ids=["your terminal", "your terminal, async", "a worker's terminal", "a worker's terminal, async"],
)
def test_ctrl_c(
    script, somebodys_child, becomes, workspace, notebook, prefect_server, prefect_api, tmp_path: Path
) -> None:
    notebook("/long", "import time; time.sleep(120)")
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(script))
    name = f"ctrl-c-{uuid4()}"
    environment = {
        **os.environ,
        "PREFECT_API_URL": prefect_server.api_url,
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": workspace.token,
        "FLOW": name,
        "PYTHONWARNINGS": "ignore",
    }
    if somebodys_child:
        environment["PREFECT__FLOW_RUN_ID"] = "00000000-0000-4000-8000-000000000000"
    with subprocess.Popen(
        [sys.executable, str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            wait_until(lambda: states(workspace) == GOING and polls(workspace) > 3)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    wait_until(lambda: states(workspace) == becomes)
    (run_id,) = workspace.runs
    says = "Databricks run %d goes on" if becomes == GOING else "Cancelling Databricks run %d"
    assert says % run_id in output
    (flow_run,) = prefect_api.flow_runs_named(name)
    shown = "Unwatched" if becomes == GOING else "Canceled"
    assert prefect_api.mirrored(flow_run["id"]) == {"main": ("CANCELLED", shown)}
