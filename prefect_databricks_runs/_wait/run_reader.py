"""Reading the runs of one workspace for all waits in this process: many with one request where that costs less.

One run is read with `runs/get`. Runs that started one after the other are on the same page of `runs/list`, which has
25, so the due runs are read together, along with runs of the same page that are due later; these then need no request
for themselves. What a list does not have (a run that is not in it, or all of a run of more than 100 tasks) is read with
`runs/get`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from heapq import heappop, heappush
from itertools import count
from typing import Any

from .._clock import Clock
from .._runtime import of_loop
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError
from ..hook import DatabricksHook
from ..runs import Run
from .run_lists import ListCosts, Page, Way, run_list
from .watched import Watched, WatchedRuns

_AT_ONCE = 10
_numbers = count()


class RunReader:
    """Decide when each run is read, and with which request; used in one event loop.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._costs = ListCosts(clock)
        self._all = WatchedRuns()
        self._asked: list[tuple[float, int, Watched]] = []
        self._changed = asyncio.Event()
        self._scheduler: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether there is no wait for any run."""
        return not self._all

    @contextmanager
    def watching(self, hook: DatabricksHook, run_id: int) -> Iterator[Watched]:
        """Make it possible to read a run inside this context.

        Args:
            hook: The hook to read it with; each request is tried once.
            run_id: The job run.
        """
        watched = Watched(hook, run_id, self.ask)
        self._all.add(watched)
        try:
            yield watched
        finally:
            self._forget(watched)

    def ask(self, watched: Watched) -> None:
        """Schedule the next reading of a run for when it is due."""
        heappush(self._asked, (watched.due, next(_numbers), watched))
        self._changed.set()
        if self._scheduler is None:
            self._scheduler = asyncio.get_running_loop().create_task(self._schedule())
            self._scheduler.add_done_callback(self._stopped)

    def _forget(self, watched: Watched) -> None:
        self._all.remove(watched)
        if self.is_idle:
            for task in [*self._under_way, *([self._scheduler] if self._scheduler else [])]:
                task.cancel()
            self._scheduler = None
            self._asked.clear()

    async def _schedule(self) -> None:
        while True:
            self._changed.clear()
            now, first = self._clock.monotonic(), self._first()
            if first is None or len(self._under_way) >= _AT_ONCE:
                await self._changed.wait()
            elif not first.is_due(now):
                await self._sleep(first.due - now)
            else:
                # Choose the request when it can be sent: some runs may have been read by then.
                await first.hook.until_free("runs/list", "runs/get")
                longest = self._first()
                if longest and longest.is_due(self._clock.monotonic()):
                    self._start(longest, self._all.page_of(longest, self._clock.monotonic()))

    def _stopped(self, scheduler: asyncio.Task[None]) -> None:
        """Fail all waits if the scheduler has stopped because of a bug, so that none waits forever."""
        if scheduler is self._scheduler:
            self._scheduler = None
        error = None if scheduler.cancelled() else scheduler.exception()
        if isinstance(error, Exception):
            for each in list(self._all):
                each.fail(error)

    def _first(self) -> Watched | None:
        """Return the run that has been due for the longest, and is not being read."""
        while self._asked:
            due, _, watched = self._asked[0]
            if watched.due == due and watched.read_by is None:
                return watched
            heappop(self._asked)
        return None

    async def _sleep(self, seconds: float) -> None:
        """Sleep for `seconds`, or until something has changed."""
        waits = [asyncio.ensure_future(wait) for wait in (self._changed.wait(), self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _start(self, first: Watched, together: list[Watched]) -> None:
        now = self._clock.monotonic()
        worth = sum(each.worth(now) for each in together)
        starts = [each.place[0] for each in together if each.is_due(now)]
        way = self._costs.best(worth, max(starts) - min(starts), is_new=first.run is None)
        if len(together) < 2 or way is None:  # noqa: PLR2004 - a list is for two or more
            together = [each for each in self._all.of(first.run_id) if each.read_by is None]
            reading = self._get(first)
        else:
            reading = self._list(way, together)
        task = asyncio.get_running_loop().create_task(reading)
        for each in together:
            each.begin(task, now)
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._done(done, together))

    def _done(self, task: asyncio.Task[None], together: list[Watched]) -> None:
        self._under_way.discard(task)
        self._changed.set()
        error = None if task.cancelled() else task.exception()
        for each in together:
            if each.read_by is not task:
                continue  # it was read
            if isinstance(error, Exception) and each.is_due(self._clock.monotonic()):
                each.fail(error)
            else:
                each.ask_again()

    async def _get(self, watched: Watched) -> None:
        run = await watched.hook.get_run(watched.run_id)
        self._learn(watched.run_id, watched.hook, run.raw, run)

    async def _list(self, way: Way, together: list[Watched]) -> None:
        """Read them with a list; due runs that are not in the list are read one by one next."""
        due = [each for each in together if each.is_due(self._clock.monotonic())]
        if not due:
            return
        hook = due[0].hook
        newest = max((each.place[0] for each in due if each.run), default=None)
        started = {each.run_id: each.place[0] for each in due}
        pages: list[Page] = []
        try:
            async with aclosing(run_list(hook, way, newest, self._all, started)) as listed:
                async for page in listed:
                    pages.append(page)
                    for entry in page.found:
                        with suppress(DatabricksError):  # an entry with faults counts as missing: read with `runs/get`
                            self._learn_listed(hook, entry)
        except DatabricksError as error:
            # Reading each run will show whether only the list fails, or everything.
            self._costs.failed(is_for_good=not hook.may_pass(error))
        left = [each for each in due if each.read_by is asyncio.current_task()]
        for each in left:
            each.read_alone()
        if pages:
            missing = sum(each.place[0] > pages[-1].oldest for each in left)
            self._costs.learned(way, pages, missing / len(due))

    def _learn_listed(self, hook: DatabricksHook, entry: Mapping[str, Any]) -> None:
        run_id = entry["run_id"]
        if entry.get("has_more"):
            for each in self._all.of(run_id):
                each.never_list()
        else:
            self._learn(run_id, hook, entry)

    def _learn(self, run_id: int, hook: DatabricksHook, raw: Mapping[str, Any], run: Run | None = None) -> None:
        """Answer the waits for a run, which most often has not changed."""
        for each in self._all.of(run_id):
            if each.run and each.run.raw == raw:
                each.give(each.run, self._clock.monotonic())
            else:
                run = run or hook.read_listed(raw)
                self._all.learned(each, run, self._clock.monotonic())


class _Readers:
    """The readers of an event loop, by the workspace and the way to sign in."""

    def __init__(self) -> None:
        self._readers: dict[Any, RunReader] = {}

    def of(self, key: Any, clock: Clock) -> RunReader:
        """Return the reader for a key, and forget idle ones."""
        for other in [other for other, reader in self._readers.items() if reader.is_idle and other != key]:
            del self._readers[other]
        return self._readers.setdefault(key, RunReader(clock))


def reader_for(credentials: DatabricksCredentials, clock: Clock) -> RunReader:
    """Return the reader that all waits of this event loop for runs of one workspace with the same credentials share.

    Args:
        credentials: The workspace, and how to sign in.
        clock: The clock.
    """
    # The saved block is part of the key: a wait with a saved block continues with its new token when the old one ends;
    # a wait without a block cannot.
    key = (credentials.host, credentials.get_auth(), credentials._block_document_id)
    return of_loop(_Readers).of(key, clock)
