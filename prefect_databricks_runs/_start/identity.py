"""Who asks for a run: the idempotency token that every attempt at the same submission finds again.

A token is made of the outermost flow run of this process, the workspace, the endpoint, the request, a slot and a
generation. Task run ids, and on Prefect 3 the ids of subflow runs, change when a flow run is retried; its own id does
not. The slot tells equal requests of one attempt apart; the generation, the runs of one request after each other.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from .._prefect.compat import run_contexts
from .._runtime import of_process

if TYPE_CHECKING:
    from prefect.context import TaskRunContext

_MAX_ROOTS = 1_000
_OLD_ATTEMPTS = 3  # that are remembered beside the newest one
_PACKAGE = "prefect_databricks_runs."


Order = tuple[int, float]


class Step(NamedTuple):
    """One flow run or task run on the way to a submission.

    Attributes:
        id: The run's id.
        attempt: Its attempt, from 1, as Prefect counts.
        began: When that began, in seconds since 1970: Prefect 2 counts two attempts at a task as one when its flow run
            is retried, and two of a flow run as begun at once.
    """

    id: UUID
    attempt: int
    began: float = 0.0

    @property
    def order(self) -> Order:
        """What is larger for a later attempt."""
        return self.attempt, self.began


@dataclass(frozen=True)
class Caller:
    """The flow and task runs of this process that a submission is made in.

    Attributes:
        steps: From the outermost to the innermost.
        attempts: The steps whose retry asks for a run once more: all but our own task, which never sees a run fail.
        is_remote: Whether it is a task in another process than its flow, which shares no slots with it.
    """

    steps: tuple[Step, ...]
    attempts: tuple[Step, ...]
    is_remote: bool


def caller() -> Caller | None:
    """Return the caller of whatever is going on now; None outside of any flow and task run."""
    flows, tasks = run_contexts()
    steps: dict[UUID, Step] = {}  # by id, because Prefect 3 enters a task run twice
    own: set[Step] = set()
    for flow in flows:
        if flow.flow_run:
            steps[flow.flow_run.id] = Step(flow.flow_run.id, flow.flow_run.run_count, flow.start_time.timestamp())
            inner = [task for task in tasks if task.task_run.flow_run_id == flow.flow_run.id]
            own |= _enter(inner, steps)
    if not flows:
        own = _enter(tasks, steps)
    if not steps:
        return None
    attempts = tuple(step for step in steps.values() if step not in own)
    is_remote = not flows and any(task.task_run.flow_run_id for task in tasks)
    return Caller(tuple(steps.values()), attempts, is_remote)


def _enter(tasks: Iterable[TaskRunContext], steps: dict[UUID, Step]) -> set[Step]:
    """Add the steps of task runs; gives those of our own tasks."""
    own: set[Step] = set()
    for task in tasks:
        run = task.task_run
        step = steps[run.id] = Step(run.id, run.run_count, task.start_time.timestamp())
        if str(task.task.fn.__module__).startswith(_PACKAGE):
            own.add(step)
    return own


@dataclass
class _Place:
    """Where one step stands among those of the step before it, which keeps its place when it comes again."""

    step: Step | None = None
    inner: list[_Place] = field(default_factory=list)
    seen: dict[UUID, _Place] = field(default_factory=dict)
    slots: list[int] = field(default_factory=list)
    taken: int = 0

    def of(self, step: Step) -> _Place:
        """Return the place of a step in this one: its own again, or that of its forerunner, or a new one."""
        place = self.seen.get(step.id)
        if place is None:
            if len(self.seen) == len(self.inner):
                self.inner.append(_Place())
            place = self.seen[step.id] = self.inner[len(self.seen)]
        if place.step != step:
            place.step, place.seen, place.taken = step, {}, 0
        return place


@dataclass
class _Requests:
    """Equal requests of one attempt of one root."""

    place: _Place = field(default_factory=_Place)
    slots: int = 0

    def slot(self, steps: tuple[Step, ...]) -> int:
        """Return the slot of a submission: the next free one, or for steps that come again their own ones, in order."""
        place = self.place
        for step in steps:
            place = place.of(step)
        if place.taken == len(place.slots):
            place.slots.append(self.slots)
            self.slots += 1
        place.taken += 1
        return place.slots[place.taken - 1]


@dataclass
class _Attempt:
    """What one attempt of a root has asked for."""

    requests: dict[str, _Requests] = field(default_factory=dict)
    began: dict[tuple[str, int, tuple[Step, ...]], Moment] = field(default_factory=dict)


@dataclass
class _Root:
    """What is known of the outermost run of this process."""

    attempts: dict[Order, _Attempt] = field(default_factory=dict)
    started_in: dict[int, tuple[Order, tuple[Step, ...]]] = field(default_factory=dict)

    def attempt(self, order: Order) -> _Attempt:
        """One attempt. On Prefect 2 what was submitted in one attempt goes on while the next one begins."""
        attempt = self.attempts.setdefault(order, _Attempt())
        for old in sorted(self.attempts)[: -1 - _OLD_ATTEMPTS]:
            del self.attempts[old]
        return attempt


class Moment(NamedTuple):
    """A moment on two clocks: either may stand still or jump."""

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> Moment:
        """Return this moment."""
        return cls(time.monotonic(), time.time())

    def seconds_ago(self) -> float:
        """How long ago that is, by the clock that says it is longer."""
        now = Moment.now()
        return max(now.monotonic - self.monotonic, now.wall - self.wall)


class Roots:
    """The outermost flow runs of this process, those that asked last."""

    def __init__(self) -> None:
        self._roots: OrderedDict[UUID, _Root] = OrderedDict()

    def of(self, outermost: UUID) -> _Root:
        """Return what is known of one."""
        root = self._roots.setdefault(outermost, _Root())
        self._roots.move_to_end(outermost)
        if len(self._roots) > _MAX_ROOTS:
            self._roots.popitem(last=False)
        return root


class Submission:
    """One request to start a run, with its place among all that its caller asks for. Used in the background loop only.

    Args:
        caller: Who asks.
        host: The workspace's address.
        endpoint: `runs/submit` or `run-now`.
        payload: The request, without what differs from one attempt to the next.
    """

    def __init__(self, caller: Caller, host: str, endpoint: str, payload: Mapping[str, Any]) -> None:
        self.is_remote = caller.is_remote
        outermost = caller.steps[0]
        request = _digest(host, endpoint, payload)
        self._attempts = caller.attempts
        self._root, self._order = of_process(Roots).of(outermost.id), outermost.order
        attempt = self._root.attempt(outermost.order)
        self._slot = attempt.requests.setdefault(request, _Requests()).slot(caller.steps)
        self._parts = (str(outermost.id), request, self._slot)
        self._began = attempt.began.setdefault((request, self._slot, self._attempts), Moment.now())

    def token(self, generation: int) -> str:
        """Return the idempotency token, 64 hexadecimal characters.

        Args:
            generation: How many runs of this request ended badly in earlier attempts.
        """
        return _digest(*self._parts, generation)

    def seconds_since_begin(self) -> float:
        """How long ago this attempt first asked for this run."""
        return self._began.seconds_ago()

    def is_of_this_attempt(self, run_id: int) -> bool | None:
        """Whether a run was started or found in this attempt of the caller; None if this process does not know."""
        known = self._root.started_in.get(run_id)
        return None if known is None else known[1] == self._attempts

    def keep(self, run_id: int) -> None:
        """Remember that this attempt has this run now."""
        known = self._root.started_in.get(run_id)
        if known is None or known[0] <= self._order:
            self._root.started_in[run_id] = (self._order, self._attempts)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
