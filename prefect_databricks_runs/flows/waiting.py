"""The flows that wait for a run that was already started: `wait_for_run` and its async twin."""

from __future__ import annotations

from typing_extensions import Unpack

from .._connect.call import called_with
from .._lazy import at_home_in
from .._prefect.docstrings import documented_as
from .._prefect.signature import named_parameters
from .._suspend.suspended_wait import suspended_if_asked
from .._wait.doors import wait_async, wait_here
from .._wait.one_run import OneRun
from ..credentials import DatabricksCredentials
from ..options import WaitForRunOptions
from ..runs import Run
from .flow import Flow


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
def wait_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[WaitForRunOptions]
) -> Run:
    """Wait for a Databricks run, and show each of its states in the Prefect UI.

    If the wait ends early, the Databricks run is cancelled: the flow run is cancelled or times out, or you press
    Ctrl-C. There is one exception: if the process is stopped but the flow run is not cancelled, the Databricks run
    keeps running.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        run_id: The job run to wait for.
        **parameters: See `WaitForRunOptions`.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        RunFailed: The run failed; the subclasses `RunCanceled`, `RunTimedOut`, `RunSkipped` and `RunInternalError` say
            how.
        WaitTimeout: The run had not finished after `max_wait_seconds`.
        DatabricksUnreachable: The run could not be read for `max_outage_seconds`.
        NotFound: The run does not exist, or was deleted during the wait.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, run_now, wait_for_run

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            run_id = run_now(databricks, job_name="nightly")
            return wait_for_run(databricks, run_id, max_wait_seconds=3600)

        nightly()
        ```
    """
    call = called_with(databricks_credentials, parameters, WaitForRunOptions)
    return wait_here(suspended_if_asked(OneRun, call, run_id))


@Flow
@documented_as(wait_for_run)
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def await_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[WaitForRunOptions]
) -> Run:
    """Async twin of `wait_for_run`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, arun_now, await_for_run

        @flow
        async def nightly(databricks: DatabricksCredentials):
            run_id = await arun_now(databricks, job_name="nightly")
            return await await_for_run(databricks, run_id)

        asyncio.run(nightly(DatabricksCredentials.load("BLOCK_NAME")))
        ```
    """
    call = called_with(databricks_credentials, parameters, WaitForRunOptions)
    return await wait_async(suspended_if_asked(OneRun, call, run_id))
