"""One suspended flow run: its Databricks runs are watched, and shown in it as its process would."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import anyio
from prefect.logging.loggers import flow_run_logger

from .._connect.call import Call
from .._failures import failure_of
from .._prefect.logging import SteadyLogger
from .._prefect.own_faults import OwnFaults
from .._report import RunReport, RunsReport
from .._start.pause_key import PauseKey
from .._wait.doors import outages_of, watch_of
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError, DatabricksUnreachable, NotFound
from ..options import PollOptions, options_of
from ..runs import Run

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

# How often the log of a flow run says that a run cannot be read; the watcher keeps asking.
_OUTAGE_SECONDS = 1800.0


class SuspendedRun:
    """A suspended flow run.

    Args:
        flow_run: The flow run as it is.
        key: Its pause key.
        credentials: The saved block that the key names.
        shown: The host and `run_id` of the Databricks runs that the flow run itself has shown. Of others that a key
            names nothing is shown, and they are not cancelled.

    Attributes:
        is_resumed: Whether this watcher has resumed it.
    """

    def __init__(
        self, flow_run: FlowRun, key: PauseKey, credentials: DatabricksCredentials, shown: Collection[tuple[str, int]]
    ) -> None:
        self.flow_run, self.key = flow_run, key
        self.is_resumed = False
        self.shown = frozenset(run_id for host, run_id in shown if host == key.host)
        self.logger = SteadyLogger(flow_run_logger(flow_run))
        options = {"polling_period_seconds": key.polling_period_seconds, "max_outage_seconds": _OUTAGE_SECONDS}
        self.call: Call[PollOptions] = Call(credentials, options_of(options, PollOptions), self.logger)
        self._faults = OwnFaults(self.logger)
        self._outages = outages_of(self.call)
        own = [run_id for run_id in key.run_ids if run_id in self.shown]
        self._report: RunReport | RunsReport | None = None
        if own and key.is_of_many:
            self._report = RunsReport(self.logger, key.host, own, key.max_drawn, suspended=flow_run)
        elif own:
            self._report = RunReport(self.logger, key.host, key.max_drawn, suspended=flow_run)

    @property
    def not_shown(self) -> list[int]:
        """The runs that the key names, and that the flow run has never shown."""
        return [run_id for run_id in self.key.run_ids if run_id not in self.shown]

    async def until_it_wakes(self) -> None:
        """Watch the runs until the flow run is to be resumed."""
        if isinstance(self._report, RunsReport):
            await self._report.begin()
        with anyio.move_on_after(self._seconds_left()):
            async with anyio.create_task_group() as together:
                for run_id in self.key.run_ids:
                    together.start_soon(self._watch, run_id, together.cancel_scope)

    async def look_once(self) -> bool:
        """Read the runs once; return whether the flow run is to be resumed.

        Raises:
            DatabricksError: Some could not be read, and nothing else says that it is to be.
        """
        over: list[bool] = []
        unread: DatabricksError | None = None
        if isinstance(self._report, RunsReport):
            await self._report.begin()
        for run_id in self.key.run_ids:
            try:
                run = await self.call.hook.get_run(run_id)
            except NotFound:  # the flow sees that for itself
                over.append(True)
                continue
            except DatabricksError as error:
                unread = error
                continue
            await self.show(run)
            if run.state.is_terminal and self._wakes(run):
                return True
            over.append(run.state.is_terminal)
        if self._seconds_left() <= 0:
            return True
        if unread:
            raise unread
        return all(over)

    async def show(self, run: Run) -> None:
        """Show how a run is, in the flow run."""
        if self._report and run.run_id in self.shown and run.run_id in self.key.run_ids:
            with self._faults.caught(f"showing Databricks run {run.run_id}"):
                await self._report(run)

    async def told(self, seconds: float) -> None:
        """Wait until Prefect knows what is shown, for a while."""
        if self._report:
            with anyio.move_on_after(seconds):
                await self._report.until_told()

    def _seconds_left(self) -> float:
        return float("inf") if self.key.until is None else self.key.until - self.call.hook.clock.time()

    async def _watch(self, run_id: int, all_of_them: anyio.CancelScope) -> None:
        run = await self._until_over(run_id)
        if run and self._wakes(run):
            all_of_them.cancel()

    async def _until_over(self, run_id: int) -> Run | None:
        """Watch a run to its end, however long it cannot be read; None if it does not exist any more."""
        while True:
            # Known, because its flow has read it: a refusal to read it is an outage.
            watch = watch_of(self.call, run_id, self.show, outages=self._outages, faults=self._faults, is_known=True)
            try:
                return await watch.until_over()
            except DatabricksUnreachable as error:
                self.logger.warning("The watcher keeps asking for Databricks run %d. %s", run_id, error)
            except DatabricksError as error:  # the flow sees it for itself
                self.logger.warning("Databricks run %d cannot be watched any more. %s", run_id, error)
                return None

    def _wakes(self, run: Run) -> bool:
        if self.key.wakes_at == "all":
            return False
        return failure_of(run, fail_on_task_failures=self.key.fails_on_task_failures) is not None
