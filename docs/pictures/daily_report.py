"""A saved job that is deployed with a form, and a run of it whose flow run is suspended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from tests.leave.children import Child, worker
from tests.local.client import Client
from tests.local.simulated import job, task
from tests.support.command_line import in_this_process
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

_JOB, _POOL, _BLOCK = "daily report", "my-pool", "prod"
_PARAMETERS = {"day": "2026-11-28", "region": "emea", "currency": "EUR"}
_TASKS = [task("load"), task("clean", "load"), task("sales", "clean"), task("stock", "clean")]
# `stock` is running when the picture is taken.
_COURSE = {
    "load": {"running": 12.0},
    "clean": {"running": 9.0},
    "sales": {"running": 15.0},
    "stock": {"running": 3600.0},
}
_SECONDS = 120.0


class DailyReport(NamedTuple):
    """A deployment of a saved job, and a suspended flow run of it.

    Attributes:
        deployment_id: The deployment.
        flow_run_id: The flow run.
    """

    deployment_id: str
    flow_run_id: str


@contextmanager
def daily_report(server: PrefectServer) -> Iterator[DailyReport]:
    """Deploy the job, run it, and leave when its run has a task that takes long; until then a watcher draws it."""
    with LocalWorkspace(script=_COURSE) as workspace:
        client = Client(workspace)
        parameters = [{"name": name, "default": default} for name, default in _PARAMETERS.items()]
        job(client, *_TASKS, name=_JOB, parameters=parameters)
        client.close()
        DatabricksCredentials(host=workspace.url, token=workspace.token).save(_BLOCK)
        api = PrefectApi(server)
        api.create_work_pool(_POOL, "process")
        done = in_this_process(server, "deploy", _JOB, "--block", _BLOCK, "--pool", _POOL, "--json")
        assert done.returncode == 0, done.stderr
        deployment_id = json.loads(done.stdout)["deployment_id"]
        watch = ["-m", "prefect_databricks_runs", "watch", "--block", _BLOCK]
        with Child(watch, server.api_url) as watcher, worker(_POOL, server.api_url) as runner:
            wait_until(lambda: "databricks-watcher-" in str(api._post("/artifacts/filter", {})), _SECONDS)
            (deployment,) = api.deployments_named(_JOB)
            body = {"parameters": {**deployment["parameters"], "suspend": True, "suspend_after_seconds": 0}}
            flow_run_id = api._post(f"/deployments/{deployment_id}/create_flow_run", body)["id"]

            def has_a_long_task() -> bool:
                states = {each["name"]: each["state_type"] for each in api.task_runs(flow_run_id)}
                is_suspended = api.flow_run(flow_run_id)["state"]["name"] == "Suspended"
                return is_suspended and (states.get("sales"), states.get("stock")) == ("COMPLETED", "RUNNING")

            try:
                wait_until(has_a_long_task, _SECONDS)
            except AssertionError:
                raise AssertionError(f"no such flow run:\n{runner.output}\n{watcher.output}") from None
            yield DailyReport(deployment_id, flow_run_id)
