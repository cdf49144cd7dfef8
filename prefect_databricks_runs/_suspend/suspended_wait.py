"""A wait that suspends its flow run and ends the process; in the end, the flow begins again from its top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar
from uuid import UUID

import anyio
import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import Pause
from prefect.states import Suspended

from .._connect.call import Call
from .._leave.leaving import send_log
from .._leave.suspended_here import SuspendedHere
from .._prefect.compat import run_contexts
from .._prefect.own_faults import OwnFaults
from .._prefect.urls import without_sign_in
from .._runtime import of_process
from .._start.identity import runs_of_this_attempt
from .._start.pause_key import PauseKey, fault_of, keys_in
from .._wait.doors import Wait
from ..options import PollOptions
from .numbers import number_of_wait
from .obstacles import lasting_obstacle, passing_obstacle

if TYPE_CHECKING:
    from prefect import State
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# Prefect 2's server fails at the pauses of all when one has no end. No wait is that long.
PAUSE_SECONDS = 10 * 365 * 86_400
_TOLD_SECONDS = 30.0
# Until what was in the way, such as a watcher that restarts, is looked at again.
_PAUSE = 30.0
_ASK_AGAIN = 2.0
_TIMES = 5


class Suspendable(Wait[T_co], Protocol[T_co]):
    """A wait in whose place a flow run may be suspended."""

    waited_seconds: float

    @property
    def call(self) -> Call[PollOptions]:
        """That of the flow."""
        ...

    @property
    def run_ids(self) -> Sequence[int]:
        """The job runs that are waited for."""
        ...

    @property
    def is_of_many(self) -> bool:
        """Whether they are drawn as many runs."""
        ...

    @property
    def max_drawn(self) -> int:
        """More runs, or tasks of one, are not drawn."""
        ...

    @property
    def wakes_at(self) -> Literal["all", "failure"]:
        """The event that ends the wait, or that the flow acts on."""
        ...

    def is_waiting(self) -> bool:
        """Whether some runs have not finished, if known."""
        ...

    async def seen(self) -> None:
        """Wait until each run was read and shown."""
        ...

    async def told(self) -> None:
        """Wait until Prefect knows all that was shown."""
        ...


class SuspendedWait(Generic[T_co]):
    """Waits in the process for a while, then suspends the flow run; where that cannot be, the process keeps waiting.

    Args:
        wait: The wait.
        after_seconds: How long the process waits.
    """

    def __init__(self, wait: Suspendable[T_co], after_seconds: float) -> None:
        self._wait, self._after_seconds = wait, after_seconds
        self._logger, self._clock = wait.call.logger, wait.call.hook.clock
        self._asking = anyio.Lock()
        self._said: set[str] = set()
        self._until: float | None = None
        self._number = 0
        self._state: State[Any] | None = None

    async def until_over(self) -> None:
        """Wait until all runs have finished, or until the flow run is suspended."""
        obstacle = lasting_obstacle(self._wait.call.credentials)
        if obstacle:
            self._say(obstacle)
            await self._wait.until_over()
            return
        context = run_contexts()[0][0]
        flow_run: Any = context.flow_run
        self._number = number_of_wait(context, self._wait.run_ids)
        self._count_time(self._earlier(flow_run))
        failure: Exception | None = None
        async with anyio.create_task_group() as together:
            together.start_soon(self._suspend_in_time, flow_run.id, together.cancel_scope)
            try:
                await self._wait.until_over()
            except Exception as error:
                failure = error
            async with self._asking:  # a suspension that is being asked for decides
                together.cancel_scope.cancel()
        if failure and self._state is None:
            raise failure

    async def leave(self, reason: BaseException) -> bool:
        """Decide what becomes of the runs that have not finished; nothing is decided for a flow run that is suspended.

        Raises:
            Pause: It is.
        """
        if self._state:
            raise Pause(state=self._state)
        return await self._wait.leave(reason)

    async def see_it_end(self) -> None:
        """Show how that ended which was cancelled."""
        await self._wait.see_it_end()

    async def leave_alone(self) -> None:
        """Finish what is drawn of runs that may keep running."""
        await self._wait.leave_alone()

    def end(self) -> T_co:
        """Return or raise what the flow ends with.

        Raises:
            Pause: The flow run is suspended, and the process is to end.
        """
        if self._state:
            raise Pause(state=self._state)
        return self._wait.end()

    def _say(self, obstacle: str) -> None:
        if obstacle not in self._said:
            self._said.add(obstacle)
            self._logger.warning("The process keeps waiting: %s.", obstacle)

    def _count_time(self, earlier: Sequence[PauseKey]) -> None:
        """Count the time of this wait from when it began in the first process of this attempt."""
        most = self._wait.call.options["max_wait_seconds"]
        if most:
            now = self._clock.time()
            self._until = now + most
            self._until = self._key().after(earlier).until or self._until
            self._wait.waited_seconds = max(0.0, now + most - self._until)

    def _key(self) -> PauseKey:
        wait, options = self._wait, self._wait.call.options
        block_id = wait.call.credentials._block_document_id
        return PauseKey(
            host=wait.call.host,
            block_id=UUID(str(block_id)),
            run_ids=tuple(wait.run_ids),
            started=tuple(sorted(runs_of_this_attempt() - set(wait.run_ids))),
            is_of_many=wait.is_of_many,
            until=self._until,
            wakes_at=wait.wakes_at,
            fails_on_task_failures=options["fail_on_task_failures"],
            polling_period_seconds=float(options["polling_period_seconds"]),
            max_drawn=wait.max_drawn,
            wait=self._number,
        )

    @staticmethod
    def _earlier(flow_run: FlowRun) -> list[PauseKey]:
        return keys_in(flow_run.empirical_policy.pause_keys if flow_run.empirical_policy else None)

    async def _suspend_in_time(self, flow_run_id: UUID, waiting: anyio.CancelScope) -> None:
        began = self._clock.monotonic()
        with OwnFaults(self._logger).caught("suspending the flow run"):
            await self._wait.seen()
            await self._clock.sleep(max(0.0, began + self._after_seconds - self._clock.monotonic()))
            again = True
            while again and self._wait.is_waiting():
                try:
                    again = await self._suspend(flow_run_id)
                except (httpx.HTTPError, TimeoutError, OSError) as error:
                    self._say(without_sign_in(f"Prefect could not be asked: {error!r}"))
                if self._state:
                    waiting.cancel()
                elif again:
                    await self._clock.sleep(_PAUSE)

    async def _suspend(self, flow_run_id: UUID) -> bool:
        """Suspend the flow run, if nothing is in the way; return whether to try again later."""
        block_id = self._wait.call.credentials._block_document_id
        async with get_client() as client:
            obstacle = await passing_obstacle(client, flow_run_id, UUID(str(block_id)))
            if obstacle:
                self._say(obstacle)
                return True
            with anyio.fail_after(_TOLD_SECONDS):  # before the process ends
                await self._wait.told()
            flow_run = await client.read_flow_run(flow_run_id)
            if self._until and self._until - self._clock.time() <= self._after_seconds:
                return False
            key = self._key().after(self._earlier(flow_run))
            if fault := fault_of(key):  # the watcher would leave it alone
                self._say(f"the watcher could not read what the flow run waits for, because {fault}")
                return False
            async with self._asking:
                if not self._wait.is_waiting() or flow_run_id in of_process(SuspendedHere):
                    return False
                with anyio.CancelScope(shield=True):
                    refusal = await self._ask(client, flow_run_id, key)
                    if refusal:
                        self._say(f"Prefect does not suspend the flow run: {refusal}")
                        return False
                    self._logger.info("The flow run is suspended, and its process ends. %s", _message(key))
                    await send_log()
        return False

    async def _ask(self, client: PrefectClient, flow_run_id: UUID, key: PauseKey) -> str:
        """Suspend the flow run; return why Prefect refuses to.

        A lost answer leaves open whether the flow run is suspended. If it is, another process will begin, perhaps
        before Prefect can be asked again. So Prefect is asked until that is known.
        """
        state: State[Any] = Suspended(timeout_seconds=PAUSE_SECONDS, pause_key=str(key), message=_message(key))
        refusal = ""
        for _ in range(_TIMES):
            try:
                answer = await client.set_flow_run_state(flow_run_id, state)
            except (httpx.HTTPError, TimeoutError, OSError) as error:
                refusal = without_sign_in(repr(error))
            else:
                if answer.status == SetStateStatus.ACCEPT:
                    self._note(flow_run_id, answer.state or state)
                    return ""
                reason = getattr(answer.details, "reason", None) or answer.status.value
                if not refusal:
                    return str(reason)
                refusal = str(reason)  # perhaps because an earlier request has suspended it
            if await self._has_fired(client, flow_run_id, str(key)):
                self._note(flow_run_id, state)
                return ""
            await self._clock.sleep(_ASK_AGAIN)
        return refusal

    async def _has_fired(self, client: PrefectClient, flow_run_id: UUID, key: str) -> bool:
        """Return whether a flow run was suspended with a key, even if it was resumed since."""
        while True:
            try:
                flow_run = await client.read_flow_run(flow_run_id)
            except (httpx.HTTPError, TimeoutError, OSError):
                await self._clock.sleep(_ASK_AGAIN)
                continue
            policy, state = flow_run.empirical_policy, flow_run.state
            fired = {str(each) for each in (policy.pause_keys if policy else None) or ()}
            return key in fired or bool(state and state.state_details.pause_key == key)

    def _note(self, flow_run_id: UUID, state: State[Any]) -> None:
        self._state = state
        of_process(SuspendedHere).add(flow_run_id)


def _message(key: PauseKey) -> str:
    runs = f"{len(key.run_ids)} Databricks runs" if len(key.run_ids) > 1 else f"Databricks run {key.run_ids[0]}"
    return f"Waiting for {runs} of {key.host} without a process. `prefect-databricks-runs watch` resumes it."


def suspended_if_asked(
    kind: Callable[..., Suspendable[T]], call: Call[Any], runs: int | Sequence[int], *, asked: bool | None = None
) -> Wait[T]:
    """Make the wait of a flow, which suspends the flow run, if the call asks for that.

    Args:
        kind: `OneRun` or `ManyRuns`.
        call: Of the flow.
        runs: What is waited for.
        asked: Whether to suspend it; None where the option `suspend` says so.
    """
    suspend = call.options["suspend"] if asked is None else asked
    wait = kind(call, runs, may_suspend=suspend)
    return SuspendedWait(wait, call.options["suspend_after_seconds"]) if suspend else wait
