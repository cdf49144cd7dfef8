"""The flows that wait for a run that was started: `wait_for_run` and its async twin."""

from __future__ import annotations

from typing_extensions import Unpack

from .._connect.call import called_with
from .._lazy import at_home_in
from .._prefect.signature import named_parameters
from .._wait.doors import wait_async, wait_here
from .._wait.one_run import OneRun
from ..credentials import DatabricksCredentials
from ..options import WaitOptions
from ..runs import Run
from .flow import Flow


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
def wait_for_run(databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[WaitOptions]) -> Run:
    """Wait for a Databricks run, and show each of its states in the Prefect UI.

    Whatever ends the wait early cancels the Databricks run: a cancelled flow run, a time-out, Ctrl-C. One thing does
    not: the process being stopped while nobody cancels the flow run.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        run_id: The job run to wait for.
        **parameters: See `WaitOptions`.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        RunFailed: The run ended badly; `RunCanceled`, `RunTimedOut`, `RunSkipped` and `RunInternalError` say how.
        WaitTimeout: It was not over after `max_wait_seconds`.
        DatabricksUnreachable: It could not be read for `max_outage_seconds`.
        NotFound: There is no such run, or it was deleted meanwhile.
    """
    return wait_here(OneRun(called_with(databricks_credentials, parameters, WaitOptions), run_id))


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def await_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[WaitOptions]
) -> Run:
    """Async twin of `wait_for_run`: the same parameters, result and errors."""
    return await wait_async(OneRun(called_with(databricks_credentials, parameters, WaitOptions), run_id))
