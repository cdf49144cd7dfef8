"""The flows that start a one-time run and wait for it: `submit_run_and_wait` and its async twin."""

from __future__ import annotations

from typing import Any

from typing_extensions import Unpack

from .._lazy import at_home_in
from .._prefect.docstrings import documented_as
from .._prefect.signature import named_parameters
from ..credentials import DatabricksCredentials
from ..options import WaitForRunOptions
from ..runs import Run
from ..tasks import SubmitRunParameters, asubmit_run, submit_run
from .flow import Flow
from .parts import astart_and_wait, start_and_wait


class SubmitRunAndWaitParameters(SubmitRunParameters, WaitForRunOptions, total=False):
    """The named parameters of `submit_run_and_wait`."""


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
def submit_run_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunAndWaitParameters]
) -> Run:
    """Start a one-time Databricks run and wait for it: `submit_run` and `wait_for_run` in one flow run.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The whole request as one object. The fields below replace its keys; an empty field does not.
        **parameters: The parameters of `submit_run` and of `wait_for_run`.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: As in `submit_run` and `wait_for_run`.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, submit_run_and_wait

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        run = submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
        print(run.tasks["main"].output.result)
        ```
    """
    return start_and_wait(submit_run, SubmitRunParameters, databricks_credentials, json, parameters)


@Flow
@documented_as(submit_run_and_wait)
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def asubmit_run_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunAndWaitParameters]
) -> Run:
    """Async twin of `submit_run_and_wait`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect_databricks_runs import DatabricksCredentials, asubmit_run_and_wait

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        run = asyncio.run(asubmit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"}))
        ```
    """
    return await astart_and_wait(asubmit_run, SubmitRunParameters, databricks_credentials, json, parameters)
