"""The Prefect flows that wait for many Databricks runs: `wait_for_runs` and its async twin."""

from __future__ import annotations

from typing_extensions import Unpack

from .._connect.call import called_with
from .._lazy import at_home_in
from .._prefect.docstrings import documented_as
from .._prefect.signature import named_parameters
from .._suspend.suspended_wait import suspended_if_asked
from .._wait.doors import wait_async, wait_here
from .._wait.many_runs import ManyRuns
from ..credentials import DatabricksCredentials
from ..options import WaitForRunsFlowOptions
from ..runs import Run
from .flow import Flow


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
def wait_for_runs(
    databricks_credentials: DatabricksCredentials, run_ids: list[int], **parameters: Unpack[WaitForRunsFlowOptions]
) -> list[Run]:
    """Wait for many Databricks runs in one flow run, and show each as a task run in the Prefect UI.

    If the wait ends early, the unfinished runs are cancelled, as in `wait_for_run`.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        run_ids: The job runs to wait for.
        **parameters: See `WaitForRunsFlowOptions`.

    Returns:
        The runs as they ended, in the order of `run_ids`.

    Raises:
        RunsFailed: Some runs failed, or could not be read; `errors` has the error of each, by `run_id`.
        WaitTimeout: Some runs had not finished after `max_wait_seconds`.
        DatabricksUnreachable: No run could be read for `max_outage_seconds`.
        InvalidOption: An option is invalid; no request was sent.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, submit_run, wait_for_runs

        @flow
        def regions():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            notebooks = ["/Shared/nightly", "/Shared/hello"]
            run_ids = [submit_run(databricks, notebook_task={"notebook_path": each}) for each in notebooks]
            return wait_for_runs(databricks, run_ids)

        regions()
        ```
    """
    call = called_with(databricks_credentials, parameters, WaitForRunsFlowOptions)
    return wait_here(suspended_if_asked(ManyRuns, call, run_ids))


@Flow
@documented_as(wait_for_runs)
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def await_for_runs(
    databricks_credentials: DatabricksCredentials, run_ids: list[int], **parameters: Unpack[WaitForRunsFlowOptions]
) -> list[Run]:
    """Async twin of `wait_for_runs`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, arun_now, await_for_runs

        @flow
        async def twice(databricks: DatabricksCredentials):
            run_ids = [await arun_now(databricks, job_name="nightly") for _ in range(2)]
            return await await_for_runs(databricks, run_ids)

        asyncio.run(twice(DatabricksCredentials.load("BLOCK_NAME")))
        ```
    """
    call = called_with(databricks_credentials, parameters, WaitForRunsFlowOptions)
    return await wait_async(suspended_if_asked(ManyRuns, call, run_ids))
