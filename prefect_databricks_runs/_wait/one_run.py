"""The wait for one run."""

from __future__ import annotations

from .._connect.call import Call
from .._leave.leaving import leave, leave_alone, send_log
from .._prefect.own_faults import OwnFaults
from .._report import END_NOT_SEEN, RunReport, final_state
from ..options import WaitOptions
from ..runs import Run
from .doors import give, outages_of, see_ends, watch_of
from .outputs import OutputReader
from .watch import Watch


class OneRun:
    """Waits for one run and shows its every state; made in the flow run that waits.

    Args:
        call: Of the flow that waits.
        run_id: The job run.
    """

    def __init__(self, call: Call[WaitOptions], run_id: int) -> None:
        self._call, self._run_id = call, run_id
        self._report = RunReport(call.logger, call.host, call.options["max_mirrored_tasks"])
        self._outputs = OutputReader(call.hook, call.logger, every_task=call.options["fetch_output"])
        self._faults = OwnFaults(call.logger)
        self._watch: Watch | None = None
        self._run: Run  # once it is over

    async def until_over(self) -> None:
        """Wait until the run is over, and read its outputs."""

        async def changed(run: Run) -> None:
            await self._report(await self._outputs.so_far(run))

        outages = outages_of(self._call)
        self._watch = watch_of(self._call, self._run_id, changed, outages=outages, faults=self._faults)
        self._run = await self._watch.until_over()
        with self._faults.caught(f"reading the outputs of Databricks run {self._run_id}"):
            self._run = await self._outputs.at_the_end(self._run)
        with self._faults.caught(f"showing the end of Databricks run {self._run_id}"):
            await self._report.finish(self._run)

    async def leave(self, reason: BaseException) -> bool:
        """Cancel the run, or say that it goes on; return whether it is being cancelled."""
        known = [self._run_id] if self._watch and self._watch.is_known else []
        return bool(await leave(self._call.hook, [self._run_id], reason, self._call.logger, known=known))

    async def see_it_end(self) -> None:
        """Show how the cancelled run ended."""

        async def changed(run: Run) -> None:
            await self._report(self._outputs.known(run))

        if await see_ends(self._call, [self._run_id], changed):
            await self._report.told_before_leaving()
        else:
            await self._report.leave(END_NOT_SEEN)
        await send_log()

    async def leave_alone(self) -> None:
        """Finish what is drawn of the run, which may go on."""
        await leave_alone(self._report)

    def end(self) -> Run:
        """Return the run, or raise why it did not end well."""
        state = final_state(self._run, fail_on_task_failures=self._call.options["fail_on_task_failures"])
        return give(state, self._run)
