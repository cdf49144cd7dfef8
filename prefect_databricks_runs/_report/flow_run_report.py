"""The common parts of reports on one Databricks run and on many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING
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

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

# How long the end of a flow waits while no update reaches Prefect. Without its API, the flow could not end either.
FINISH_PATIENCE = 60.0
# Prefect kills the process of a cancelled flow run after a while, so there is less time when leaving.
LEAVE_SECONDS, LEAVE_SECONDS_A_THING = 5.0, 0.02
END_NOT_SEEN = "Databricks was asked to cancel the run; its end was not seen."


def shown_name(run: Run) -> str:
    """Return the name of the flow run or task run of a whole run."""
    return f"{name(run.run_name)}-{run.run_id}" if run.run_name else f"databricks-{run.run_id}"


class FlowRunReport:
    """Show things in the waiting flow run; without a flow run, do nothing.

    Reports never delay the watch and never fail a run: they only set what Prefect shows. The process's queue sends it
    to Prefect, and retries until that works.

    Args:
        logger: The log for failed updates.
        host: The workspace's address.
        suspended: A suspended flow run to show things in from outside; None for the current flow run.
        names_states: Whether to name the flow run's states. A state name that is set late would undo a suspension.
    """

    def __init__(
        self, logger: Logger, host: str, *, suspended: FlowRun | None = None, names_states: bool = True
    ) -> None:
        self._logger, self._host = logger, host
        context = None if suspended else FlowRunContext.get()
        flow_run = suspended or (context.flow_run if context else None)
        self._flow_run_id: UUID | None = flow_run.id if flow_run else None
        # Its process has shown and logged all up to its end.
        self._continues = suspended is not None
        self._drawn_before = DrawnBefore(flow_run, is_suspended=_was_suspended(flow_run)) if flow_run else None
        self._is_ours = is_ours(context)
        # Each `Running(name=…)` counts as one more run of the flow, and so uses up its retries.
        self._names_states = names_states and self._is_ours and not has_retries(context)
        self._names_flow_run = self._is_ours and not (context and context.flow and context.flow.flow_run_name)
        self._things: list[Thing] = []
        self._state_name: StateName | None = None
        self._progress: Artifact | None = None

    def _mirrored(self) -> Iterable[MirroredTask]:
        """Return the task runs that Prefect shows."""
        return [thing for thing in self._things if isinstance(thing, MirroredTask)]

    async def leave(self, message: str = UNWATCHED.message) -> None:
        """Finish the task runs that are not watched anymore.

        Args:
            message: The state message, about the Databricks run.
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
        """Note the end of the watch in the artifact too."""
        raise NotImplementedError

    def _label(self, name: str, tags: Iterable[str] = ()) -> None:
        """Name the flow run, unless its user has named it, and add the host and these tags."""
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
        """Show the finished share in percent, if Prefect can show it."""
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

    async def until_told(self) -> None:
        """Wait until Prefect knows all, for as long as that takes."""
        await prefect_queue().until_told(self._things)

    async def told_at_the_end(self) -> None:
        """Wait until Prefect has all updates."""
        await self._told(FINISH_PATIENCE)

    async def told_before_leaving(self) -> None:
        """Wait a short while until Prefect has all updates."""
        seconds = LEAVE_SECONDS + LEAVE_SECONDS_A_THING * len(self._things)
        await self._told(seconds, seconds)

    async def _told(self, patience: float, at_most: float = math.inf) -> None:
        if not await prefect_queue().told(self._things, patience, at_most):
            self._logger.warning(
                "Prefect does not have all updates on the Databricks run: its API did not answer in time."
            )


def _was_suspended(flow_run: FlowRun) -> bool:
    """Whether the flow run is, or was, without a process in this attempt."""
    return bool(flow_run.empirical_policy and flow_run.empirical_policy.pause_keys)
