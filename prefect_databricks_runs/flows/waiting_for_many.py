"""The Prefect flows that wait for many Databricks runs: `wait_for_runs` and its async twin."""

from __future__ import annotations

from typing_extensions import Unpack

from .._connect.call import called_with
from .._lazy import at_home_in
from .._prefect.signature import named_parameters
from .._wait.doors import wait_async, wait_here
from .._wait.many_runs import ManyRuns
from ..credentials import DatabricksCredentials
from ..options import WaitForRunsOptions
from ..runs import Run
from .flow import Flow


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
def wait_for_runs(
    databricks_credentials: DatabricksCredentials, run_ids: list[int], **parameters: Unpack[WaitForRunsOptions]
) -> list[Run]:
    """Wait for many Databricks runs in one flow run, and show each as a task run in the Prefect UI.

    What ends the wait early cancels the runs that are not over, as in `wait_for_run`.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        run_ids: The job runs to wait for.
        **parameters: See `WaitForRunsOptions`.

    Returns:
        The runs as they ended, in the order in which they were given.

    Raises:
        RunsFailed: Some did not end well, or could not be read; `errors` says why, by `run_id`.
        WaitTimeout: Some were not over after `max_wait_seconds`.
        DatabricksUnreachable: Databricks could not be read for `max_outage_seconds`.
        InvalidOption: Options that make no sense; nothing was asked.
    """
    return wait_here(ManyRuns(called_with(databricks_credentials, parameters, WaitForRunsOptions), run_ids))


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def await_for_runs(
    databricks_credentials: DatabricksCredentials, run_ids: list[int], **parameters: Unpack[WaitForRunsOptions]
) -> list[Run]:
    """Async twin of `wait_for_runs`: the same parameters, result and errors."""
    return await wait_async(ManyRuns(called_with(databricks_credentials, parameters, WaitForRunsOptions), run_ids))
