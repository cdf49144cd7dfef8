"""One wait for one run, as the reader of runs sees it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import count

from ..hook import DatabricksHook
from ..runs import Run

_numbers = count()


class Watched:
    """One wait for one run.

    Args:
        hook: With which it is read.
        run_id: The job run.
        ask: Told that it is to be read when it is due.

    Attributes:
        run: The run as it was read last; None before.
        due: When it is to be read next, by the clock's `monotonic`; infinite while nobody asks for it.
        sent_at: When it was asked for last.
        place: When it started, in milliseconds UTC, and a number of its own: runs that started one after the other
            stand on one page of a list.
        is_alone: Whether it is to be read with `runs/get` this time, because a list did not have it.
        is_long: Whether it has more tasks than a list tells.
        read_by: The request for it that is under way, or None.
    """

    def __init__(self, hook: DatabricksHook, run_id: int, ask: Callable[[Watched], None]) -> None:
        self.hook, self.run_id = hook, run_id
        self.run: Run | None = None
        self.due = math.inf
        self.sent_at = 0.0
        self.place = (0, next(_numbers))
        self.is_alone = self.is_long = False
        self.read_by: object = None
        self._read_at = 0.0
        self._ask = ask
        self._answer: asyncio.Future[Run] | None = None

    async def read(self, due: float) -> Run:
        """The run as it is at a moment, or a little before where that costs no request.

        Args:
            due: The moment, by the clock's `monotonic`.

        Raises:
            DatabricksError: It could not be read.
        """
        self.due, self._answer = due, asyncio.get_running_loop().create_future()
        self._ask(self)
        try:
            return await self._answer
        finally:
            self.due, self._answer = math.inf, None

    def is_due(self, now: float) -> bool:
        """Whether it is to be read by now."""
        return self.due <= now

    @property
    def is_listable(self) -> bool:
        """Whether it may be read with a list now."""
        return self.read_by is None and not (self.is_alone or self.is_long)

    def worth(self, now: float) -> float:
        """How much of a request is saved by having it read now: the share of its pause that is over."""
        if self.due <= now:
            return 1.0
        return max(0.0, (now - self._read_at) / (self.due - self._read_at))

    def give(self, run: Run, now: float) -> None:
        """Answer who waits."""
        self.run, self._read_at, self.due, self.read_by, self.is_alone = run, now, math.inf, None, False
        if self._answer and not self._answer.done():
            self._answer.set_result(run)

    def fail(self, error: Exception) -> None:
        """Answer who waits that it could not be read."""
        self.due, self.is_alone = math.inf, False
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)
