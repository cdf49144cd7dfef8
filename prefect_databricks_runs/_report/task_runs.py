"""Show each Databricks task as a Prefect task run, with its dependencies as arrows and its states as named states."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from prefect import State, task
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType, TaskRunResult

from .._prefect.compat import PREFECT_3
from .._prefect.paging import read_all
from .._text import identifier, name, one_line, ours
from ..run_states import Outcome, RunState
from ..runs import MAX_FAILED_ITERATIONS, Run, RunTask
from .queue import Thing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import TaskRun

    from .._prefect.logging import Logger
    from .drawn_before import DrawnBefore

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
_LISTED, _DIGEST_CHARACTERS = 3, 16
_OVER = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED, StateType.CRASHED})


GOING = frozenset({StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING})


@task(name="databricks-task")
def _databricks_task() -> None:
    """Stand for the task of these task runs in Prefect; it is never called."""


# Prefect derives a key from the code, which differs between releases and Pythons: an older task run would not be found.
_databricks_task.task_key = "databricks-task"


class Shown(NamedTuple):
    """A state for Prefect to show."""

    type: StateType
    name: str
    message: str


UNWATCHED = Shown(
    StateType.CANCELLED, "Unwatched", "The wait for the Databricks run has ended; the run may keep running."
)


def is_drawn(task_run: TaskRun) -> bool:
    """Whether a task run is drawn by us, and not one of a task of the user."""
    return task_run.task_key == _databricks_task.task_key


def key_of(task_key: str) -> str:
    """Return a task's key as part of a key in Prefect; a different one for each task."""
    shown = identifier(task_key)
    if shown == task_key:
        return task_key
    digest = sha256(task_key.encode(errors="backslashreplace")).hexdigest()
    return f"{shown}-{digest[:_DIGEST_CHARACTERS]}"


def shown_state(databricks_task: RunTask) -> Shown:
    """Return the state of the latest attempt at a task."""
    return Shown(_type(databricks_task.state), databricks_task.state.name, _message(databricks_task))


def shown_failures(run: Run) -> dict[str, dict[int, Shown]]:
    """Return the states of the failed attempts that another attempt followed: by `task_key`, then by `run_id`."""
    shown: dict[str, dict[int, Shown]] = {}
    for attempt in run.failed_attempts:
        if attempt.run_id != run.tasks[attempt.task_key].run_id:
            shown.setdefault(attempt.task_key, {})[attempt.run_id] = shown_state(attempt)
    return shown


def shown_state_of_run(run: Run) -> Shown:
    """Return the state of a whole run."""
    reasons = [run.explanation, *(f"{name(task.task_key)}: {one_line(task.reason)}" for task in run.failed_tasks)]
    message = " ".join(filter(None, [one_line("; ".join(filter(None, reasons))), run.url]))
    return Shown(_type(run.state), run.state.name, message)


def _type(state: RunState) -> StateType:
    if state.outcome is not None:
        return _TYPES.get(state.outcome, StateType.FAILED)
    return StateType.PENDING if state.life_cycle_state in _NOT_STARTED else StateType.RUNNING


def _message(databricks_task: RunTask) -> str:
    parts = [
        f"Attempt {databricks_task.attempt_number + 1}." if databricks_task.attempt_number else "",
        f"{name(databricks_task.iterations_done)}." if databricks_task.iterations_done else "",
        _failed_iterations(databricks_task),
        f"Outcome: {name(databricks_task.outcome_of_condition)}." if databricks_task.outcome_of_condition else "",
        f"Run: {databricks_task.run_job_url}" if databricks_task.run_job_url else "",
        one_line(databricks_task.reason),
        databricks_task.url,
    ]
    return " ".join(part for part in parts if part)


def _failed_iterations(databricks_task: RunTask) -> str:
    """Return how many attempts at iterations failed, and their errors; for a failed task, its reason has the errors."""
    attempts = databricks_task.failed_iterations
    if not attempts or databricks_task.is_failed:
        return ""
    reasons = Counter(attempt.reason for attempt in attempts if attempt.reason)
    listed = "; ".join(f"{one_line(reason, 200)} ({count} times)" for reason, count in reasons.most_common(_LISTED))
    more = " or more" if len(attempts) >= MAX_FAILED_ITERATIONS else ""
    return f"{len(attempts)}{more} attempts at iterations failed{': ' if listed else ''}{listed}."


class MirroredTask(Thing):
    """The task run of one Databricks task, or of one Databricks run.

    Args:
        flow_run_id: The flow run to show it in.
        dynamic_key: Begins with the job run's id, because a flow may wait for several. Creating it again returns the
            existing one.
        name: The task run's name.
        upstream: The task runs that it comes after.
        state: Its first state.
        logger: The log for failed updates.
        created: Called as soon as Prefect has it.
        drawn_before: The task runs of an earlier attempt; None if there are none.

    Attributes:
        task_run_id: Its id; None until Prefect has it.
        state: The state to show.
        earlier: The states to show before: those of failed attempts, by their `run_id`, the oldest first.
        attempt: The `run_id` of the state's attempt; 0 if that makes no difference.
    """

    def __init__(
        self,
        flow_run_id: UUID,
        dynamic_key: str,
        name: str,
        *,
        upstream: Sequence[MirroredTask] = (),
        state: Shown,
        logger: Logger,
        created: Callable[[], None] = lambda: None,
        drawn_before: DrawnBefore | None = None,
    ) -> None:
        super().__init__(logger)
        self._drawn_before = drawn_before
        self._created = created
        self.task_run_id: UUID | None = None
        self.state = state
        self.earlier: Mapping[int, Shown] = {}
        self.attempt = 0
        self._ended: set[int] = set()
        self._flow_run_id = flow_run_id
        self._dynamic_key = dynamic_key
        self._name = one_line(name)
        self._upstream = upstream
        self.comes_after = upstream
        self._shown: Shown | None = None
        self._ran = False

    @property
    def is_over(self) -> bool:
        """Whether its current or next state is final."""
        return self.state.type in _OVER

    async def tell(self, client: PrefectClient) -> None:
        """Create the task run, or set its state."""
        # Read together: the run changes in the meantime.
        wanted, attempt, failed = self.state, self.attempt, tuple(self.earlier.items())
        task_run_id = self.task_run_id or await self._create(client, wanted)
        for earlier, shown in failed:
            if earlier not in self._ended:
                await self._set(client, task_run_id, shown, earlier)
        if self._shown != wanted:
            await self._set(client, task_run_id, wanted, attempt)

    async def _set(self, client: PrefectClient, task_run_id: UUID, shown: Shown, attempt: int) -> None:
        await _set_state(client, task_run_id, shown, has_run=self._ran)
        self._shown = shown
        self._ran = self._ran or shown.type is StateType.RUNNING
        if shown.type in _OVER:
            self._ended.add(attempt)

    async def _create(self, client: PrefectClient, wanted: Shown) -> UUID:
        is_first = wanted.type is StateType.PENDING and not self.earlier
        first = wanted if is_first else Shown(StateType.PENDING, "Pending", "")
        upstream = [TaskRunResult(id=other.task_run_id) for other in self._upstream if other.task_run_id]
        found = await self._drawn_before.find(client, self._dynamic_key) if self._drawn_before else None
        task_run = found or await client.create_task_run(
            task=_databricks_task,
            flow_run_id=self._flow_run_id,
            dynamic_key=self._dynamic_key,
            name=self._name,
            state=_state(first),
            task_inputs={"upstream": list(upstream)} if upstream else None,
        )
        self.task_run_id = task_run.id
        # An existing one, of an earlier attempt, shows its old state.
        self._shown = next((each for each in (wanted, first) if _shows(task_run.state, each)), None)
        if found:
            self._ran = bool(found.run_count)
            self._ended |= await self._failed_before(client, found.id)
        self._created()
        return task_run.id

    async def _failed_before(self, client: PrefectClient, task_run_id: UUID) -> set[int]:
        """Return the failed attempts in its history; each message ends with the page of its attempt."""
        states = await client.read_task_run_states(task_run_id)
        messages = [state.message or "" for state in states if state.type in _OVER]
        return {
            run_id
            for run_id, shown in self.earlier.items()
            if any(message.endswith(shown.message.rpartition(" ")[2]) for message in messages)
        }


async def _set_state(client: PrefectClient, task_run_id: UUID, shown: Shown, *, has_run: bool) -> None:
    """Set a state by force, because a retried or repaired task runs again after its end."""
    if shown.type in _OVER and not has_run and not PREFECT_3:
        # Prefect 2 shows a task run that never ran with an endless bar.
        running = Shown(StateType.RUNNING, "Running", shown.message)
        await client.set_task_run_state(task_run_id, _state(running), force=True)
    await client.set_task_run_state(task_run_id, _state(shown), force=True)


def _shows(state: State[None] | None, shown: Shown) -> bool:
    return state is not None and (state.type, state.name, state.message or "") == shown


async def finish_task_runs(client: PrefectClient, flow_run_id: UUID, run: Run) -> int:
    """Finish the task runs of a Databricks run in a flow run that is gone.

    Args:
        client: Prefect's client.
        flow_run_id: The flow run that shows them.
        run: The Databricks run as it is now.

    Returns:
        How many were not finished.
    """
    task_runs = await read_all(
        client.read_task_runs,
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id])),
        task_run_filter=TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=list(GOING)))),
    )
    unfinished = [each for each in task_runs if each.dynamic_key.startswith(f"{run.run_id}-")]
    for each in unfinished:
        shown = _shown_of(run, each.dynamic_key.partition("-")[2])
        last = shown if shown.type in _OVER else UNWATCHED
        await _set_state(client, each.id, last, has_run=each.state_type is StateType.RUNNING)
    return len(unfinished)


def _shown_of(run: Run, task_key: str) -> Shown:
    """Return the state of the task run whose dynamic key ends like this; for a whole run, the key has no `task_key`."""
    if not task_key:
        return shown_state_of_run(run)
    tasks = {key_of(each.task_key): each for each in run.tasks.values()}
    return shown_state(tasks[task_key]) if task_key in tasks else UNWATCHED


def _state(shown: Shown) -> State[None]:
    return State(type=shown.type, name=name(shown.name), message=ours(shown.message))
