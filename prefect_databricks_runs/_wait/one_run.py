"""The wait for one run."""

from __future__ import annotations

from typing import Literal

import anyio

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
    """Wait for one run and show each of its states; made in the flow run that waits.

    Args:
        call: The call of the flow that waits.
        run_id: The job run.
        may_suspend: Whether the flow run may be suspended while it waits.

    Attributes:
        call: The call of the flow.
        run_ids: The job run.
        is_of_many: False.
        max_drawn: The number of tasks above which none is drawn as a task run.
        wakes_at: What ends the wait.
        waited_seconds: How much of `max_wait_seconds` has passed before.
    """

    is_of_many = False
    wakes_at: Literal["all", "failure"] = "all"

    def __init__(self, call: Call[WaitOptions], run_id: int, *, may_suspend: bool = False) -> None:
        self.call, self._call, self._run_id = call, call, run_id
        self.run_ids = [run_id]
        self.max_drawn = call.options["max_mirrored_tasks"]
        self.waited_seconds = 0.0
        self._report = RunReport(call.logger, call.host, self.max_drawn, names_states=not may_suspend)
        self._seen = anyio.Event()
        self._outputs = OutputReader(call.hook, call.logger, every_task=call.options["fetch_output"])
        self._faults = OwnFaults(call.logger)
        self._watch: Watch | None = None
        self._is_over = False
        self._run: Run  # set when it has finished

    async def until_over(self) -> None:
        """Wait until the run has finished, and read its outputs."""

        async def changed(run: Run) -> None:
            await self._report(await self._outputs.so_far(run))
            self._seen.set()

        self._watch = watch_of(
            self._call,
            self._run_id,
            changed,
            outages=outages_of(self._call),
            faults=self._faults,
            waited_seconds=self.waited_seconds,
        )
        self._run = await self._watch.until_over()
        self._is_over = True
        with self._faults.caught(f"reading the outputs of Databricks run {self._run_id}"):
            self._run = await self._outputs.at_the_end(self._run)
        with self._faults.caught(f"showing the end of Databricks run {self._run_id}"):
            await self._report.finish(self._run)

    async def seen(self) -> None:
        """Wait until the run has been read and shown."""
        await self._seen.wait()

    async def told(self) -> None:
        """Wait until Prefect has received all updates."""
        await self._report.until_told()

    def is_waiting(self) -> bool:
        """Return whether the run is not known to have finished."""
        return not self._is_over

    async def leave(self, reason: BaseException) -> bool:
        """Cancel the run, or log that it keeps running; return whether it is being cancelled."""
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
        """Finish the task runs and the artifact of the run, which may keep running."""
        await leave_alone(self._report)

    def end(self) -> Run:
        """Return the run, or raise the error of a failed run."""
        state = final_state(self._run, fail_on_task_failures=self._call.options["fail_on_task_failures"])
        return give(state, self._run)
