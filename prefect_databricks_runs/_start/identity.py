"""The identity of a submission: the idempotency token that every attempt at the same submission computes again.

A token is made of the outermost flow run of this process, the workspace, the endpoint, the request, a slot and a
generation. Task run ids, and on Prefect 3 the ids of subflow runs, change when a flow run is retried; its own id does
not. The slot distinguishes equal requests of one attempt; the generation, consecutive runs of one request.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from .._prefect.compat import run_contexts
from .._runtime import of_process
from .pause_key import keys_in

if TYPE_CHECKING:
    from prefect.context import FlowRunContext, TaskRunContext

_MAX_ROOTS = 1_000
_OLD_ATTEMPTS = 3  # remembered besides the newest one
_PACKAGE = "prefect_databricks_runs."


Order = tuple[int, float]


class Step(NamedTuple):
    """One flow run or task run on the way to a submission.

    Attributes:
        id: The run's id.
        attempt: Its attempt, from 1, as Prefect counts.
        began: When the attempt began, in seconds since 1970. It is needed because Prefect 2 counts two attempts at a
            task as one when its flow run is retried, and two attempts at a flow run as begun at the same time.
    """

    id: UUID
    attempt: int
    began: float = 0.0

    @property
    def order(self) -> Order:
        """A sort key that is larger for a later attempt."""
        return self.attempt, self.began


@dataclass(frozen=True)
class Caller:
    """The flow and task runs of this process that make a submission.

    Attributes:
        steps: The runs from the outermost to the innermost.
        attempts: The steps whose retry submits again: all except the task of this package, which never sees a run fail.
        is_remote: Whether the caller is a task in another process than its flow, which shares no slots with the flow.
        before: The runs that the outermost flow run has started or found in this attempt before it was suspended, in an
            earlier process.
    """

    steps: tuple[Step, ...]
    attempts: tuple[Step, ...]
    is_remote: bool
    before: frozenset[int] = frozenset()


def caller() -> Caller | None:
    """Return the caller in the current context; None outside any flow or task run."""
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
    return Caller(tuple(steps.values()), attempts, is_remote, _before_suspension(flows))


def _before_suspension(flows: Sequence[FlowRunContext]) -> frozenset[int]:
    """Return the runs that the outermost flow run has started or found before, from its policy as of the start.

    Prefect empties the policy's keys when an attempt ends, and a process that retries the flow itself does not read the
    policy again. So they count for the attempt that the process begins with.
    """
    flow_run = flows[0].flow_run if flows else None
    keys = keys_in(flow_run.empirical_policy.pause_keys) if flow_run and flow_run.empirical_policy else []
    return frozenset(run_id for key in keys for run_id in key.all_run_ids)


def _enter(tasks: Iterable[TaskRunContext], steps: dict[UUID, Step]) -> set[Step]:
    """Add the steps of task runs, and return the steps of this package's tasks."""
    own: set[Step] = set()
    for task in tasks:
        run = task.task_run
        step = steps[run.id] = Step(run.id, run.run_count, task.start_time.timestamp())
        if str(task.task.fn.__module__).startswith(_PACKAGE):
            own.add(step)
    return own


@dataclass
class _Place:
    """The place of one step inside the step around it; a repeated step keeps its place."""

    step: Step | None = None
    inner: list[_Place] = field(default_factory=list)
    seen: dict[UUID, _Place] = field(default_factory=dict)
    slots: list[int] = field(default_factory=list)
    taken: int = 0

    def of(self, step: Step) -> _Place:
        """Return the place of a step inside this one: the place it has, or its forerunner's place, or a new one."""
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
        """Return the slot of a submission: the next free one, or the slots of repeated steps in their order."""
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
    """The requests of one attempt of a root."""

    requests: dict[str, _Requests] = field(default_factory=dict)
    began: dict[tuple[str, int, tuple[Step, ...]], Moment] = field(default_factory=dict)


@dataclass
class _Root:
    """The known attempts and runs of one outermost run of this process."""

    attempts: dict[Order, _Attempt] = field(default_factory=dict)
    started_in: dict[int, tuple[Order, tuple[Step, ...]]] = field(default_factory=dict)
    # For each attempt that was suspended: the runs that it has started or found before.
    before: dict[Order, frozenset[int]] = field(default_factory=dict)

    def attempt(self, order: Order) -> _Attempt:
        """Return one attempt. On Prefect 2, the tasks of one attempt may still be running when the next one begins."""
        attempt = self.attempts.setdefault(order, _Attempt())
        for old in sorted(self.attempts)[: -1 - _OLD_ATTEMPTS]:
            del self.attempts[old]
            self.before.pop(old, None)
        return attempt

    def goes_on(self, order: Order, before: frozenset[int]) -> None:
        """Record that the attempt was suspended before, unless the process knows an earlier attempt."""
        if not any(earlier[0] < order[0] for earlier in self.attempts):
            self.before.setdefault(order, before)

    def runs_of(self, order: Order) -> set[int]:
        """Return the runs that an attempt has started or found, including those before it was suspended."""
        here = {run_id for run_id, (known, _) in self.started_in.items() if known == order}
        return here | self.before.get(order, frozenset())


class Moment(NamedTuple):
    """A moment on two clocks, because either may stop or jump."""

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> Moment:
        """Return this moment."""
        return cls(time.monotonic(), time.time())

    def seconds_ago(self) -> float:
        """Return the seconds since this moment, by the clock on which more time has passed."""
        now = Moment.now()
        return max(now.monotonic - self.monotonic, now.wall - self.wall)


class Roots:
    """The outermost flow runs of this process that were used last."""

    def __init__(self) -> None:
        self._roots: OrderedDict[UUID, _Root] = OrderedDict()

    def of(self, outermost: UUID) -> _Root:
        """Return the record of an outermost flow run."""
        root = self._roots.setdefault(outermost, _Root())
        self._roots.move_to_end(outermost)
        if len(self._roots) > _MAX_ROOTS:
            self._roots.popitem(last=False)
        return root


class Submission:
    """One request to start a run, with its place among all requests of its caller. Used in the background loop only.

    Args:
        caller: The caller.
        host: The workspace's address.
        endpoint: `runs/submit` or `run-now`.
        payload: The request, without the values that differ from one attempt to the next.
    """

    def __init__(self, caller: Caller, host: str, endpoint: str, payload: Mapping[str, Any]) -> None:
        self.is_remote = caller.is_remote
        outermost = caller.steps[0]
        request = _digest(host, endpoint, payload)
        self._attempts = caller.attempts
        self._root, self._order = _root_of(caller), outermost.order
        attempt = self._root.attempt(outermost.order)
        self._slot = attempt.requests.setdefault(request, _Requests()).slot(caller.steps)
        self._parts = (str(outermost.id), request, self._slot)
        self._began = attempt.began.setdefault((request, self._slot, self._attempts), Moment.now())

    def token(self, generation: int) -> str:
        """Return the idempotency token, 64 hexadecimal characters.

        Args:
            generation: How many runs of this request failed in earlier attempts.
        """
        return _digest(*self._parts, generation)

    def seconds_since_begin(self) -> float:
        """Return how long ago this attempt first requested this run."""
        return self._began.seconds_ago()

    def is_of_this_attempt(self, run_id: int) -> bool | None:
        """Return whether a run was started or found in this attempt of the caller; None if that is not known here."""
        known = self._root.started_in.get(run_id)
        if (known is None or known[0] != self._order) and self.is_of_before(run_id):
            return True
        return None if known is None else known[1] == self._attempts

    def is_of_before(self, run_id: int) -> bool:
        """Return whether this attempt has started or found a run before it was suspended."""
        return run_id in self._root.before.get(self._order, ())

    def keep(self, run_id: int) -> None:
        """Remember that this attempt has this run."""
        known = self._root.started_in.get(run_id)
        if known is None or known[0] <= self._order:
            self._root.started_in[run_id] = (self._order, self._attempts)


def keep_given(run_id: int) -> None:
    """Remember that the current attempt has a run that was started with an idempotency token from the caller."""
    who = caller()
    if who:
        _root_of(who).started_in[run_id] = (who.steps[0].order, who.attempts)


def runs_of_this_attempt() -> set[int]:
    """Return all runs that the current attempt has started or found; none outside a flow run."""
    who = caller()
    return _root_of(who).runs_of(who.steps[0].order) if who else set()


def _root_of(caller: Caller) -> _Root:
    """Return the record of a caller's outermost run, with the runs that its attempt had before it was suspended."""
    outermost = caller.steps[0]
    root = of_process(Roots).of(outermost.id)
    root.goes_on(outermost.order, caller.before)
    root.attempt(outermost.order)
    return root


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
