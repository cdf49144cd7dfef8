"""The flows that are deployed.

No `from __future__ import annotations`: Prefect 3 cannot resolve such annotations of a flow that is served from a file.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task

from prefect_databricks_runs import (
    DatabricksCredentials,
    Run,
    asubmit_run,
    asuspend_for_run,
    submit_run,
    suspend_for_run,
    suspend_for_runs,
)

QUICK: dict[str, Any] = {"suspend_after_seconds": 0.0, "polling_period_seconds": 0.2}


def job(*task_keys: str) -> dict[str, Any]:
    """A job of simulated tasks, whose keys say how each of them goes."""
    tasks = [{"task_key": each, "notebook_task": {"notebook_path": f"/{each}"}} for each in task_keys]
    return {"run_name": "-".join(task_keys), "tasks": tasks}


def say(run: Run) -> str:
    get_run_logger().info("The result of run %d is %s.", run.run_id, run.state.name)
    return run.state.name


@flow
def one_run(
    databricks_credentials: DatabricksCredentials,
    task_key: str = "long",
    options: dict[str, Any] | None = None,
) -> str:
    run_id = submit_run(databricks_credentials, job(task_key))
    return say(suspend_for_run(databricks_credentials, run_id, **{**QUICK, **(options or {})}))


@flow(retries=1)
def one_run_with_a_retry(databricks_credentials: DatabricksCredentials, task_key: str = "fails") -> str:
    run_id = submit_run(databricks_credentials, job(task_key))
    return say(suspend_for_run(databricks_credentials, run_id, **QUICK))


@flow
async def one_run_async(databricks_credentials: DatabricksCredentials, task_key: str = "long") -> str:
    run_id = await asubmit_run(databricks_credentials, job(task_key))
    return say(await asuspend_for_run(databricks_credentials, run_id, **QUICK))


@flow
def one_after_the_other(databricks_credentials: DatabricksCredentials) -> list[str]:
    states = []
    for task_key in ("long", "longer"):
        run_id = submit_run(databricks_credentials, job(task_key))
        states.append(say(suspend_for_run(databricks_credentials, run_id, **QUICK)))
    return states


@flow
def many_runs(
    databricks_credentials: DatabricksCredentials,
    task_keys: list[str],
    options: dict[str, Any] | None = None,
) -> list[str]:
    run_ids = [submit_run(databricks_credentials, job(each)) for each in task_keys]
    return [say(run) for run in suspend_for_runs(databricks_credentials, run_ids, **{**QUICK, **(options or {})})]


@flow
async def two_at_once(databricks_credentials: DatabricksCredentials) -> list[str]:
    run_ids = [await asubmit_run(databricks_credentials, job(each)) for each in ("long", "longer")]
    waits = [asuspend_for_run(databricks_credentials, each, **QUICK) for each in run_ids]
    return [say(each) for each in await asyncio.gather(*waits)]


@flow
def a_run_of_another(databricks_credentials: DatabricksCredentials, run_id: int) -> str:
    return say(suspend_for_run(databricks_credentials, run_id, **QUICK))


@flow
def another_one_beside(databricks_credentials: DatabricksCredentials) -> str:
    """Starts a run that it never waits for."""
    submit_run(databricks_credentials, job("longer"))
    run_id = submit_run(databricks_credentials, job("long"))
    return say(suspend_for_run(databricks_credentials, run_id, **QUICK))


@flow
def inner(databricks_credentials: DatabricksCredentials) -> str:
    run_id = submit_run(databricks_credentials, job("long"))
    return say(suspend_for_run(databricks_credentials, run_id, **QUICK))


@flow
def in_a_subflow(databricks_credentials: DatabricksCredentials) -> str:
    return inner(databricks_credentials)


@task
def in_task(databricks_credentials: DatabricksCredentials) -> str:
    run_id = submit_run.fn(databricks_credentials, job("long"))
    return suspend_for_run(databricks_credentials, run_id, **QUICK).state.name


@flow
def in_a_task(databricks_credentials: DatabricksCredentials) -> str:
    return in_task(databricks_credentials)


@task
def until_there_is(file: str) -> None:
    while not Path(file).exists():
        time.sleep(0.05)


@flow
def with_a_submitted_task(databricks_credentials: DatabricksCredentials, file: str) -> str:
    until_there_is.submit(file)
    run_id = submit_run(databricks_credentials, job("long"))
    return say(suspend_for_run(databricks_credentials, run_id, **QUICK))
