"""Telling Prefect, and the log, of each change of one run."""

from __future__ import annotations

import time
from urllib.parse import urlsplit
from uuid import UUID

from prefect.context import FlowRunContext

from prefect_databricks_runs._compat import SHOWS_PROGRESS
from prefect_databricks_runs.report.artifact import artifact_text
from prefect_databricks_runs.report.events import ChangeEvents
from prefect_databricks_runs.report.flow_runs import has_retries, is_ours
from prefect_databricks_runs.report.logs import ChangeLog, Logger
from prefect_databricks_runs.report.queue import Thing, prefect_queue
from prefect_databricks_runs.report.run_artifact import run_artifact
from prefect_databricks_runs.report.task_runs import UNWATCHED, MirroredTask, Shown, shown_state
from prefect_databricks_runs.report.things import Artifact, FlowRunLabels, StateName
from prefect_databricks_runs.runs import Run, RunTask

# How long the end of a flow waits until Prefect knows all; without Prefect's API the flow could not end either.
FINISH_SECONDS, FINISH_SECONDS_A_THING = 60.0, 0.2
# Prefect kills the process of a cancelled flow run after a while, so leaving is given less.
LEAVE_SECONDS, LEAVE_SECONDS_A_THING = 5.0, 0.02


class RunReport:
    """Tells Prefect of each change of one run, as the `on_change` of a watch.

    Reporting never holds up the watch, and never fails a run: it only says what Prefect is to show, and the process's
    queue tells Prefect so, again and again until it works.

    Args:
        logger: Where each change is logged.
        host: The workspace's address.
        max_mirrored_tasks: A run with more tasks is summarised in the artifact instead of drawn.
    """

    def __init__(self, logger: Logger, host: str, max_mirrored_tasks: int) -> None:
        self._logger = logger
        self._log = ChangeLog(logger)
        self._events = ChangeEvents(host)
        self._max_mirrored_tasks = max_mirrored_tasks
        context = FlowRunContext.get()
        flow_run = context.flow_run if context else None
        self._flow_run_id: UUID | None = flow_run.id if flow_run else None
        self._is_ours = is_ours(context)
        # Each `Running(name=…)` counts as one more run of the flow and so eats its retries.
        self._names_states = self._is_ours and not has_retries(context)
        self._names_flow_run = self._is_ours and not (context and context.flow and context.flow.flow_run_name)
        self._host = host
        self._tasks: dict[str, MirroredTask] = {}
        self._things: list[Thing] = []
        self._artifact: Artifact | None = None
        self._progress: Artifact | None = None
        self._state_name: StateName | None = None
        self._state: tuple[str, float] = ("", 0.0)
        self._is_first = True
        self._is_summarised = False

    async def __call__(self, run: Run) -> None:
        """Report whatever differs from the run as reported before."""
        first, self._is_first = self._is_first, False
        self._log.changes(run)
        self._events.changes(run)
        if self._flow_run_id is None:
            return
        if first and self._is_ours:
            self._label(run, self._flow_run_id)
        if self._names_states and not run.state.is_terminal:
            self._show_state_name(run, self._flow_run_id)
        # The artifact first: should this process be killed, the rest is found by it.
        self._show_artifacts(run, self._flow_run_id)
        self._show_tasks(run, self._flow_run_id)

    async def finish(self, run: Run) -> None:
        """Report a run that is over, with its outputs, and wait until Prefect knows all of it."""
        await self(run)
        await self._told(FINISH_SECONDS, FINISH_SECONDS_A_THING)
        self._log.errors(run, {task_key: mirrored.task_run_id for task_key, mirrored in self._tasks.items()})

    async def see_end(self, run: Run) -> None:
        """Report how a run ended that is being left, and wait a short while until Prefect knows of it."""
        await self(run)
        await self._told(LEAVE_SECONDS, LEAVE_SECONDS_A_THING)

    async def leave(self, message: str = UNWATCHED.message) -> None:
        """Finish the task runs of a run that is not watched any more.

        Args:
            message: What became of the Databricks run.
        """
        for mirrored in self._tasks.values():
            if not mirrored.is_over:
                mirrored.state = UNWATCHED._replace(message=message)
                prefect_queue().put(mirrored)
        await self._told(LEAVE_SECONDS, LEAVE_SECONDS_A_THING)

    async def _told(self, seconds: float, seconds_a_thing: float) -> None:
        if not await prefect_queue().told(self._things, seconds + seconds_a_thing * len(self._things)):
            self._logger.warning("Prefect was not told all of the Databricks run: its API did not answer in time.")

    def _label(self, run: Run, flow_run_id: UUID) -> None:
        if self._names_flow_run:
            tags = {f"databricks-host:{urlsplit(self._host).netloc}"}
            if run.raw.get("run_type") == "JOB_RUN":
                tags.add(f"databricks-job:{run.job_id}")
            name = f"{run.run_name}-{run.run_id}" if run.run_name else f"databricks-{run.run_id}"
            labels = FlowRunLabels(flow_run_id, name, frozenset(tags), self._logger)
            self._things.append(labels)
            prefect_queue().put(labels)

    def _show_state_name(self, run: Run, flow_run_id: UUID) -> None:
        if self._state_name is None:
            self._state_name = StateName(flow_run_id, self._logger)
            self._things.append(self._state_name)
        if self._state_name.show(run.state.name, f"Databricks run {run.run_id}: {run.url}"):
            prefect_queue().put(self._state_name)

    def _show_tasks(self, run: Run, flow_run_id: UUID) -> None:
        if len(run.tasks) > self._max_mirrored_tasks:
            self._say_summarised(run)
            return
        for each in run.tasks.values():
            state, mirrored = shown_state(each), self._tasks.get(each.task_key)
            if mirrored is None:
                mirrored = self._mirror(run, each, flow_run_id, state)
            elif mirrored.state == state:
                continue
            mirrored.state = state
            prefect_queue().put(mirrored)

    def _mirror(self, run: Run, each: RunTask, flow_run_id: UUID, state: Shown) -> MirroredTask:
        upstream = [self._tasks[key] for key in each.depends_on if key in self._tasks]
        mirrored = MirroredTask(
            flow_run_id, run.run_id, each.task_key, upstream=upstream, state=state, logger=self._logger
        )
        self._tasks[each.task_key] = mirrored
        self._things.append(mirrored)
        return mirrored

    def _say_summarised(self, run: Run) -> None:
        if not self._is_summarised:
            self._is_summarised = True
            self._logger.warning(
                "Databricks run %d has %d tasks, more than max_mirrored_tasks=%d: it is summarised in the artifact, and"
                " not drawn.",
                run.run_id,
                len(run.tasks),
                self._max_mirrored_tasks,
            )

    def _show_artifacts(self, run: Run, flow_run_id: UUID) -> None:
        if self._state[0] != run.state.name:
            self._state = (run.state.name, time.time())
        if self._artifact is None:
            self._artifact = run_artifact(flow_run_id, self._host, run.run_id, run.run_name, self._logger)
            about = f"Databricks run {run.run_id} {run.run_name}".strip()
            self._things.append(self._artifact)
            if SHOWS_PROGRESS:
                key = f"databricks-progress-{run.run_id}"
                self._progress = Artifact(flow_run_id, key, "progress", about, self._logger)
                self._things.append(self._progress)
        if self._artifact.show(artifact_text(run, since=self._state[1], note=self._artifact.note)):
            prefect_queue().put(self._artifact)
        if self._progress and len(run.tasks) > 1 and self._progress.show(_share_over(run)):
            prefect_queue().put(self._progress)


def _share_over(run: Run) -> float:
    """How many of the tasks are over, in percent."""
    over = sum(task.state.is_terminal for task in run.tasks.values())
    return round(100 * over / len(run.tasks), 1)
