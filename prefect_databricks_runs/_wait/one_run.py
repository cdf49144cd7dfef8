"""The wait for one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._connect.calls import check_call, hook_for
from .._leave.leaving import leave, leave_alone, send_log
from .._prefect.logging import run_logger
from .._report import END_NOT_SEEN, RunReport, final_state
from ..credentials import DatabricksCredentials
from ..hook import DatabricksHook
from ..options import option
from ..runs import Run
from .doors import give, outages_of, see_ends, watch_of
from .outputs import OutputReader


class OneRun:
    """Waits for one run and shows its every state; made in the flow run that waits.

    Args:
        credentials: The workspace, and how to sign in.
        run_id: The job run.
        options: `WaitOptions`.

    Raises:
        InvalidCredentials: It is no `DatabricksCredentials` block.
        InvalidOption: Options that make no sense.
    """

    def __init__(self, credentials: DatabricksCredentials, run_id: int, options: Mapping[str, Any]) -> None:
        check_call(credentials, options)
        self._credentials, self._run_id, self._options = credentials, run_id, options
        self._logger = run_logger()
        self._report = RunReport(self._logger, credentials.host, option(options, "max_mirrored_tasks"))
        self._outputs = OutputReader(self._hook(), self._logger, every_task=option(options, "fetch_output"))
        self._run: Run  # once it is over

    async def until_over(self) -> None:
        """Wait until the run is over, and read its outputs."""

        async def changed(run: Run) -> None:
            await self._report(await self._outputs.so_far(run))

        outages = outages_of(self._options, self._logger)
        watch = watch_of(self._credentials, self._run_id, changed, self._options, self._logger, outages=outages)
        run = await watch.until_over()
        self._run = await self._outputs.at_the_end(run)
        await self._report.finish(self._run)

    async def leave(self, reason: BaseException) -> bool:
        """Cancel the run, or say that it goes on; returns whether it is being cancelled."""
        return bool(await leave(self._hook(), [self._run_id], reason, self._logger))

    async def see_it_end(self) -> None:
        """Show how the cancelled run ended."""

        async def changed(run: Run) -> None:
            await self._report(self._outputs.known(run))

        if await see_ends(self._credentials, [self._run_id], changed, self._logger):
            await self._report.told_before_leaving()
        else:
            self._logger.warning("Databricks was asked to cancel run %d; its end was not seen.", self._run_id)
            await self._report.leave(END_NOT_SEEN)
        await send_log()

    async def leave_alone(self) -> None:
        """Finish what is drawn of the run, which may go on."""
        await leave_alone(self._report)

    def end(self) -> Run:
        """Give the run, or raise why it did not end well."""
        state = final_state(self._run, fail_on_task_failures=option(self._options, "fail_on_task_failures"))
        return give(state, self._run)

    def _hook(self) -> DatabricksHook:
        return hook_for(self._credentials, self._options, self._logger)
