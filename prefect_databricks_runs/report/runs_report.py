"""Telling Prefect, and the log, of each change of many runs that one flow run waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from prefect_databricks_runs.errors import DatabricksError
from prefect_databricks_runs.report.events import ChangeEvents
from prefect_databricks_runs.report.flow_run_report import FlowRunReport
from prefect_databricks_runs.report.logs import ChangeLog, Logger
from prefect_databricks_runs.report.queue import prefect_queue
from prefect_databricks_runs.report.run_artifact import SUMMARY_PREFIX, metadata_of_runs
from prefect_databricks_runs.report.summary import summary_text
from prefect_databricks_runs.report.task_runs import MirroredTask, shown_state_of_run
from prefect_databricks_runs.report.things import Artifact
from prefect_databricks_runs.runs import Run


class RunsReport(FlowRunReport):
    """Tells Prefect of each change of many runs: each a task run, and one artifact for all.

    Args:
        logger: Where each change is logged.
        host: The workspace's address.
        run_ids: The job runs, each once.
        max_mirrored_runs: More runs are summarised in the artifact instead of drawn.
    """

    def __init__(self, logger: Logger, host: str, run_ids: Sequence[int], max_mirrored_runs: int) -> None:
        super().__init__(logger, host)
        self.runs: dict[int, Run | None] = dict.fromkeys(run_ids)
        self.unread: dict[int, DatabricksError] = {}
        self._log = ChangeLog(logger)
        self._events = ChangeEvents(host)
        self._task_runs: dict[int, MirroredTask] = {}
        self._max_mirrored_runs = max_mirrored_runs
        self._is_drawn = len(run_ids) <= max_mirrored_runs
        self._summary: _Summary | None = None

    async def begin(self) -> None:
        """Show what is waited for: should this process be killed, the runs are found by it."""
        if self._flow_run_id and self.runs:
            self._label(f"databricks-runs-{len(self.runs)}")
            self._summary = _Summary(self._flow_run_id, self._host, self.runs, self.unread, self._logger)
            self._put(self._summary)
            if not self._is_drawn:
                text = "%d Databricks runs are more than max_mirrored_runs=%d: they are summarised, and not drawn."
                self._logger.warning(text, len(self.runs), self._max_mirrored_runs)

    async def __call__(self, run: Run) -> None:
        """Report whatever differs from the run as reported before."""
        self.runs[run.run_id] = run
        self._log.run_changes(run)
        self._events.run_changes(run)
        if self._flow_run_id is None:
            return
        self._show_all()
        if self._is_drawn:
            self._show_run(run, self._flow_run_id)

    async def finish(self, run: Run) -> None:
        """Report a run that is over, with its outputs."""
        await self(run)
        self._log.errors(run, dict.fromkeys(run.failures, self._task_run_id(run.run_id)))

    def could_not_read(self, run_id: int, error: DatabricksError) -> None:
        """Report a run that will not be read any more."""
        self.unread[run_id] = error
        self._logger.error("Databricks run %d is not waited for any more. %s", run_id, error)
        self._show_all()

    async def told(self) -> None:
        """Wait until Prefect knows all."""
        await self._told_at_the_end()

    def _note_in_artifact(self, message: str) -> None:
        if self._summary:
            self._summary.note = message
            prefect_queue().put(self._summary)

    def _task_run_id(self, run_id: int) -> UUID | None:
        return self._task_runs[run_id].task_run_id if run_id in self._task_runs else None

    def _show_all(self) -> None:
        if self._summary:
            prefect_queue().put(self._summary)
        names = Counter(run.state.name for run in self.runs.values() if run and not run.state.is_terminal)
        over = sum(1 for run in self.runs.values() if run and run.state.is_terminal)
        if names:
            name = "Running" if "Running" in names else names.most_common(1)[0][0]
            self._show_state_name(name, f"{len(self.runs)} Databricks runs of {self._host}")
        key = f"databricks-progress-runs-{next(iter(self.runs))}"
        self._show_progress(key, f"{len(self.runs)} Databricks runs", (over + len(self.unread)) / len(self.runs))

    def _show_run(self, run: Run, flow_run_id: UUID) -> None:
        state, mirrored = shown_state_of_run(run), self._task_runs.get(run.run_id)
        if mirrored is None:
            name = f"{run.run_name}-{run.run_id}" if run.run_name else f"databricks-{run.run_id}"
            mirrored = MirroredTask(flow_run_id, f"{run.run_id}-", name, state=state, logger=self._logger)
            self._task_runs[run.run_id] = mirrored
            self._put(mirrored)
        elif mirrored.state != state:
            mirrored.state = state
            prefect_queue().put(mirrored)


class _Summary(Artifact):
    """The artifact of all runs; its text is made when Prefect is told, and not at each change."""

    def __init__(
        self,
        flow_run_id: UUID,
        host: str,
        runs: Mapping[int, Run | None],
        unread: Mapping[int, DatabricksError],
        logger: Logger,
    ) -> None:
        about = f"{len(runs)} Databricks runs"
        key = f"{SUMMARY_PREFIX}{next(iter(runs))}"
        super().__init__(flow_run_id, key, "markdown", about, logger, metadata=metadata_of_runs(host, runs))
        self._runs, self._unread, self._host = runs, unread, host

    def data(self) -> str:
        return summary_text(self._runs, self._unread, self._host, self.note)
