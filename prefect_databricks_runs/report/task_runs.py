"""Each Databricks task as a Prefect task run, with its dependencies as arrows and its states as named states."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from prefect import State, task
from prefect.client.schemas.objects import StateType, TaskRunResult

from prefect_databricks_runs._compat import PREFECT_3
from prefect_databricks_runs.errors import shorten
from prefect_databricks_runs.report.queue import Thing
from prefect_databricks_runs.runs import Outcome, RunTask

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from prefect.client.orchestration import PrefectClient

    from prefect_databricks_runs.report.logs import Logger

_NOT_STARTED = frozenset({"QUEUED", "PENDING", "BLOCKED", "WAITING_FOR_RETRY"})
_TYPES = {
    Outcome.SUCCESS: StateType.COMPLETED,
    Outcome.SUCCESS_WITH_FAILURES: StateType.COMPLETED,
    Outcome.EXCLUDED: StateType.COMPLETED,
    Outcome.DISABLED: StateType.COMPLETED,
    Outcome.FAILED: StateType.FAILED,
    Outcome.TIMED_OUT: StateType.FAILED,
    Outcome.SKIPPED: StateType.FAILED,
    Outcome.CANCELED: StateType.CANCELLED,
    Outcome.UPSTREAM_FAILED: StateType.CANCELLED,
    Outcome.UPSTREAM_CANCELED: StateType.CANCELLED,
    Outcome.INTERNAL_ERROR: StateType.CRASHED,
}
_OVER = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED})


@task(name="databricks-task")
def _databricks_task() -> None:
    """What Prefect is told these task runs are runs of; it is never called."""


class Shown(NamedTuple):
    """A state as Prefect shows it."""

    type: StateType
    name: str
    message: str


def shown_state(databricks_task: RunTask) -> Shown:
    """The state that a task run shows of the latest attempt at its task."""
    state = databricks_task.state
    if state.outcome is not None:
        kind = _TYPES.get(state.outcome, StateType.FAILED)
    else:
        kind = StateType.PENDING if state.life_cycle_state in _NOT_STARTED else StateType.RUNNING
    return Shown(kind, state.name, _message(databricks_task))


def _message(databricks_task: RunTask) -> str:
    parts = [
        f"Attempt {databricks_task.attempt_number + 1}." if databricks_task.attempt_number else "",
        iterations(databricks_task),
        f"Outcome: {databricks_task.outcome_of_condition}." if databricks_task.outcome_of_condition else "",
        shorten(databricks_task.reason),
        databricks_task.url,
    ]
    return " ".join(part for part in parts if part)


def iterations(databricks_task: RunTask) -> str:
    """How far a for-each task is, such as `7/40 iterations.`; empty for other tasks."""
    stats = databricks_task.iteration_stats
    if not stats or not stats.get("total_iterations"):
        return ""
    failed = f", {stats['failed_iterations']} failed" if stats.get("failed_iterations") else ""
    return f"{stats.get('completed_iterations', 0)}/{stats['total_iterations']} iterations{failed}."


class MirroredTask(Thing):
    """The task run of one Databricks task.

    Args:
        flow_run_id: The flow run that it is drawn in.
        run_id: The job run.
        task_key: The task's name, which becomes the task run's.
        upstream: The task runs that it comes after.
        state: What it shows at first.
        logger: Where it is said that Prefect could not be told.

    Attributes:
        task_run_id: Its id; None until Prefect knows of it.
        state: What it is to show.
    """

    def __init__(
        self,
        flow_run_id: UUID,
        run_id: int,
        task_key: str,
        *,
        upstream: Sequence[MirroredTask],
        state: Shown,
        logger: Logger,
    ) -> None:
        super().__init__(logger)
        self.task_run_id: UUID | None = None
        self.state = state
        self._flow_run_id = flow_run_id
        self._run_id = run_id
        self._task_key = task_key
        self._upstream = upstream
        self._shown: Shown | None = None
        self._ran = False

    @property
    def is_over(self) -> bool:
        """Whether it shows, or is to show, a state that is the last one."""
        return self.state.type in _OVER

    @property
    def comes_after(self) -> Collection[Thing]:
        """Until it is drawn, those that it has arrows from."""
        return () if self.task_run_id else self._upstream

    async def tell(self, client: PrefectClient) -> None:
        """Create the task run, or set its state."""
        wanted = self.state
        task_run_id = self.task_run_id or await self._create(client, wanted)
        if self._shown == wanted:
            return
        if wanted.type in _OVER and not self._ran and not PREFECT_3:
            # Prefect 2 draws a task run that never ran with a bar that goes on for ever.
            await self._set(client, task_run_id, Shown(StateType.RUNNING, "Running", wanted.message))
        await self._set(client, task_run_id, wanted)

    async def _create(self, client: PrefectClient, wanted: Shown) -> UUID:
        first = wanted if wanted.type is StateType.PENDING else Shown(StateType.PENDING, "Pending", "")
        upstream = [TaskRunResult(id=other.task_run_id) for other in self._upstream if other.task_run_id]
        task_run = await client.create_task_run(
            task=_databricks_task,
            flow_run_id=self._flow_run_id,
            # With the run's id: a flow may wait for several. Creating it again gives the one that is there.
            dynamic_key=f"{self._run_id}-{self._task_key}",
            name=self._task_key,
            state=_state(first),
            task_inputs={"upstream": list(upstream)} if upstream else None,
        )
        self.task_run_id, self._shown = task_run.id, first
        return task_run.id

    async def _set(self, client: PrefectClient, task_run_id: UUID, shown: Shown) -> None:
        # By force, because a retried or repaired task goes on after it had ended.
        await client.set_task_run_state(task_run_id, _state(shown), force=True)
        self._shown = shown
        self._ran = self._ran or shown.type is StateType.RUNNING


def _state(shown: Shown) -> State[None]:
    return State(type=shown.type, name=shown.name, message=shown.message)
