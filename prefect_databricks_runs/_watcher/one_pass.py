"""One pass of a watcher, for a schedule: everything is read once, and what has finished is resumed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import anyio

from .._clock import Clock
from ..errors import DatabricksError
from .blocks import Blocks
from .cancelling import Cancelling
from .finder import Finder
from .page import Facts, Page
from .resumer import Resumer
from .said import Said
from .scan import end_of, suspended_flow_runs
from .suspended_run import SuspendedRun

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_AT_ONCE = 8
_TOLD_SECONDS = 10.0
# At ten requests a second, for as many runs as one pass may have to read.
_PASS_SECONDS = 3600.0


class OnePass:
    """One pass.

    Args:
        client: Prefect's.
        blocks: The credentials.
        page: The page, which each pass updates; None where no pass is to follow.
        said: Where it says what it does.
        clock: The time.
        every_seconds: When the next pass comes; None for never.
    """

    def __init__(
        self,
        client: PrefectClient,
        blocks: Blocks,
        page: Page | None,
        said: Said,
        *,
        clock: Clock,
        every_seconds: float | None = None,
    ) -> None:
        self._client, self._blocks, self._page, self._said = client, blocks, page, said
        self._finder = Finder(client, blocks, said)
        self._resumer = Resumer(clock, said.line)
        self._every_seconds = every_seconds
        self._resumed = 0

    async def run(self) -> None:
        """Do it."""
        facts = Facts(datetime.now(timezone.utc))
        with self._said.asked("reading what is suspended", _PASS_SECONDS):
            found = await self._finder.new(await suspended_flow_runs(self._client), ())
            limiter = anyio.CapacityLimiter(_AT_ONCE)
            async with anyio.create_task_group() as together:
                for suspended in found:
                    together.start_soon(self._look, suspended, limiter)
            for suspended in await self._finder.ended():
                with self._said.guarded(f"cancelling the runs of flow run {suspended.flow_run.id}"):
                    await self._cancel(suspended, end_of(suspended.flow_run))
            facts.watched = [each for each in found if not each.is_resumed]
            facts.scanned_at = datetime.now(timezone.utc)
            self._said.line(f"{len(found)} flow runs were suspended, and {self._resumed} of them are resumed.")
        if self._page and self._every_seconds:
            with self._said.asked("updating the page of this watcher"):
                facts.hosts, facts.error = self._blocks.hosts, self._said.last_error
                facts.left_alone = self._finder.left_alone
                due = datetime.now(timezone.utc) + timedelta(seconds=self._every_seconds)
                facts.next_pass = f"{due:%Y-%m-%d %H:%M:%S} UTC"
                await self._page.find(self._client)
                await self._page.show(self._client, facts, self._blocks.ids)

    @property
    def left_alone(self) -> int:
        """The number of suspended flow runs it could do nothing for."""
        return len(self._finder.left_alone)

    async def _look(self, suspended: SuspendedRun, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            with self._said.guarded(f"looking at the runs of flow run {suspended.flow_run.id}"):
                await self._look_at(suspended)

    async def _look_at(self, suspended: SuspendedRun) -> None:
        try:
            wakes = await suspended.look_once()
        except DatabricksError as error:
            self._said.error(f"The runs of flow run {suspended.flow_run.id} could not be read. {error}")
            return
        await suspended.told(_TOLD_SECONDS)
        if wakes:
            with self._said.asked(f"resuming flow run {suspended.flow_run.id}"):
                await self._resume(suspended)

    async def _resume(self, suspended: SuspendedRun) -> None:
        if await self._resumer.is_given_up(self._client, suspended):
            await self._cancel(suspended, "ended")
            return
        refusal = await self._resumer.try_to_resume(self._client, suspended)
        self._resumed += suspended.is_resumed
        if refusal:
            self._said.error(f"Prefect does not resume flow run {suspended.flow_run.id}: {refusal}")

    async def _cancel(self, suspended: SuspendedRun, because: str) -> None:
        if not await Cancelling(self._client, suspended, because, self._said.line).once():
            self._said.error(f"The runs of flow run {suspended.flow_run.id} are not all cancelled.")
