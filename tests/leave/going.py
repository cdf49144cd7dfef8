"""Flow runs of deployments that wait for a Databricks run, and what became of both."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psutil
from prefect import Flow
from prefect.deployments import run_deployment
from prefect.flows import EntrypointType

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.local import LocalWorkspace
from tests.leave.children import Child, serving, worker
from tests.leave.job import JOB, UNWATCHED
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

START_SECONDS = 120


@dataclass
class Going:
    """A flow run of a deployment, the child that has its process, and the workspace that has its Databricks run."""

    child: Child
    workspace: LocalWorkspace
    databricks: DatabricksCredentials
    flow_run_id: str
    prefect_api: PrefectApi
    asked_at: float = field(default=0.0)

    @property
    def is_watched(self) -> bool:
        """Whether the Databricks run has been polled while it was going, and is drawn in Prefect."""
        return self.polls > 3 and len(self.mirrored) == len(JOB["tasks"])

    @property
    def polls(self) -> int:
        """How often the Databricks run was read."""
        return len(self.workspace.requests_to("GET */runs/get"))

    @property
    def run_id(self) -> int:
        """The Databricks run; there is only one."""
        (run_id,) = self.workspace.runs
        return run_id

    @property
    def databricks_state(self) -> tuple[str, str | None]:
        """The life-cycle state and the result state of the Databricks run."""
        state = self.workspace.runs[self.run_id]["state"]
        return state["life_cycle_state"], state.get("result_state")

    @property
    def state(self) -> tuple[str, str]:
        """The type and the name of the flow run's state."""
        state = self.prefect_api.flow_run(self.flow_run_id)["state"]
        return state["type"], state["name"]

    @property
    def flow_run_ids(self) -> list[str]:
        """The flow run and its subflow run."""
        return [self.flow_run_id, *(each["id"] for each in self.prefect_api.subflow_runs(self.flow_run_id))]

    @property
    def mirrored(self) -> dict[str, tuple[str, str]]:
        """The type and the name of the state of each mirrored task run."""
        by_flow_run = [self.prefect_api.mirrored(flow_run_id) for flow_run_id in self.flow_run_ids]
        return {name: state for each in by_flow_run for name, state in each.items()}

    @property
    def log(self) -> str:
        """What the flow run and its subflow run have logged, as the Prefect UI shows it."""
        return "\n".join(line for flow_run_id in self.flow_run_ids for line in self.prefect_api.log(flow_run_id))

    @property
    def process(self) -> psutil.Process:
        """The flow run's process, on a worker."""
        return self.child.flow_process(self.flow_run_id)

    def goes_on(self) -> bool:
        """Whether nobody has asked Databricks to cancel the run, and it is going."""
        asked = self.workspace.requests_to("POST */runs/cancel")
        return not asked and self.databricks_state == ("RUNNING", None)

    def is_said_to_go_on(self) -> bool:
        """Whether nothing that is drawn is unfinished, and the log in the UI says that the Databricks run goes on."""
        return (
            self.mirrored == UNWATCHED
            and f"the flow run was not cancelled, so Databricks run {self.run_id} keeps running" in self.log
        )

    def cancel(self) -> None:
        """Cancel the flow run as the Prefect UI does."""
        self.prefect_api.cancel(self.flow_run_id)
        self.asked_at = time.time()

    def cancel_in_databricks(self) -> None:
        """Cancel the Databricks run as its UI does."""
        with self.databricks.get_client() as client:
            client.post("/api/2.2/jobs/runs/cancel", json={"run_id": self.run_id}).raise_for_status()

    def seconds_to_cancel(self) -> float:
        """How long after the signal Databricks was first asked to cancel the run."""
        first, *_ = self.workspace.requests_to("POST */runs/cancel")
        return first.started_ms / 1000 - self.child.cancels_at(self.asked_at)


class Deployments:
    """Starts workers, `serve` processes and flow runs, and stops all of them at its end; a context manager.

    Args:
        api_url: The Prefect server that they use.
        prefect_api: What it says.
    """

    def __init__(self, api_url: str, prefect_api: PrefectApi) -> None:
        self._api_url = api_url
        self._prefect_api = prefect_api
        self._stack = ExitStack()
        self._pools: dict[Child, str] = {}

    def __enter__(self) -> Deployments:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def worker(self) -> Child:
        """A process worker, with a work pool of its own."""
        pool = f"pool-{uuid4()}"
        self._prefect_api.create_work_pool(pool, "process")
        child = self._stack.enter_context(worker(pool, self._api_url))
        self._pools[child] = pool
        return child

    def on_worker(self, child: Child, flow: Flow[Any, Any], **parameters: Any) -> Going:
        """A run of a flow on a worker, deployed with no code: the deployment names the installed module."""
        deployment = flow.to_deployment(
            f"deployed-{uuid4()}",
            work_pool_name=self._pools[child],
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        return self._start(child, deployment.apply(), parameters)

    def served(self, flow: Flow[Any, Any]) -> Going:
        """A run of a flow in a process that serves it."""
        name = f"served-{uuid4()}"
        child = self._stack.enter_context(serving(flow.fn.__name__, name, self._api_url))
        wait_until(lambda: self._prefect_api.deployments_named(name), START_SECONDS)
        return self._start(child, self._prefect_api.deployments_named(name)[0]["id"], {})

    def _start(self, child: Child, deployment_id: UUID | str, parameters: dict[str, Any]) -> Going:
        """Start a flow run, and come back when it watches its Databricks run."""
        workspace = self._stack.enter_context(LocalWorkspace(script={"*": {"running": 600}}))
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        reference = {"$ref": {"block_document_id": str(databricks.save(f"leaving-{uuid4()}"))}}
        parameters = {"databricks_credentials": reference, **parameters}
        flow_run = run_deployment(deployment_id, parameters=parameters, timeout=0)
        going = Going(child, workspace, databricks, str(flow_run.id), self._prefect_api)
        try:
            wait_until(lambda: going.is_watched, START_SECONDS)
        except AssertionError:
            raise AssertionError(f"The flow run did not come to wait:\n{child.output}") from None
        return going
