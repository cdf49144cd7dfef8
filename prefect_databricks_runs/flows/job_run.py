"""A run that a `DatabricksJob` block has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.blocks.abstract import JobRun
from typing_extensions import Unpack

from ..errors import DatabricksError
from ..options import WaitOptions
from ..runs import Run

if TYPE_CHECKING:
    from .job_block import DatabricksJob


class DatabricksJobRun(JobRun[Run]):
    """A run that a `DatabricksJob` block has started.

    Attributes:
        run_id: The job run.

    Example:
        ```python
        from prefect import flow
        from prefect_databricks_runs import DatabricksCredentials, DatabricksJob

        @flow
        def nightly():
            databricks = DatabricksCredentials.load("BLOCK_NAME")
            job_run = DatabricksJob(databricks_credentials=databricks, job_name="nightly").trigger()
            job_run.wait_for_completion()
            return job_run.fetch_result().state.name

        nightly()
        ```
    """

    def __init__(self, job: DatabricksJob, run_id: int) -> None:
        self.run_id = run_id
        self._job = job
        self._run: Run | None = None

    def __repr__(self) -> str:
        return f"DatabricksJobRun(run_id={self.run_id})"

    def wait_for_completion(self, **options: Unpack[WaitOptions]) -> None:  # type: ignore[override]  # sync, as Prefect's own newer blocks are
        """Wait for the run, with the flow `wait_for_run`.

        Args:
            **options: See `WaitOptions`; they win over the fields of the block.

        Raises:
            RunFailed: The run failed.
            DatabricksError: As in `wait_for_run`.
        """
        from .waiting import wait_for_run

        self._run = wait_for_run(self._job.databricks_credentials, self.run_id, **self._job._wait_options(options))

    async def await_for_completion(self, **options: Unpack[WaitOptions]) -> None:
        """Async twin of `wait_for_completion`."""
        from .waiting import await_for_run

        self._run = await await_for_run(
            self._job.databricks_credentials, self.run_id, **self._job._wait_options(options)
        )

    def fetch_result(self) -> Run:  # type: ignore[override]  # sync, as Prefect's own newer blocks are
        """Return the run as it ended, with its tasks and their outputs.

        Raises:
            DatabricksError: The run has not been waited for, or has failed.
        """
        if self._run is None:
            raise DatabricksError(
                f"Databricks run {self.run_id} has no result yet. Call wait_for_completion() first; it raises an error"
                " if the run fails."
            )
        return self._run

    async def afetch_result(self) -> Run:
        """Async twin of `fetch_result`."""
        return self.fetch_result()
