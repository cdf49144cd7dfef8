"""Send each change of one run to Prefect and to the log."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING
from uuid import UUID

from .._prefect.logging import Logger
from .._text import name
from ..runs import Run, RunTask
from .artifact import artifact_text
from .events import ChangeEvents
from .flow_run_report import FlowRunReport, shown_name
from .logs import ChangeLog
from .queue import prefect_queue
from .run_artifact import run_artifact, title_of
from .task_runs import MirroredTask, Shown, key_of, shown_failures, shown_state
from .things import Artifact

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


class RunReport(FlowRunReport):
    """Send each change of one run to Prefect, as the `on_change` of a watch.

    Args:
        logger: The log for each change.
        host: The workspace's address.
        max_mirrored_tasks: A run with more tasks is summarized in the artifact, without task runs.
        suspended: As in `FlowRunReport`.
        names_states: As in `FlowRunReport`.
    """

    def __init__(
        self,
        logger: Logger,
        host: str,
        max_mirrored_tasks: int,
        *,
        suspended: FlowRun | None = None,
        names_states: bool = True,
    ) -> None:
        super().__init__(logger, host, suspended=suspended, names_states=names_states)
        self._log = ChangeLog(logger)
        self._events = ChangeEvents(host, suspended)
        self._max_mirrored_tasks = max_mirrored_tasks
        self._tasks: dict[str, MirroredTask] = {}
        self._artifact: Artifact | None = None
        self._state: tuple[str, float] = ("", 0.0)
        self._run: Run | None = None
        self._is_summarized = False

    async def __call__(self, run: Run) -> None:
        """Report all changes since the last call."""
        first, self._run = self._run is None, run
        if first and self._continues and not run.state.is_terminal:
            self._log.know(run)
            self._events.know(run)
        self._log.changes(run)
        self._log.outputs(run)
        self._events.changes(run)
        if self._flow_run_id is None:
            self._say_outputs()
            return
        if first:
            self._label_with(run)
        if not run.state.is_terminal:
            self._show_state_name(run.state.name, f"Databricks run {run.run_id}: {run.url}")
        # The artifact first: if this process is killed, the run is found by it.
        self._show_artifacts(run, self._flow_run_id)
        self._show_tasks(run, self._flow_run_id)
        self._say_outputs()

    async def finish(self, run: Run) -> None:
        """Report a finished run with its outputs, and wait until Prefect has all updates."""
        await self(run)
        await self.told_at_the_end()

    async def _told(self, patience: float, at_most: float = math.inf) -> None:
        await super()._told(patience, at_most)
        self._say_outputs(is_last=True)

    def _say_outputs(self, *, is_last: bool = False) -> None:
        task_run_ids = {task_key: mirrored.task_run_id for task_key, mirrored in self._tasks.items()}
        self._log.say_outputs(task_run_ids, is_last=is_last)

    def _note_in_artifact(self, message: str) -> None:
        if self._artifact and self._run and not self._run.state.is_terminal:
            self._artifact.note = message
            if self._artifact.show(artifact_text(self._run, note=message)):
                prefect_queue().put(self._artifact)

    def _label_with(self, run: Run) -> None:
        tags = {f"databricks-job:{run.job_id}"} if run.raw.get("run_type") == "JOB_RUN" else ()
        self._label(shown_name(run), tags)

    def _show_tasks(self, run: Run, flow_run_id: UUID) -> None:
        if len(run.tasks) > self._max_mirrored_tasks:
            self._log_summarized(run)
            return
        earlier = shown_failures(run)
        for each in run.tasks.values():
            state, mirrored = shown_state(each), self._tasks.get(each.task_key)
            if mirrored is None:
                mirrored = self._mirror(run, each, flow_run_id, state)
            elif mirrored.state == state:
                continue
            mirrored.state, mirrored.attempt = state, each.run_id
            mirrored.earlier = earlier.get(each.task_key, {})
            prefect_queue().put(mirrored)

    def _mirror(self, run: Run, each: RunTask, flow_run_id: UUID, state: Shown) -> MirroredTask:
        upstream = [self._tasks[key] for key in each.depends_on if key in self._tasks]
        mirrored = MirroredTask(
            flow_run_id,
            f"{run.run_id}-{key_of(each.task_key)}",
            name(each.task_key),
            upstream=upstream,
            state=state,
            logger=self._logger,
            created=self._say_outputs,
            drawn_before=self._drawn_before,
        )
        self._tasks[each.task_key] = mirrored
        self._things.append(mirrored)
        return mirrored

    def _log_summarized(self, run: Run) -> None:
        if not self._is_summarized:
            self._is_summarized = True
            self._logger.warning(
                "Databricks run %d has %d tasks, more than max_mirrored_tasks=%d. They are summarized in the artifact,"
                " and not shown as task runs.",
                run.run_id,
                len(run.tasks),
                self._max_mirrored_tasks,
            )

    def _show_artifacts(self, run: Run, flow_run_id: UUID) -> None:
        if self._state[0] != run.state.name:
            self._state = (run.state.name, time.time())
        about = title_of(run.run_id, run.run_name)
        if self._artifact is None:
            self._artifact = run_artifact(
                flow_run_id, self._host, run.run_id, run.run_name, self._logger, is_there=self._continues
            )
            self._things.append(self._artifact)
        if self._artifact.show(artifact_text(run, since=self._state[1], note=self._artifact.note)):
            prefect_queue().put(self._artifact)
        if len(run.tasks) > 1:
            over = sum(task.state.is_terminal for task in run.tasks.values())
            self._show_progress(f"databricks-progress-{run.run_id}", about, over / len(run.tasks))
