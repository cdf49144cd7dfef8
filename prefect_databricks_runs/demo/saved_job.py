"""The steps of `demo --job`, in its own process: a saved job, from Python to a form.

A `Job` is applied, deployed with a form and a schedule, and run by a worker.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from prefect import State, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from rich.console import Console

from .. import DatabricksCredentials, Job, apply_job
from .._deploy.command import Deployed, Wanted, deploy
from .._deploy.printing import print_deployed
from .._prefect import portal
from .._prefect.compat import SecretStr
from .job import FOLDER
from .servers import PREFECT

_POOL, _BLOCK = "databricks-demo", "demo"
_CLUSTER = {"spark_version": "16.4.x-scala2.12", "node_type_id": "m5d.large", "num_workers": 1}
_LOOKS = ["functions", "imports", "docstrings"]


def saved_job(data_folder: Path) -> Job:
    """Return the demo's job, with a shared cluster, a condition and a for-each task.

    Args:
        data_folder: Where the tasks keep their data.
    """
    job = Job("python-report", parameters={"least_modules": "10"}, job_clusters={"shared": _CLUSTER})
    job.defaults(cluster="shared")
    folder = {"folder": str(data_folder)}
    collect = job.python(f"{FOLDER}/collect.py", key="collect", parameters=[str(data_folder)])
    clean = job.notebook(f"{FOLDER}/clean", parameters=folder, after=collect)
    enough = job.condition("enough", clean.value("modules"), ">", job.parameter("least_modules"), after=clean)
    looks = job.for_each("looks", _LOOKS, concurrency=3, after=enough.is_true)
    looks.notebook(f"{FOLDER}/look", parameters={**folder, "look": looks.input})
    job.notebook(f"{FOLDER}/report", parameters=folder, after=looks)
    return job


@flow(name="databricks-demo-save")
def save_job(databricks: DatabricksCredentials, data_folder: str) -> int:
    """Save the job in the workspace, and return its id."""
    return apply_job(databricks, saved_job(Path(data_folder)))


def main() -> int:
    """Go the way of the job; 0 when its run succeeded, else 1."""
    token = SecretStr(os.environ["DATABRICKS_TOKEN"])
    databricks = DatabricksCredentials(host=os.environ["DATABRICKS_HOST"], token=token)
    databricks.save(_BLOCK, overwrite=True)
    save_job(databricks, sys.argv[1])
    deployed = portal.call(_deployed)
    print_deployed(deployed, as_json=False)
    flow_run_id = portal.call(_run_of, deployed)
    subprocess.run([*PREFECT, "worker", "start", "--pool", _POOL, "--run-once"], check=False)  # noqa: S603 - this interpreter
    state: State[Any] = portal.call(_state_of, flow_run_id)
    Console().print(f"The deployment's run is {state.name}: {state.message}", soft_wrap=True)
    return 0 if state.is_completed() else 1


async def _deployed() -> Deployed:
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name=_POOL, type="process"))
    return await deploy(Wanted("python-report", _BLOCK, _POOL, cron="0 3 * * *", timezone="Europe/Berlin"))


async def _run_of(deployed: Deployed) -> Any:
    """Start a run as the form does, with a value for the job's own parameter."""
    async with get_client() as client:
        there = await client.read_deployment(deployed.deployment_id)
        parameters = {**there.parameters, "job_parameters": {"least_modules": "20"}}
        return (await client.create_flow_run_from_deployment(there.id, parameters=parameters)).id


async def _state_of(flow_run_id: Any) -> Any:
    async with get_client() as client:
        return (await client.read_flow_run(flow_run_id)).state


if __name__ == "__main__":
    sys.exit(main())
