"""What every report of a waiting flow run does, be it of one Databricks run or of many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from prefect.context import FlowRunContext

from .._prefect.compat import SHOWS_PROGRESS
from .._prefect.logging import Logger
from .._text import name
from ..runs import Run
from .drawn_before import DrawnBefore
from .flow_runs import has_retries, is_ours
from .queue import Thing, prefect_queue
from .task_runs import UNWATCHED, MirroredTask
from .things import Artifact, FlowRunLabels, StateName

# How long the end of a flow waits while Prefect can be told of nothing; without its API the flow could not end either.
FINISH_PATIENCE = 60.0
# Prefect kills the process of a cancelled flow run after a while, so leaving is given less.
LEAVE_SECONDS, LEAVE_SECONDS_A_THING = 5.0, 0.02
END_NOT_SEEN = "Databricks was asked to cancel the run; its end was not seen."


def shown_name(run: Run) -> str:
    """Return what the flow run or the task run of a whole run is called."""
    return f"{name(run.run_name)}-{run.run_id}" if run.run_name else f"databricks-{run.run_id}"


class FlowRunReport:
    """Shows things in the flow run that waits; without one, nothing.

    Reporting never holds up the watch, and never fails a run: it only says what Prefect is to show, and the process's
    queue tells Prefect so, again and again until it works.

    Args:
        logger: Where it is said that Prefect could not be told.
        host: The workspace's address.
    """

    def __init__(self, logger: Logger, host: str) -> None:
        self._logger, self._host = logger, host
        context = FlowRunContext.get()
        flow_run = context.flow_run if context else None
        self._flow_run_id: UUID | None = flow_run.id if flow_run else None
        self._drawn_before = DrawnBefore(flow_run) if flow_run else None
        self._is_ours = is_ours(context)
        # Each `Running(name=…)` counts as one more run of the flow and so eats its retries.
        self._names_states = self._is_ours and not has_retries(context)
        self._names_flow_run = self._is_ours and not (context and context.flow and context.flow.flow_run_name)
        self._things: list[Thing] = []
        self._state_name: StateName | None = None
        self._progress: Artifact | None = None

    def _mirrored(self) -> Iterable[MirroredTask]:
        """Return the task runs that are drawn."""
        return [thing for thing in self._things if isinstance(thing, MirroredTask)]

    async def leave(self, message: str = UNWATCHED.message) -> None:
        """Finish the task runs of what is not watched any more.

        Args:
            message: What became of the Databricks run.
        """
        self._finish(self._mirrored(), message)
        self._note_in_artifact(message)
        await self.told_before_leaving()

    def _finish(self, task_runs: Iterable[MirroredTask], message: str) -> None:
        for mirrored in task_runs:
            if not mirrored.is_over:
                mirrored.state = UNWATCHED._replace(message=message)
                prefect_queue().put(mirrored)

    def _note_in_artifact(self, message: str) -> None:
        """Say in the artifact too what became of what is not watched any more."""
        raise NotImplementedError

    def _label(self, name: str, tags: Iterable[str] = ()) -> None:
        """Name the flow run, unless its user has named it, and add the host and these to its tags."""
        if self._names_flow_run and self._flow_run_id:
            all_tags = frozenset({f"databricks-host:{urlsplit(self._host).netloc}", *tags})
            self._put(FlowRunLabels(self._flow_run_id, name, all_tags, self._logger))

    def _show_state_name(self, name: str, message: str) -> None:
        if not self._names_states or not self._flow_run_id:
            return
        if self._state_name is None:
            self._state_name = StateName(self._flow_run_id, self._logger)
            self._things.append(self._state_name)
        if self._state_name.show(name, message):
            prefect_queue().put(self._state_name)

    def _show_progress(self, key: str, about: str, share: float) -> None:
        """Show how much is over, in percent, where Prefect can show that."""
        if not SHOWS_PROGRESS or not self._flow_run_id:
            return
        if self._progress is None:
            self._progress = Artifact(self._flow_run_id, key, "progress", about, self._logger)
            self._things.append(self._progress)
        if self._progress.show(round(100 * share, 1)):
            prefect_queue().put(self._progress)

    def _put(self, thing: Thing) -> None:
        self._things.append(thing)
        prefect_queue().put(thing)

    async def told_at_the_end(self) -> None:
        """Wait until Prefect knows all."""
        await self._told(FINISH_PATIENCE)

    async def told_before_leaving(self) -> None:
        """Wait a short while until Prefect knows all."""
        seconds = LEAVE_SECONDS + LEAVE_SECONDS_A_THING * len(self._things)
        await self._told(seconds, seconds)

    async def _told(self, patience: float, at_most: float = math.inf) -> None:
        if not await prefect_queue().told(self._things, patience, at_most):
            self._logger.warning("Prefect was not told all of the Databricks run: its API did not answer in time.")
