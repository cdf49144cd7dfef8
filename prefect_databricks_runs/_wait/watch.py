"""Polling one run: the time of the next poll, and a notification at each change."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from .._client.retries import LONGEST_RETRY_AFTER, asked_to_wait
from .._clock import Clock
from .._leave.started_here import StartedHere
from .._leave.verdict import Event, event_of_poll, judge
from .._prefect.own_faults import OwnFaults
from .._runtime import of_process
from .._text import safe_repr
from ..errors import DatabricksError, DatabricksUnreachable, WaitTimeout
from ..hook import DatabricksHook
from ..runs import Run, RunTask, run_url
from .outages import Outages
from .run_reader import RunReader
from .watched import Watched

OnChange = Callable[[Run], Awaitable[None]]

_SHARE_OF_AGE = 0.05
_SHORTEST_PERIOD = 1.0
# How long the last poll, after `max_wait_seconds`, may take.
_LAST_LOOK_SECONDS = 5.0
_STEPS = 10


class Watch:
    """Wait for the end of one run.

    Args:
        reader: Reads the run, together with the others that are waited for.
        hook: The hook to read it with; each poll should be tried once, because the next one is its retry.
        run_id: The job run.
        on_change: Called with the run when it is first read and whenever its state or a task's state has changed, the
            end included.
        polling_period_seconds: The longest time between two polls.
        max_wait_seconds: Seconds after which the wait ends; None for no limit.
        max_outage_seconds: How long polls may fail in a row.
        outages: Logs failing polls; may be shared with other watches.
        faults: Logs faults of this package; may be shared too.
        is_started_here: Whether this process has started the run: then it exists, even if it cannot be read.
        waited_seconds: How much of `max_wait_seconds` has passed, in earlier processes.

    Attributes:
        is_known: Whether the run was read, or started here.
    """

    def __init__(
        self,
        reader: RunReader,
        hook: DatabricksHook,
        run_id: int,
        on_change: OnChange,
        *,
        polling_period_seconds: float,
        max_wait_seconds: float | None,
        max_outage_seconds: float,
        outages: Outages,
        faults: OwnFaults,
        is_started_here: bool = False,
        waited_seconds: float = 0.0,
    ) -> None:
        self._reader, self._hook, self._run_id, self._on_change = reader, hook, run_id, on_change
        self._polling_period_seconds = polling_period_seconds
        self._max_wait_seconds = max_wait_seconds
        self._waited_seconds = waited_seconds
        self._max_outage_seconds = max_outage_seconds
        self._outages, self._faults = outages, faults
        self.is_known = is_started_here
        self._answered = False
        self._clock: Clock = hook.clock
        self._run: Run | None = None
        self._failing_since: float | None = None
        self._asked_to_wait: float | None = None

    async def until_over(self) -> Run:
        """Poll until the run has finished.

        Returns:
            The run as it ended, succeeded or failed.

        Raises:
            WaitTimeout: The run had not finished after `max_wait_seconds`.
            DatabricksUnreachable: Polls failed for `max_outage_seconds` in a row, whatever the cause.
            NotFound: The run does not exist, or was deleted during the wait.
            DatabricksError: The run may not be read, and nothing is known of it.
        """
        began = due = self._clock.monotonic()
        with self._reader.watching(self._hook, self._run_id) as watched:
            while True:
                await self._poll(watched, due, self._left(began))
                if self._run and self._run.state.is_terminal:
                    return self._run
                left = self._left(began)
                if left <= 0:
                    raise self._timeout()
                due = self._clock.monotonic() + min(self._delay(began), left)

    def _left(self, began: float) -> float:
        waited = self._waited_seconds + self._clock.monotonic() - began
        return math.inf if self._max_wait_seconds is None else self._max_wait_seconds - waited

    async def _poll(self, watched: Watched, due: float, seconds: float) -> None:
        try:
            with anyio.move_on_after(seconds + _LAST_LOOK_SECONDS) as limit:
                run = await watched.read(due)
        except Exception as error:
            event = event_of_poll(error)
            # A token that was accepted before may be accepted again, no matter who started the run.
            is_known = self.is_known or (isinstance(error, DatabricksError) and self._hook.may_pass(error))
            if judge(event, is_known=is_known).ends:
                raise
            self._bear(error, event, watched.sent_at)
            return
        if limit.cancelled_caught:
            return
        self._outages.passed(self._run_id)
        self._failing_since = self._asked_to_wait = None
        self._answered, self.is_known = False, True
        of_process(StartedHere).forget((self._hook.host, self._run_id))
        changed = self._run is None or (run is not self._run and states_of(run) != states_of(self._run))
        self._run = run
        if changed:
            with self._faults.caught(f"showing Databricks run {self._run_id}"):
                await self._on_change(run)

    def _bear(self, error: Exception, event: Event, sent_at: float) -> None:
        """Continue after a failed poll, unless polls have failed for too long."""
        if self._failing_since is None:
            self._failing_since = sent_at
        if event is Event.OUR_FAULT:
            self._faults.log(f"reading Databricks run {self._run_id}", error)
        answered = event is not Event.NO_ANSWER
        self._answered = self._answered or answered
        self._outages.failed(self._run_id, error, answered=answered)
        self._asked_to_wait = asked_to_wait(error)
        seconds = self._failing_for()
        if seconds >= self._max_outage_seconds:
            answered = self._answered or (self._outages.is_of_all(seconds) and self._outages.answered)
            self._outages.forget(self._run_id)
            reason = str(error) if isinstance(error, DatabricksError) else safe_repr(error)
            raise DatabricksUnreachable(
                run_id=self._run_id, seconds=seconds, url=self._url(), reason=reason, answered=answered
            ) from error

    def _failing_for(self) -> float:
        return 0.0 if self._failing_since is None else self._clock.monotonic() - self._failing_since

    def _url(self) -> str:
        return self._run.url if self._run else run_url(self._hook.host, None, self._run_id)

    def _delay(self, began: float) -> float:
        """Return how long to wait: the end of a short run is noticed at once, and a long run costs few requests."""
        started = self._run.start_time / 1000 if self._run else 0
        age = max(self._clock.monotonic() - began, self._clock.time() - started if started else 0)
        due = min(self._polling_period_seconds, max(_SHORTEST_PERIOD, _SHARE_OF_AGE * age))
        # Answers may ask for any wait. Two of them in a row must not end the wait as an outage, and there must be a
        # last poll before the outage has lasted too long.
        asked = min(self._asked_to_wait or 0.0, LONGEST_RETRY_AFTER, self._max_outage_seconds - self._failing_for())
        return max(due, asked)

    def _timeout(self) -> WaitTimeout:
        run = self._run
        return WaitTimeout(
            run_id=self._run_id,
            max_wait_seconds=self._max_wait_seconds or 0,
            url=self._url(),
            state=run.state.life_cycle_state if run else "not readable",
        )


def states_of(run: Run) -> tuple[Any, ...]:
    """Return what counts as a change of a run: its state, and the state and progress of each attempt."""
    return run.state, {task.run_id: (task.state, _progress(task)) for task in run.attempts}


def _progress(task: RunTask) -> int:
    """Return the progress of a for-each task in steps of a tenth, so that a long one is not reported all the time."""
    stats = task.iteration_stats
    total = stats.get("total_iterations") or 0
    return _STEPS * (stats.get("completed_iterations") or 0) // total if total else 0
