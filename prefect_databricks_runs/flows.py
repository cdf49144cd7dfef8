"""The Prefect flows that wait for a Databricks run and show its every state: `wait_for_run` and its relatives."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

from prefect import flow
from typing_extensions import Unpack

from prefect_databricks_runs import _portal
from prefect_databricks_runs._signals import async_wait, is_last_of_an_ending_process
from prefect_databricks_runs._signature import named_parameters
from prefect_databricks_runs.calls import check_call, hook_for
from prefect_databricks_runs.credentials import DatabricksCredentials
from prefect_databricks_runs.errors import RunFailed
from prefect_databricks_runs.handover import handing_over
from prefect_databricks_runs.leaving import leave, leave_alone, see_it_end
from prefect_databricks_runs.options import WaitOptions, option
from prefect_databricks_runs.outputs import OutputReader
from prefect_databricks_runs.report import RunReport, final_state, may_return, run_logger
from prefect_databricks_runs.run_reader import reader_for
from prefect_databricks_runs.runs import Run
from prefect_databricks_runs.tasks import (
    RunNowParameters,
    SubmitRunParameters,
    arun_now,
    asubmit_run,
    run_now,
    submit_run,
)
from prefect_databricks_runs.watcher import Watch

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
    return _wait(databricks_credentials, run_id, parameters)


@flow
@named_parameters
async def await_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[WaitOptions]
) -> Run:
    """Async twin of `wait_for_run`: the same parameters, result and errors."""
    return await _await(databricks_credentials, run_id, parameters)


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
    return _wait(databricks_credentials, run_id, parameters)


@flow
@named_parameters
async def asubmit_run_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[SubmitRunAndWaitParameters]
) -> Run:
    """Async twin of `submit_run_and_wait`: the same parameters, result and errors."""
    check_call(databricks_credentials, parameters)
    with _starting(databricks_credentials, parameters):
        run_id = await asubmit_run(databricks_credentials, json, **_only(SubmitRunParameters, parameters))
    return await _await(databricks_credentials, run_id, parameters)


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
    return _wait(databricks_credentials, run_id, parameters)


@flow
@named_parameters
async def arun_now_and_wait(
    databricks_credentials: DatabricksCredentials, json: Any = None, **parameters: Unpack[RunNowAndWaitParameters]
) -> Run:
    """Async twin of `run_now_and_wait`: the same parameters, result and errors."""
    check_call(databricks_credentials, parameters)
    with _starting(databricks_credentials, parameters):
        run_id = await arun_now(databricks_credentials, json, **_only(RunNowParameters, parameters))
    return await _await(databricks_credentials, run_id, parameters)


def _wait(credentials: DatabricksCredentials, run_id: int, parameters: Mapping[str, Any]) -> Run:
    check_call(credentials, parameters)
    report = _report(credentials, parameters)
    try:
        run = _portal.call(_watch, credentials, run_id, parameters, report)
    except BaseException as reason:
        if _portal.call(_leave, credentials, run_id, parameters, reason):
            _portal.call(_see_it_end, credentials, run_id, report)
        else:
            _portal.call(leave_alone, report)
        raise
    return _end(run, parameters)


async def _await(credentials: DatabricksCredentials, run_id: int, parameters: Mapping[str, Any]) -> Run:
    check_call(credentials, parameters)
    report = _report(credentials, parameters)
    with async_wait():
        try:
            run = await _portal.acall(_watch, credentials, run_id, parameters, report)
        except BaseException as reason:
            # Not awaited: on Prefect 2 the first `await` of a cancelled flow's clean-up is cancelled again. It blocks
            # the caller's loop, where others may be waiting to leave, so the background loop sees the run's end.
            if _portal.call(_leave, credentials, run_id, parameters, reason):
                _portal.start(_see_it_end, credentials, run_id, report)
            else:
                _portal.start(leave_alone, report)
            if is_last_of_an_ending_process(reason):
                _portal.settle()  # Prefect 2 kills the process next, and nothing is done at exit
            raise
    return _end(run, parameters)


def _starting(credentials: DatabricksCredentials, parameters: Mapping[str, Any]) -> AbstractContextManager[None]:
    fails = option(parameters, "fail_on_task_failures")
    return handing_over(credentials, parameters, fail_on_task_failures=fails)


def _end(run: Run, parameters: Mapping[str, Any]) -> Run:
    """Give or raise what the flow ends with: a state where that can be, which Prefect unpacks for the flow's caller."""
    state = final_state(run, fail_on_task_failures=option(parameters, "fail_on_task_failures"))
    if may_return(state):
        return cast(Run, state)
    if isinstance(state.data, RunFailed):
        raise state.data
    return run


def _report(credentials: DatabricksCredentials, parameters: Mapping[str, Any]) -> RunReport:
    return RunReport(run_logger(), credentials.host, option(parameters, "max_mirrored_tasks"))


async def _watch(
    credentials: DatabricksCredentials, run_id: int, parameters: Mapping[str, Any], report: RunReport
) -> Run:
    logger = run_logger()
    hook = hook_for(credentials, parameters, logger)
    polls = hook_for(credentials, {**parameters, "databricks_retry_limit": 1}, logger)
    outputs = OutputReader(hook, logger)

    async def changed(run: Run) -> None:
        await report(await outputs.with_links(run))

    watch = Watch(
        reader_for(credentials, polls.clock),
        polls,
        run_id,
        changed,
        polling_period_seconds=option(parameters, "polling_period_seconds"),
        max_wait_seconds=option(parameters, "max_wait_seconds"),
        max_outage_seconds=option(parameters, "max_outage_seconds"),
        logger=logger,
    )
    run = await watch.until_over()
    run = await outputs.with_outputs(run, every_task=option(parameters, "fetch_output"))
    await report.finish(run)
    return run


async def _leave(
    credentials: DatabricksCredentials, run_id: int, parameters: Mapping[str, Any], reason: BaseException
) -> bool:
    logger = run_logger()
    return await leave(hook_for(credentials, parameters, logger), run_id, reason, logger)


async def _see_it_end(credentials: DatabricksCredentials, run_id: int, report: RunReport) -> None:
    logger = run_logger()
    await see_it_end(hook_for(credentials, {}, logger), run_id, report, logger)


def _only(fields: type, parameters: Mapping[str, Any]) -> Any:
    return {key: value for key, value in parameters.items() if key in fields.__annotations__}
