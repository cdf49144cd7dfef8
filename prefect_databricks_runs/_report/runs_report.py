"""Send each change of the runs in one wait to Prefect and to the log."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from .._prefect.logging import Logger
from .._text import one_line
from ..errors import DatabricksError
from ..runs import Run
from .events import ChangeEvents
from .flow_run_report import END_NOT_SEEN, FlowRunReport, shown_name
from .logs import ChangeLog
from .queue import prefect_queue
from .run_artifact import SUMMARY_PREFIX, metadata_of_runs
from .summary import summary_text
from .task_runs import UNWATCHED, MirroredTask, shown_state_of_run
from .things import Artifact

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

_PAUSE_A_RUN, _LONGEST_PAUSE = 0.002, 5.0


class RunsReport(FlowRunReport):
    """Send each change of many runs to Prefect: a task run for each, and one artifact for all.

    Args:
        logger: The log for each change.
        host: The workspace's address.
        run_ids: The job runs, each once.
        max_mirrored_runs: If there are more runs, they are summarized in the artifact, without task runs.
        suspended: As in `FlowRunReport`.
        names_states: As in `FlowRunReport`.
    """

    def __init__(
        self,
        logger: Logger,
        host: str,
        run_ids: Sequence[int],
        max_mirrored_runs: int,
        *,
        suspended: FlowRun | None = None,
        names_states: bool = True,
    ) -> None:
        super().__init__(logger, host, suspended=suspended, names_states=names_states)
        self.runs: dict[int, Run | None] = dict.fromkeys(run_ids)
        self.unread: dict[int, DatabricksError] = {}
        self._log = ChangeLog(logger)
        self._events = ChangeEvents(host, suspended)
        self._task_runs: dict[int, MirroredTask] = {}
        self._max_mirrored_runs = max_mirrored_runs
        self._is_drawn = len(run_ids) <= max_mirrored_runs
        self._summary: _Summary | None = None
        self._soon: asyncio.TimerHandle | None = None
        self._going: Counter[str] = Counter()
        self._over = 0

    async def begin(self) -> None:
        """Show the runs of the wait: if this process is killed, they are found by this."""
        if self._flow_run_id and self.runs:
            self._label(f"databricks-runs-{len(self.runs)}")
            self._summary = _Summary(
                self._flow_run_id, self._host, self.runs, self.unread, self._logger, is_there=self._continues
            )
            self._put(self._summary)
            if not self._is_drawn:
                text = (
                    "%d Databricks runs exceed max_mirrored_runs=%d. They are summarized, and not shown as task runs."
                )
                self._logger.warning(text, len(self.runs), self._max_mirrored_runs)

    async def __call__(self, run: Run) -> None:
        """Report all changes since the last call."""
        is_first = self.runs[run.run_id] is None
        self._count(run.run_id, run)
        if is_first and self._continues and not run.state.is_terminal:
            self._log.know(run)
            self._events.know(run)
        self._log.run_changes(run)
        self._events.run_changes(run)
        if self._flow_run_id is None:
            return
        self._show_all()
        if self._is_drawn:
            self._show_run(run, self._flow_run_id)

    async def finish(self, run: Run) -> None:
        """Report a finished run, with its outputs."""
        await self(run)
        self._log.outputs(run)
        self._log.say_outputs(dict.fromkeys(run.tasks, self._task_run_id(run.run_id)))

    def could_not_read(self, run_id: int, error: DatabricksError) -> None:
        """Report a run that will not be read anymore."""
        self._count(run_id, None)
        self.unread[run_id] = error
        self._logger.error("Stopped waiting for Databricks run %d. %s", run_id, error)
        if run_id in self._task_runs:
            self._finish([self._task_runs[run_id]], one_line(str(error)))
        self._show_all()

    async def told_at_the_end(self) -> None:
        """Wait until Prefect has all updates."""
        self.show_summary()
        await super().told_at_the_end()

    async def leave_these(self, cancelled: Collection[int]) -> None:
        """Finish the task runs of runs that are not watched anymore.

        Args:
            cancelled: The runs that Databricks was asked to cancel; the others may keep running.
        """
        others = [mirrored for run_id, mirrored in self._task_runs.items() if run_id not in cancelled]
        self._finish(others, UNWATCHED.message)
        await self.leave(END_NOT_SEEN if cancelled else UNWATCHED.message)

    def _note_in_artifact(self, message: str) -> None:
        if self._summary and self._over + len(self.unread) < len(self.runs):
            self._summary.note = message
        self.show_summary()

    def _task_run_id(self, run_id: int) -> UUID | None:
        return self._task_runs[run_id].task_run_id if run_id in self._task_runs else None

    def _count(self, run_id: int, run: Run | None) -> None:
        """Keep the run, and count the runs by state: counting all again at each change would take too long."""
        before, self.runs[run_id] = self.runs[run_id], run
        for each, by in ((before, -1), (run, 1)):
            if each and each.state.is_terminal:
                self._over += by
            elif each:
                self._going[each.state.name] += by

    def _show_all(self) -> None:
        names = +self._going
        if names:
            name = "Running" if "Running" in names else names.most_common(1)[0][0]
            self._show_state_name(name, f"{len(self.runs)} Databricks runs of {self._host}")
        share = (self._over + len(self.unread)) / len(self.runs)
        self._show_progress(
            f"databricks-progress-runs-{next(iter(self.runs))}", f"{len(self.runs)} Databricks runs", share
        )
        if self._soon is None:
            # Do not build the text of a thousand runs for the change of one.
            seconds = min(_LONGEST_PAUSE, len(self.runs) * _PAUSE_A_RUN)
            self._soon = asyncio.get_running_loop().call_later(seconds, self.show_summary)

    def show_summary(self) -> None:
        """Have the artifact of all runs say what is known now."""
        if self._soon:
            self._soon.cancel()
            self._soon = None
        if self._summary:
            prefect_queue().put(self._summary)

    def _show_run(self, run: Run, flow_run_id: UUID) -> None:
        state, mirrored = shown_state_of_run(run), self._task_runs.get(run.run_id)
        if mirrored is None:
            key, name = f"{run.run_id}-", shown_name(run)
            mirrored = MirroredTask(
                flow_run_id, key, name, state=state, logger=self._logger, drawn_before=self._drawn_before
            )
            self._task_runs[run.run_id] = mirrored
            self._put(mirrored)
        elif mirrored.state != state:
            mirrored.state = state
            prefect_queue().put(mirrored)


class _Summary(Artifact):
    """The artifact of all runs; its text is made when it is sent, not at each change."""

    def __init__(
        self,
        flow_run_id: UUID,
        host: str,
        runs: Mapping[int, Run | None],
        unread: Mapping[int, DatabricksError],
        logger: Logger,
        *,
        is_there: bool,
    ) -> None:
        about = f"{len(runs)} Databricks runs"
        key = f"{SUMMARY_PREFIX}{next(iter(runs))}"
        metadata = metadata_of_runs(host, runs)
        super().__init__(flow_run_id, key, "markdown", about, logger, metadata=metadata, is_there=is_there)
        self._runs, self._unread, self._host = runs, unread, host

    def data(self) -> str:
        return summary_text(self._runs, self._unread, self._host, self.note)
