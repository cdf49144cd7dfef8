"""The watcher's loop: what is suspended is read again and again, and each suspended flow run has a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import UUID

import anyio
import anyio.abc

from .._clock import Clock
from .._prefect.paging import PAGE
from .._start.pause_key import PauseKey
from .blocks import Blocks
from .cancelling import Cancelling
from .finder import Finder
from .page import Facts, Page
from .resumer import Resumer
from .said import Said
from .scan import BAD_ENDS, end_of, flow_runs_of, has_ended, is_suspended_as, key_at_the_end, suspended_flow_runs
from .suspended_run import SuspendedRun

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

_SHORTEST_PERIOD = 5.0
# So that there are 24 requests a minute for the scan, however many pages it has.
_PERIOD_A_PAGE = 2.5
_SWEEP_SECONDS, _PAGE_SECONDS = 60.0, 30.0
_LONGEST_SWEEP = 3600.0


@dataclass
class _Watched:
    """A suspended flow run with its task."""

    suspended: SuspendedRun
    state_id: UUID
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Watcher:
    """Watches until it is stopped.

    Args:
        client: Prefect's.
        blocks: The credentials.
        page: The watcher's page.
        said: Where it says what it does.
        clock: The time.
    """

    def __init__(self, client: PrefectClient, blocks: Blocks, page: Page, said: Said, clock: Clock) -> None:
        self._client, self._blocks, self._page, self._said, self._clock = client, blocks, page, said, clock
        self._finder = Finder(client, blocks, said)
        self._resumer = Resumer(clock, said.line)
        self._watched: dict[UUID, _Watched] = {}
        self._facts = Facts(datetime.now(timezone.utc))
        self._pages_of_scan = 1
        self._shown_at = float("-inf")
        self._cancelling: set[tuple[UUID, PauseKey]] = set()

    async def run(self) -> None:
        """Watch forever."""
        async with anyio.create_task_group() as tasks:
            is_sweeping = False
            while True:
                with self._said.asked("reading what is suspended"):
                    await self._scan(tasks)
                    # After a scan: what ends from here on is missed by the next one. The first sweep reads a week,
                    # which takes long on a large server.
                    if not is_sweeping:
                        is_sweeping = True
                        tasks.start_soon(self._sweep, tasks)
                with self._said.asked("updating the page of this watcher"):
                    await self._show_page()
                await self._clock.sleep(max(_SHORTEST_PERIOD, _PERIOD_A_PAGE * self._pages_of_scan))

    async def _scan(self, tasks: anyio.abc.TaskGroup) -> None:
        found = await suspended_flow_runs(self._client)
        self._pages_of_scan = len(found) // PAGE + 1
        now = {(each.id, each.state.id) for each in found if each.state}
        known = {(flow_run_id, each.state_id) for flow_run_id, each in self._watched.items()}
        new = await self._finder.new(found, known)
        await self._settle(
            tasks, [flow_run_id for flow_run_id, state_id in known if (flow_run_id, state_id) not in now]
        )
        for suspended in new:
            self._start(tasks, suspended)
        self._facts.scanned_at = datetime.now(timezone.utc)

    def _start(self, tasks: anyio.abc.TaskGroup, suspended: SuspendedRun) -> None:
        if suspended.flow_run.state is None:
            return
        watched = _Watched(suspended, suspended.flow_run.state.id)
        before = self._watched.pop(suspended.flow_run.id, None)  # resumed, and suspended again
        if before:
            before.scope.cancel()
        self._watched[suspended.flow_run.id] = watched
        tasks.start_soon(self._watch, watched, tasks)

    async def _watch(self, watched: _Watched, tasks: anyio.abc.TaskGroup) -> None:
        with watched.scope:
            with self._said.guarded(f"watching flow run {watched.suspended.flow_run.id}"):
                await watched.suspended.until_it_wakes()
                if not await self._resumer.resume(self._client, watched.suspended):
                    self._cancel(tasks, watched.suspended, "ended")
                return
            # A fault of ours: the next scan begins with it again.
            if self._watched.get(watched.suspended.flow_run.id) is watched:
                del self._watched[watched.suspended.flow_run.id]

    async def _settle(self, tasks: anyio.abc.TaskGroup, gone: Sequence[UUID]) -> None:
        """Find out what became of flow runs that are not suspended any more."""
        before = {each: self._watched[each] for each in gone if each in self._watched}
        unknown = [each for each, watched in before.items() if not watched.suspended.is_resumed]
        now = await flow_runs_of(self._client, unknown)
        missing = [each for each in unknown if each not in now]
        another_database = bool(missing) and not await self._page.is_kept(self._client)
        if another_database:
            self._said.error(
                f"Prefect knows neither this watcher nor {len(missing)} of the flow runs that were suspended, so it has"
                " another database: their Databricks runs are not cancelled."
            )
        for flow_run_id, watched in before.items():
            flow_run = now.get(flow_run_id)
            if is_suspended_as(flow_run, watched.state_id):
                continue  # left out of a page
            because = "" if flow_run_id not in unknown else await self._end_of(flow_run, flow_run_id, another_database)
            watched.scope.cancel()
            self._watched.pop(flow_run_id, None)  # a fault may have ended it in the meantime
            if because:
                self._cancel(tasks, watched.suspended, because)

    async def _end_of(self, flow_run: FlowRun | None, flow_run_id: UUID, another_database: bool) -> str:
        """Return how a flow run has ended while it had no process; empty where it has not."""
        if flow_run is None:
            return "" if another_database else "deleted"
        if has_ended(flow_run, BAD_ENDS) and await key_at_the_end(self._client, flow_run_id):
            return end_of(flow_run)
        return ""

    async def _sweep(self, tasks: anyio.abc.TaskGroup) -> None:
        """Cancel the runs of flow runs that ended while no watcher was running, or between two scans."""
        while True:
            with self._said.asked("reading which flow runs have ended", _LONGEST_SWEEP):
                for suspended in await self._finder.ended():
                    self._cancel(tasks, suspended, end_of(suspended.flow_run))
            await self._clock.sleep(_SWEEP_SECONDS)

    def _cancel(self, tasks: anyio.abc.TaskGroup, suspended: SuspendedRun, because: str) -> None:
        """Cancel the runs of a flow run, once: a scan and a sweep may both find it."""
        which = (suspended.flow_run.id, suspended.key)
        if which not in self._cancelling:
            self._cancelling.add(which)
            tasks.start_soon(self._until_cancelled, suspended, because)

    async def _until_cancelled(self, suspended: SuspendedRun, because: str) -> None:
        with self._said.guarded(f"cancelling the runs of flow run {suspended.flow_run.id}"):
            await Cancelling(self._client, suspended, because, self._said.line).until_done()
        self._cancelling.discard((suspended.flow_run.id, suspended.key))

    async def _show_page(self) -> None:
        if self._clock.monotonic() - self._shown_at < _PAGE_SECONDS:
            return
        facts = self._facts
        facts.hosts, facts.error = self._blocks.hosts, self._said.last_error
        facts.watched = [each.suspended for each in self._watched.values()]
        facts.left_alone = self._finder.left_alone
        await self._page.show(self._client, facts, self._blocks.ids)
        self._shown_at = self._clock.monotonic()
