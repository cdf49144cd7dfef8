"""The wait for many runs in one flow run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import anyio
import anyio.abc

from .._connect.call import Call
from .._failures import failure_of
from .._leave.leaving import cancel_all, leave, leave_alone, send_log
from .._leave.started_here import StartedHere
from .._prefect.own_faults import OwnFaults
from .._report import RunsReport, state_of_runs
from .._runtime import of_process
from .._text import safe_repr
from ..errors import DatabricksError, DatabricksUnreachable, InvalidOption, RunsFailed, WaitTimeout
from ..options import WaitForRunsOptions
from ..runs import Run
from .doors import give, outages_of, see_ends, watch_of
from .outputs import OutputReader
from .watch import Watch

_BECAUSE = "another run in the same wait has failed"


class ManyRuns:
    """Wait for many runs and show each as a task run; made in the flow run that waits.

    Args:
        call: The call of the flow that waits.
        run_ids: The job runs; a repeated id counts once.
        may_suspend: Whether the flow run may be suspended while it waits.

    Attributes:
        call: The call of the flow.
        run_ids: The job runs, each once.
        is_of_many: True.
        max_drawn: The number of runs above which none is drawn as a task run.
        wakes_at: What ends the wait, or needs an action: the end of all runs, or a failure.
        waited_seconds: How much of `max_wait_seconds` has passed before.

    Raises:
        InvalidOption: `run_ids` is not a list of run ids.
    """

    is_of_many = True

    def __init__(self, call: Call[WaitForRunsOptions], run_ids: Sequence[int], *, may_suspend: bool = False) -> None:
        _check(run_ids)
        self.call, self._call, self._options = call, call, call.options
        self._run_ids = list(run_ids)
        self._going = dict.fromkeys(self._run_ids)
        self.run_ids = list(self._going)
        self.max_drawn = call.options["max_mirrored_runs"]
        acts = call.options["cancel_others"] or call.options["return_when"] == "any_failure"
        self.wakes_at: Literal["all", "failure"] = "failure" if acts else "all"
        self.waited_seconds = 0.0
        self._report = RunsReport(call.logger, call.host, self.run_ids, self.max_drawn, names_states=not may_suspend)
        self._unseen, self._seen = set(self._going), anyio.Event()
        self._errors: dict[int, DatabricksError] = {}
        self._ended_by: DatabricksError | None = None
        self._outages, self._faults = outages_of(call), OwnFaults(call.logger)
        self._watches: dict[int, Watch] = {}
        self._is_cancelling = False
        # None until a cancellation was tried.
        self._cancelled: list[int] | None = None

    async def until_over(self) -> None:
        """Wait until all have finished, or until one has failed, depending on `return_when`."""
        with self._faults.caught("showing what is waited for"):
            await self._report.begin()
        async with anyio.create_task_group() as together:
            for run_id in tuple(self._going):
                together.start_soon(self._one, run_id, together.cancel_scope)
        if self._ended_by:
            raise self._timeout(self._ended_by)
        if self._going:
            await self._leave_the_others()
        with self._faults.caught("showing how the Databricks runs ended"):
            await self._report.told_at_the_end()

    async def seen(self) -> None:
        """Wait until each run has been read and shown, or given up."""
        await self._seen.wait()

    async def told(self) -> None:
        """Wait until Prefect has received all updates."""
        self._report.show_summary()
        await self._report.until_told()

    def is_waiting(self) -> bool:
        """Return whether some runs are not known to have finished, and none is being cancelled."""
        return bool(self._going) and not self._is_cancelling and self._cancelled is None

    def _is_seen(self, run_id: int) -> None:
        self._unseen.discard(run_id)
        if not self._unseen:
            self._seen.set()

    async def leave(self, reason: BaseException) -> bool:
        """Cancel the unfinished runs, or log that they keep running; return whether some are being cancelled."""
        known = [run_id for run_id in self._going if self._is_known(run_id)]
        self._cancelled = await leave(self._call.hook, list(self._going), reason, self._call.logger, known=known)
        return bool(self._cancelled)

    def _is_known(self, run_id: int) -> bool:
        watch = self._watches.get(run_id)
        return watch.is_known if watch else (self._call.host, run_id) in of_process(StartedHere)

    async def see_it_end(self) -> None:
        """Show how the cancelled runs ended."""
        await self._see_ends()
        await send_log()

    async def leave_alone(self) -> None:
        """Finish the task runs and artifacts of the runs, which may keep running."""
        await leave_alone(self._report)

    def end(self) -> list[Run]:
        """Return the runs in the order of the caller's `run_ids`, or raise an error with the failures."""
        runs = [run for run in map(self._report.runs.get, self._run_ids) if run and run.state.is_terminal]
        error = None
        if self._errors:
            error = RunsFailed(runs, self._errors, list(self._going), self._cancelled or ())
        return give(state_of_runs(runs, error), runs)

    async def _one(self, run_id: int, all_of_them: anyio.CancelScope) -> None:
        """Wait for one run, and decide what its end means for the others."""

        async def changed(run: Run) -> None:
            await self._report(run)
            self._is_seen(run_id)

        watch = watch_of(
            self._call,
            run_id,
            changed,
            outages=self._outages,
            faults=self._faults,
            waited_seconds=self.waited_seconds,
        )
        self._watches[run_id] = watch
        try:
            run = await watch.until_over()
        except DatabricksError as error:
            if isinstance(error, WaitTimeout) or self._is_outage_of_all(error):
                self._ended_by = error
                all_of_them.cancel()
                return
            await self._give_up(run_id, error)
        else:
            await self._ended(run_id, run)
        if run_id in self._errors:
            await self._after_a_failure(all_of_them)

    async def _ended(self, run_id: int, run: Run) -> None:
        del self._going[run_id]
        with anyio.CancelScope(shield=True):  # its end is known; now find out why it failed
            outputs = OutputReader(self._call.hook, self._call.logger, every_task=self._options["fetch_output"])
            with self._faults.caught(f"reading the outputs of Databricks run {run_id}"):
                run = await outputs.at_the_end(run)
        with self._faults.caught(f"showing the end of Databricks run {run_id}"):
            await self._report.finish(run)
        self._report.runs[run_id] = run  # also if showing it has failed
        self._note_failure(run)

    def _note_failure(self, run: Run) -> None:
        failure = failure_of(run, fail_on_task_failures=self._options["fail_on_task_failures"])
        if failure:
            self._errors[run.run_id] = failure

    def _is_outage_of_all(self, error: DatabricksError) -> bool:
        return isinstance(error, DatabricksUnreachable) and self._outages.is_of_all(error.seconds)

    async def _give_up(self, run_id: int, error: DatabricksError) -> None:
        """Stop waiting for a run that cannot be read, although others can."""
        del self._going[run_id]
        self._is_seen(run_id)
        self._errors[run_id] = error
        with self._faults.caught(f"showing that Databricks run {run_id} cannot be read"):
            self._report.could_not_read(run_id, error)
        with anyio.CancelScope(shield=True):
            known = [run_id] if self._is_known(run_id) else []
            await leave(self._call.hook, [run_id], error, self._call.logger, known=known)

    async def _after_a_failure(self, all_of_them: anyio.CancelScope) -> None:
        if self._is_cancelling:
            return  # the failure is the end of a run that was cancelled here; the code that cancels continues
        if self._options["cancel_others"] and self._cancelled is None and self._going:
            self._is_cancelling = True
            with anyio.CancelScope(shield=True):
                self._cancelled = await cancel_all(self._call.hook, list(self._going), self._call.logger, _BECAUSE)
            self._is_cancelling = False
        if self._options["return_when"] == "any_failure":
            all_of_them.cancel()

    async def _leave_the_others(self) -> None:
        """Show the remaining runs, which are cancelled or keep running, after a failed run has ended the wait."""
        if self._cancelled is None:
            text = "The wait has ended because one run failed. %d other Databricks runs keep running."
            self._call.logger.warning(text, len(self._going))
            await self._report.leave()
        else:
            await self._see_ends()
            for run in self._report.runs.values():
                if run and run.state.is_terminal and run.run_id not in self._errors:
                    self._note_failure(run)

    async def _see_ends(self) -> None:
        cancelled = [run_id for run_id in self._cancelled or () if run_id in self._going]
        for run_id in await see_ends(self._call, cancelled, self._report):
            self._going.pop(run_id, None)
        await self._report.leave_these(set(cancelled) & set(self._going))

    def _timeout(self, error: DatabricksError) -> DatabricksError:
        """Return the error of one run as the error of all runs that are still active."""
        if not isinstance(error, WaitTimeout):
            return error
        return WaitTimeout(
            run_id=error.run_id,
            max_wait_seconds=error.max_wait_seconds,
            url=error.url,
            state=error.state,
            others=len(self._going) - 1,
        )


def _check(run_ids: Any) -> None:
    is_list = isinstance(run_ids, Sequence) and not isinstance(run_ids, str)
    if not is_list or not all(isinstance(each, int) and not isinstance(each, bool) for each in run_ids):
        raise InvalidOption([f"`run_ids` must be a list of job run ids; it is {safe_repr(run_ids)}."])
