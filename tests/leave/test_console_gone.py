"""Nobody reads the output of the flow's process any more, because the worker that started it has died."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from uuid import uuid4

import pytest

from tests.leave.databricks_side import states
from tests.support.processes import PATIENCE, wait_until

# The user's own lines are logged after the wait's, to the same console.
SCRIPT = """
    import os
    from prefect import flow, get_run_logger
    from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

    @flow(name=os.environ["FLOW"])
    def nightly():
        databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=os.environ["DATABRICKS_TOKEN"])
        run = submit_run_and_wait(databricks, notebook_task={"notebook_path": "/main"}, polling_period_seconds=0.05)
        get_run_logger().info("The result is %s.", run.tasks["main"].output.result)

    nightly()
"""

ASYNC_SCRIPT = """
    import asyncio
    import os
    from prefect import flow, get_run_logger
    from prefect_databricks_runs import DatabricksCredentials, asubmit_run_and_wait

    @flow(name=os.environ["FLOW"])
    async def nightly():
        databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=os.environ["DATABRICKS_TOKEN"])
        body = {"notebook_task": {"notebook_path": "/main"}}
        run = await asubmit_run_and_wait(databricks, body, polling_period_seconds=0.05)
        get_run_logger().info("The result is %s.", run.tasks["main"].output.result)

    asyncio.run(nightly())
"""

NOTEBOOK = """
import os, time
while not os.path.exists({go!r}):
    time.sleep(0.05)
dbutils.notebook.exit("done")
"""


@pytest.mark.parametrize("script", [SCRIPT, pytest.param(ASYNC_SCRIPT, marks=pytest.mark.long)], ids=["sync", "async"])
def test_a_flow_goes_on_when_nobody_reads_its_output(
    script, workspace, notebook, prefect_server, prefect_api, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    notebook("/main", NOTEBOOK.format(go=str(go)))
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(script))
    name = f"console-gone-{uuid4()}"
    environment = {
        **os.environ,
        "PREFECT_API_URL": prefect_server.api_url,
        "DATABRICKS_HOST": workspace.url,
        "DATABRICKS_TOKEN": workspace.token,
        "FLOW": name,
        "PYTHONWARNINGS": "ignore",
    }
    with subprocess.Popen(
        [sys.executable, str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert any("Task main of Databricks run" in line and "Running" in line for line in process.stdout)
            process.stdout.close()
            go.touch()
            process.wait(PATIENCE)
        finally:
            process.kill()
    assert states(workspace) == [("TERMINATED", "SUCCESS")]
    (flow_run,) = prefect_api.flow_runs_named(name)
    assert flow_run["state"]["type"] == "COMPLETED"
    wait_until(lambda: "The result is done." in prefect_api.log(flow_run["id"]))
