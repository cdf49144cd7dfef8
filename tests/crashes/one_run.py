"""One flow run of a deployment, with a Databricks workspace of its own whose run ends when it is told to."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import psutil
from prefect.deployments import run_deployment
from prefect.flows import EntrypointType

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.local import LocalWorkspace
from tests.crashes.deployed_flow import JOB, nightly
from tests.leave.children import Child
from tests.support.prefect_api import PrefectApi

_MAIN = """# Databricks notebook source
import os, time
while not os.path.exists({go!r}):
    time.sleep(0.1)
dbutils.notebook.exit("done")
"""


class OneRun:
    """Starts the flow run, and tells what became of it and of its Databricks runs.

    Args:
        stack: What stops the workspace.
        prefect_api: What the Prefect server says.
        work_pool_name: Where the flow run waits for a worker.
    """

    def __init__(self, stack: ExitStack, prefect_api: PrefectApi, work_pool_name: str) -> None:
        self._prefect_api = prefect_api
        self.workspace = stack.enter_context(LocalWorkspace())
        self._go = self.workspace.root / "go"
        (self.workspace.root / "main.py").write_text(_MAIN.format(go=str(self._go)))
        (self.workspace.root / "after.py").write_text("# Databricks notebook source\n")
        databricks = DatabricksCredentials(host=self.workspace.url, token=self.workspace.token)
        block_id = databricks.save(f"crashes-{uuid4()}")
        deployment = nightly.to_deployment(
            f"crashes-{uuid4()}", work_pool_name=work_pool_name, entrypoint_type=EntrypointType.MODULE_PATH
        )
        parameters = {"databricks_credentials": {"$ref": {"block_document_id": str(block_id)}}}
        self.flow_run_id = str(run_deployment(deployment.apply(), parameters=parameters, timeout=0).id)

    def end(self) -> None:
        """Let the Databricks run end."""
        self._go.touch()

    def process(self, worker: Child) -> psutil.Process:
        """The flow run's process."""
        return worker.flow_process(self.flow_run_id)

    @property
    def polls(self) -> int:
        """How often a Databricks run was read."""
        return len(self.workspace.requests_to("GET */runs/get"))

    @property
    def is_watched(self) -> bool:
        """Whether the Databricks run was polled while it was going, and both of its tasks are drawn."""
        return self.polls > 5 and len(self.drawn) == len(JOB["tasks"])

    @property
    def is_over(self) -> bool:
        """Whether the Databricks run is over."""
        return all(run["state"]["life_cycle_state"] == "TERMINATED" for run in self.workspace.runs.values())

    @property
    def state_type(self) -> str:
        """The type of the flow run's state."""
        return self._prefect_api.flow_run(self.flow_run_id)["state"]["type"]

    @property
    def states(self) -> list[tuple[str, str]]:
        """The type and the name of each state that the flow run had, oldest first."""
        return self._prefect_api.state_names(self.flow_run_id)

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The task runs of Databricks tasks, of every attempt."""
        waits = self._prefect_api.subflow_runs(self.flow_run_id)
        return [each for wait in waits for each in self._prefect_api.task_runs(wait["id"])]

    @property
    def log(self) -> list[str]:
        """What the flow run and its tasks have logged."""
        return self._prefect_api.log(self.flow_run_id)

    @property
    def results(self) -> list[str]:
        """What the flow run said of its result."""
        return [line for line in self.log if line.startswith("The result of run")]
