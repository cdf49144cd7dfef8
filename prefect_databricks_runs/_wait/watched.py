"""The waits for runs from the point of view of the reader: each one, and all in the order in which the runs started."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from itertools import count

from ..hook import RUNS_A_PAGE, DatabricksHook
from ..runs import Run

_numbers = count()


class Watched:
    """One wait for one run.

    Args:
        hook: The hook to read it with.
        run_id: The job run.
        ask: Called to have it read when it is due.

    Attributes:
        run: The run as it was read last; None before.
        due: When to read it next, by the clock's `monotonic`; infinite while no reading is requested.
        sent_at: When the last request for it was sent.
        place: When the run started, in milliseconds UTC, and a unique number: runs that started one after the other are
            on the same page of a list.
        is_alone: Whether to read it with `runs/get` this time, because a list did not have it.
        is_long: Whether it has more tasks than a list returns.
        read_by: The active request for it, or None.
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
        """Return the run as it is at a moment, or a little earlier if that saves a request.

        Args:
            due: The moment, by the clock's `monotonic`.

        Raises:
            DatabricksError: The run could not be read.
        """
        self.due, self._answer = due, asyncio.get_running_loop().create_future()
        self._ask(self)
        try:
            return await self._answer
        finally:
            self.due, self._answer = math.inf, None

    def is_due(self, now: float) -> bool:
        """Return whether the run is due."""
        return self.due <= now

    @property
    def is_listable(self) -> bool:
        """Whether the run may be read with a list now."""
        return self.read_by is None and not (self.is_alone or self.is_long)

    def worth(self, now: float) -> float:
        """Return how much of a request reading it now saves: the share of its pause that has passed."""
        if self.due <= now:
            return 1.0
        return max(0.0, (now - self._read_at) / (self.due - self._read_at))

    def give(self, run: Run, now: float) -> None:
        """Return the run to the wait."""
        self.run, self._read_at, self.due, self.read_by, self.is_alone = run, now, math.inf, None, False
        if self._answer and not self._answer.done():
            self._answer.set_result(run)

    def fail(self, error: Exception) -> None:
        """Raise the error in the wait: the run could not be read."""
        self.due, self.read_by, self.is_alone = math.inf, None, False
        if self._answer and not self._answer.done():
            self._answer.set_exception(error)

    def begin(self, request: object, now: float) -> None:
        """Record that a request for the run is active."""
        self.read_by, self.sent_at = request, now

    def ask_again(self) -> None:
        """Have the run read when it is due, because the last request did not return it."""
        self.read_by = None
        if self.due < math.inf:
            self._ask(self)

    def read_alone(self) -> None:
        """Have the run read with `runs/get` next time, because a list did not have it."""
        self.is_alone = True

    def never_list(self) -> None:
        """Have the run read with `runs/get` each time, because a list does not have all of it."""
        self.is_long = True


class WatchedRuns:
    """All waits for runs of one workspace."""

    def __init__(self) -> None:
        self._all: dict[int, list[Watched]] = {}
        # Sorted by their starts: neighbors are on the same page of a list.
        self._known: list[tuple[tuple[int, int], Watched]] = []
        self._new: dict[Watched, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Watched]:
        return (each for of_one_run in self._all.values() for each in of_one_run)

    def __contains__(self, run_id: object) -> bool:
        """Return whether there is a wait for a run."""
        return run_id in self._all

    def of(self, run_id: int) -> tuple[Watched, ...]:
        """Return the waits for one run."""
        return tuple(self._all.get(run_id, ()))

    def add(self, watched: Watched) -> None:
        """Add a wait whose run has not been read yet."""
        self._all.setdefault(watched.run_id, []).append(watched)
        self._new[watched] = None

    def remove(self, watched: Watched) -> None:
        """Forget a wait."""
        of_this_run = self._all[watched.run_id]
        of_this_run.remove(watched)
        if not of_this_run:
            del self._all[watched.run_id]
        self._new.pop(watched, None)
        if watched.run:
            del self._known[self._index(watched)]
        watched.due = math.inf

    def learned(self, watched: Watched, run: Run, now: float) -> None:
        """Return the run to the wait, and record its place among the others."""
        if watched.run:
            del self._known[self._index(watched)]
        watched.give(run, now)
        self._new.pop(watched, None)
        watched.place = (run.start_time, watched.place[1])
        insort(self._known, (watched.place, watched), key=lambda entry: entry[0])

    def page_of(self, first: Watched, now: float) -> list[Watched]:
        """Return the waits whose runs may be on the same page of a list as `first`, which is one of them."""
        if first.is_alone or first.is_long:
            return [first]
        if first.run is None:
            return [each for each in self._new if each.is_due(now) and each.is_listable]
        # A list runs back in time. Starting at `first` itself is certain to return it; start later if that covers more
        # due runs.
        index = self._index(first)
        back, forth = self._known[max(0, index + 1 - RUNS_A_PAGE) : index + 1], self._known[index : index + RUNS_A_PAGE]
        pages = [[each for _, each in page if each.is_listable] for page in (back, forth)]
        return max(pages, key=lambda page: sum(each.is_due(now) for each in page))

    def _index(self, watched: Watched) -> int:
        return bisect_left(self._known, watched.place, key=lambda each: each[0])
