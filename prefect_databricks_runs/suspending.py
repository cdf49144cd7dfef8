"""Waiting without a process: `suspend_for_run` and its relatives, which are functions and not flows.

Prefect suspends only the outermost flow run, which a flow called in it would not be.
"""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import Unpack

from ._connect.call import called_with
from ._prefect.docstrings import documented_as
from ._prefect.signature import checked, named_parameters
from ._suspend.suspended_wait import suspended_if_asked
from ._wait.doors import wait_async, wait_here
from ._wait.many_runs import ManyRuns
from ._wait.one_run import OneRun
from .credentials import DatabricksCredentials
from .options import SuspendForRunOptions, SuspendForRunsOptions
from .runs import Run


@checked
@named_parameters
def suspend_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[SuspendForRunOptions]
) -> Run:
    """Wait for a Databricks run without a process: the flow run is suspended until the run has finished.

    The process ends at this call. When `prefect-databricks-runs watch` resumes the flow run, the flow begins again from
    its top, `submit_run` and `run_now` find their runs again, and this call returns. What stands before it runs again.

    The flow run has to belong to a deployment, the credentials have to be a saved block, and a watcher has to be
    running. Otherwise the process waits, and the log says why.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        run_id: The job run to wait for.
        **parameters: `suspend_after_seconds` (60), how long the process waits first, and those of `wait_for_run`.
            `max_wait_seconds` is counted from when the flow came to this call first.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        RunFailed: As in `wait_for_run`.
        WaitTimeout: As in `wait_for_run`.
        DatabricksUnreachable: As in `wait_for_run`.
        NotFound: As in `wait_for_run`.
        InvalidOption: Options that make no sense; nothing was asked.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, submit_run, suspend_for_run

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            run_id = submit_run(databricks, notebook_task={"notebook_path": "/Shared/nightly"})
            return suspend_for_run(databricks, run_id).state.name

        nightly()  # waits in the process; a flow run of a deployment is suspended
        ```
    """
    call = called_with(databricks_credentials, parameters, SuspendForRunOptions)
    return wait_here(suspended_if_asked(OneRun, call, run_id, asked=True))


@checked
@documented_as(suspend_for_run)
@named_parameters
async def asuspend_for_run(
    databricks_credentials: DatabricksCredentials, run_id: int, **parameters: Unpack[SuspendForRunOptions]
) -> Run:
    """Async twin of `suspend_for_run`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, arun_now, asuspend_for_run

        @flow
        async def nightly(databricks: DatabricksCredentials):
            run = await asuspend_for_run(databricks, await arun_now(databricks, job_name="nightly"))
            return run.state.name

        asyncio.run(nightly(DatabricksCredentials.load("BLOCK_NAME")))
        ```
    """
    call = called_with(databricks_credentials, parameters, SuspendForRunOptions)
    return await wait_async(suspended_if_asked(OneRun, call, run_id, asked=True))


@checked
@named_parameters
def suspend_for_runs(
    databricks_credentials: DatabricksCredentials,
    run_ids: Sequence[int],
    **parameters: Unpack[SuspendForRunsOptions],
) -> list[Run]:
    """Wait for many Databricks runs without a process, as `suspend_for_run` does for one.

    Args:
        databricks_credentials: The workspace, and how to sign in.
        run_ids: The job runs to wait for.
        **parameters: `suspend_after_seconds` (60), how long the process waits first, and those of `wait_for_runs`.

    Returns:
        The runs as they ended, in the order of `run_ids`.

    Raises:
        RunsFailed: As in `wait_for_runs`.
        WaitTimeout: As in `wait_for_runs`.
        DatabricksUnreachable: As in `wait_for_runs`.
        InvalidOption: Options that make no sense; nothing was asked.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, run_now, suspend_for_runs

        @flow
        def twice():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            run_ids = [run_now(databricks, job_name="nightly") for _ in range(2)]
            return [run.state.name for run in suspend_for_runs(databricks, run_ids)]

        twice()
        ```
    """
    call = called_with(databricks_credentials, parameters, SuspendForRunsOptions)
    return wait_here(suspended_if_asked(ManyRuns, call, run_ids, asked=True))


@checked
@documented_as(suspend_for_runs)
@named_parameters
async def asuspend_for_runs(
    databricks_credentials: DatabricksCredentials,
    run_ids: Sequence[int],
    **parameters: Unpack[SuspendForRunsOptions],
) -> list[Run]:
    """Async twin of `suspend_for_runs`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, arun_now, asuspend_for_runs

        @flow
        async def twice(databricks: DatabricksCredentials):
            run_ids = [await arun_now(databricks, job_name="nightly") for _ in range(2)]
            return [run.state.name for run in await asuspend_for_runs(databricks, run_ids)]

        asyncio.run(twice(DatabricksCredentials.load("BLOCK_NAME")))
        ```
    """
    call = called_with(databricks_credentials, parameters, SuspendForRunsOptions)
    return await wait_async(suspended_if_asked(ManyRuns, call, run_ids, asked=True))
