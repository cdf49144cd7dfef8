"""The flows that start a one-time run and wait for it: `submit_run_and_wait` and its async twin."""

from __future__ import annotations

from typing import Any

from typing_extensions import Unpack

from .._lazy import at_home_in
from .._prefect.signature import named_parameters
from ..credentials import DatabricksCredentials
from ..options import WaitOptions
from ..runs import Run
from ..tasks import SubmitRunParameters, asubmit_run, submit_run
from .flow import Flow
from .parts import astart_and_wait, start_and_wait


class SubmitRunAndWaitParameters(SubmitRunParameters, WaitOptions, total=False):
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
        json: The request body, as in `submit_run`.
        **parameters: Those of `submit_run` and of `wait_for_run`.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: As in `submit_run` and `wait_for_run`.
    """
    return start_and_wait(submit_run, SubmitRunParameters, databricks_credentials, json, parameters)


@Flow
@named_parameters
@at_home_in("prefect_databricks_runs.flows")
async def asubmit_run_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunAndWaitParameters]
) -> Run:
    """Async twin of `submit_run_and_wait`: the same parameters, result and errors."""
    return await astart_and_wait(asubmit_run, SubmitRunParameters, databricks_credentials, json, parameters)
