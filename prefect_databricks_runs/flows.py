"""The Prefect flows that wait for a Databricks run and show its every state: `wait_for_run` and its relatives."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from prefect import flow
from typing_extensions import Unpack

from prefect_databricks_runs._signature import named_parameters
from prefect_databricks_runs.calls import check_call
from prefect_databricks_runs.credentials import DatabricksCredentials
from prefect_databricks_runs.handover import handing_over
from prefect_databricks_runs.one_run import OneRun
from prefect_databricks_runs.options import WaitOptions, option
from prefect_databricks_runs.runs import Run
from prefect_databricks_runs.tasks import (
    RunNowParameters,
    SubmitRunParameters,
    arun_now,
    asubmit_run,
    run_now,
    submit_run,
)
from prefect_databricks_runs.waits import wait_async, wait_here

# Prefect makes a pydantic model of a flow's parameters; `json` is what the old tasks called it.
warnings.filterwarnings("ignore", message='Field name "json".*shadows an attribute')


class SubmitRunAndWaitParameters(SubmitRunParameters, WaitOptions, total=False):
    """The named parameters of `submit_run_and_wait`."""


class RunNowAndWaitParameters(RunNowParameters, WaitOptions, total=False):
    """The named parameters of `run_now_and_wait`."""


@flow
@named_parameters
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
    return wait_here(OneRun(databricks_credentials, run_id, parameters))


@flow
@named_parameters
async def await_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[WaitOptions]
) -> Run:
    """Async twin of `wait_for_run`: the same parameters, result and errors."""
    return await wait_async(OneRun(databricks_credentials, run_id, parameters))


@flow
@named_parameters
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
    check_call(databricks_credentials, parameters)
    with _starting(databricks_credentials, parameters):
        run_id = submit_run(databricks_credentials, json, **_only(SubmitRunParameters, parameters))
    return wait_here(OneRun(databricks_credentials, run_id, parameters))


@flow
@named_parameters
async def asubmit_run_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunAndWaitParameters]
) -> Run:
    """Async twin of `submit_run_and_wait`: the same parameters, result and errors."""
    check_call(databricks_credentials, parameters)
    with _starting(databricks_credentials, parameters):
        run_id = await asubmit_run(databricks_credentials, json, **_only(SubmitRunParameters, parameters))
    return await wait_async(OneRun(databricks_credentials, run_id, parameters))


@flow
@named_parameters
def run_now_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowAndWaitParameters]
) -> Run:
    """Start a run of a saved Databricks job and wait for it: `run_now` and `wait_for_run` in one flow run.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        json: The request body, as in `run_now`.
        **parameters: Those of `run_now` and of `wait_for_run`.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        InvalidPayload: The request has faults; nothing was sent.
        DatabricksError: As in `run_now` and `wait_for_run`.
    """
    check_call(databricks_credentials, parameters)
    with _starting(databricks_credentials, parameters):
        run_id = run_now(databricks_credentials, json, **_only(RunNowParameters, parameters))
    return wait_here(OneRun(databricks_credentials, run_id, parameters))


@flow
@named_parameters
async def arun_now_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowAndWaitParameters]
) -> Run:
    """Async twin of `run_now_and_wait`: the same parameters, result and errors."""
    check_call(databricks_credentials, parameters)
    with _starting(databricks_credentials, parameters):
        run_id = await arun_now(databricks_credentials, json, **_only(RunNowParameters, parameters))
    return await wait_async(OneRun(databricks_credentials, run_id, parameters))


def _starting(credentials: DatabricksCredentials, parameters: Mapping[str, Any]) -> AbstractContextManager[None]:
    fails = option(parameters, "fail_on_task_failures")
    return handing_over(credentials, parameters, fail_on_task_failures=fails)


def _only(fields: type, parameters: Mapping[str, Any]) -> Any:
    return {key: value for key, value in parameters.items() if key in fields.__annotations__}
