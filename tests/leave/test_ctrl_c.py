"""Ctrl-C in the terminal of a script, and in that of somebody who started the script's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from tests.leave.databricks_side import polls, states
from tests.support.processes import PATIENCE, wait_until

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


@contextmanager
def started(
    script: str, folder: Path, flow_name: str, workspace: LocalWorkspace, server: PrefectServer, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a script; killed if it is still there at the end."""
    file = folder / "script.py"
    file.write_text(textwrap.dedent(script))
    environment = {
        **os.environ,
        "PREFECT_API_URL": server.api_url,
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": workspace.token,
        "FLOW": flow_name,
        "PYTHONWARNINGS": "ignore",
        **more,
    }
    with subprocess.Popen(
        [sys.executable, str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


LATE = """
    from prefect_databricks_runs._prefect import portal

    portal._SETTLE_SECONDS = 0.1  # the answer comes later
"""


@pytest.mark.parametrize(
    ("signal", "becomes"),
    [
        pytest.param(signal.SIGINT, CANCELED, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, GOING, id="stopped", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("script", [SCRIPT, pytest.param(ASYNC_SCRIPT, marks=pytest.mark.long)], ids=["sync", "async"])
def test_a_process_that_ends_waits_for_the_answer_to_its_submission(
    script, signal, becomes, workspace, notebook, prefect_server, prefect_api, tmp_path: Path
) -> None:
    notebook("/long", "import time; time.sleep(120)")
    workspace.fault("POST */runs/submit", delay=4, after_effect=True)
    name = f"late-{uuid4()}"
    with started(LATE + script, tmp_path, name, workspace, prefect_server) as process:
        wait_until(lambda: workspace.runs)
        process.send_signal(signal)
        output, _ = process.communicate(timeout=PATIENCE)
    assert "Databricks may have started the run, but has not answered yet" in output
    wait_until(lambda: states(workspace) == becomes)
    (run_id,) = workspace.runs
    says = "Databricks run %d keeps running" if becomes == GOING else "Cancelling Databricks run %d"
    assert says % run_id in output
    (flow_run,) = prefect_api.flow_runs_named(name)
    assert [line for line in prefect_api.log(flow_run["id"]) if says % run_id in line]


@pytest.mark.parametrize(
    ("script", "somebodys_child", "becomes"),
    [
        (SCRIPT, False, CANCELED),
        pytest.param(ASYNC_SCRIPT, False, CANCELED, marks=pytest.mark.long),
        (SCRIPT, True, GOING),
        pytest.param(ASYNC_SCRIPT, True, GOING, marks=pytest.mark.long),
    ],
    ids=["your terminal", "your terminal, async", "a worker's terminal", "a worker's terminal, async"],
)
def test_ctrl_c(
    script, somebodys_child, becomes, workspace, notebook, prefect_server, prefect_api, tmp_path: Path
) -> None:
    notebook("/long", "import time; time.sleep(120)")
    name = f"ctrl-c-{uuid4()}"
    child = {"PREFECT__FLOW_RUN_ID": "00000000-0000-4000-8000-000000000000"} if somebodys_child else {}
    with started(script, tmp_path, name, workspace, prefect_server, **child) as process:
        wait_until(lambda: states(workspace) == GOING and polls(workspace) > 3)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
    wait_until(lambda: states(workspace) == becomes)
    (run_id,) = workspace.runs
    says = "Databricks run %d keeps running" if becomes == GOING else "Cancelling Databricks run %d"
    assert says % run_id in output
    (flow_run,) = prefect_api.flow_runs_named(name)
    shown = "Unwatched" if becomes == GOING else "Canceled"
    assert prefect_api.mirrored(flow_run["id"]) == {"main": ("CANCELLED", shown)}
