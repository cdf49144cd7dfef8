"""The flows that run the job of a saved `DatabricksJob` block: `run_databricks_job` and its async twin."""

from __future__ import annotations

from typing import Any

from .._lazy import at_home_in
from .._prefect.docstrings import documented_as
from .._prefect.signature import as_parameters
from ..runs import Run
from ..tasks import RunNowParameters, SubmitRunParameters, arun_now, asubmit_run, run_now, submit_run
from .flow import Flow
from .job_block import DatabricksJob
from .parts import astart_and_wait, start_and_wait


@Flow
@as_parameters
@at_home_in("prefect_databricks_runs.flows")
def run_databricks_job(job: DatabricksJob, parameters: dict[str, Any] | None = None) -> Run:
    """Run the job of a `DatabricksJob` block and wait for it.

    Args:
        job: The job to run.
        parameters: Values for the parameters of the job, by name. They override the values in the block.

    Returns:
        The run as it ended, with its tasks and their outputs.

    Raises:
        InvalidOption: The block describes a one-time run, which has no parameters.
        RunFailed: The run failed.
        DatabricksError: As in `run_now_and_wait` and `submit_run_and_wait`.

    Example:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, DatabricksJob, run_databricks_job

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        job = DatabricksJob(databricks_credentials=databricks, job_name="nightly")
        run = run_databricks_job(job, parameters={"day": "2026-11-27"})
        ```
    """
    start = job._start({"job_parameters": parameters} if parameters else {}, job._wait_options())
    begin, fields = (run_now, RunNowParameters) if start.of_saved_job else (submit_run, SubmitRunParameters)
    return start_and_wait(begin, fields, job.databricks_credentials, start.json, start.parameters)


@Flow
@documented_as(run_databricks_job)
@as_parameters
@at_home_in("prefect_databricks_runs.flows")
async def arun_databricks_job(job: DatabricksJob, parameters: dict[str, Any] | None = None) -> Run:
    """Async twin of `run_databricks_job`: the same parameters, result and errors.

    Example:
        ```python
        import asyncio

        from prefect_databricks_runs import DatabricksCredentials, DatabricksJob, arun_databricks_job

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        job = DatabricksJob(databricks_credentials=databricks, job_name="nightly")
        run = asyncio.run(arun_databricks_job(job))
        ```
    """
    start = job._start({"job_parameters": parameters} if parameters else {}, job._wait_options())
    begin, fields = (arun_now, RunNowParameters) if start.of_saved_job else (asubmit_run, SubmitRunParameters)
    return await astart_and_wait(begin, fields, job.databricks_credentials, start.json, start.parameters)
