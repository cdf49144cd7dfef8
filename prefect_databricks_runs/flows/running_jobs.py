"""The flows that run a saved job and wait for it: `run_now_and_wait` and its async twin."""

from __future__ import annotations

from typing import Any

from typing_extensions import Unpack

from .._lazy import at_home_in
from .._prefect.docstrings import documented_as
from .._prefect.signature import named_parameters
from ..credentials import DatabricksCredentials
from ..options import WaitForRunOptions
from ..runs import Run
from ..tasks import RunNowParameters, arun_now, run_now
from .flow import Flow
from .parts import astart_and_wait, start_and_wait


class RunNowAndWaitParameters(RunNowParameters, WaitForRunOptions, total=False):
    """The named parameters of `run_now_and_wait`."""


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
def run_now_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowAndWaitParameters]
) -> Run:
    """Start a run of a saved Databricks job and wait for it: `run_now` and `wait_for_run` in one flow run.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The whole request as one object. The fields below replace its keys; an empty field does not.
        **parameters: The parameters of `run_now` and of `wait_for_run`.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: As in `run_now` and `wait_for_run`.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, run_now_and_wait

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        run = run_now_and_wait(databricks, job_name="nightly", job_parameters={"day": "2026-11-27"})
        print(run.url)
        ```
    """
    return start_and_wait(run_now, RunNowParameters, databricks_credentials, json, parameters)


@Flow
@documented_as(run_now_and_wait)
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def arun_now_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowAndWaitParameters]
) -> Run:
    """Async twin of `run_now_and_wait`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect_databricks_runs import DatabricksCredentials, arun_now_and_wait

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        run = asyncio.run(arun_now_and_wait(databricks, job_name="nightly"))
        ```
    """
    return await astart_and_wait(arun_now, RunNowParameters, databricks_credentials, json, parameters)
