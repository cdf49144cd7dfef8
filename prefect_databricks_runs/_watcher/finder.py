"""Find work for a watcher: suspended flow runs, and the runs of flow runs that ended without a process."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import UUID

from .._runtime import Newest
from .._start.pause_key import PauseKey, UnreadableKey, read_key
from .._text import name
from .blocks import Blocks
from .said import Said
from .scan import ended_flow_runs, key_at_the_end, shown_runs
from .suspended_run import SuspendedRun

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

# Flow runs that were cancelled longer ago while no watcher was there are left to `orphans`.
_LOOK_BACK = timedelta(days=7)
# The clocks of this machine and of the server may differ, and an end may be written late.
_OVERLAP = timedelta(hours=1)


class _Handled(Newest[tuple[UUID, UUID]]):
    """Flow runs, each with its last state, that were looked at."""

    most = 10_000


class Finder:
    """Finds them.

    Args:
        client: Prefect's.
        blocks: The credentials.
        said: Where the watcher says what it leaves alone.
    """

    def __init__(self, client: PrefectClient, blocks: Blocks, said: Said) -> None:
        self._client, self._blocks, self._said = client, blocks, said
        self._left_alone: dict[tuple[UUID, UUID], str] = {}
        self._handled = _Handled()
        self._since = datetime.now(timezone.utc) - _LOOK_BACK

    @property
    def left_alone(self) -> list[str]:
        """The suspended flow runs that this watcher can do nothing for, and why."""
        return list(self._left_alone.values())

    async def new(self, found: Iterable[FlowRun], known: Collection[tuple[UUID, UUID]]) -> list[SuspendedRun]:
        """Return those of the flow runs that are to be watched, and are not yet.

        Args:
            found: All that are suspended now.
            known: The flow runs that are watched, each with its state.
        """
        mine: list[tuple[FlowRun, PauseKey]] = []
        all_of_them: set[tuple[UUID, UUID]] = set()
        for flow_run in found:
            if flow_run.state is None:
                continue
            which = (flow_run.id, flow_run.state.id)
            all_of_them.add(which)
            if which not in known:
                try:
                    key = read_key(flow_run.state.state_details.pause_key)
                except UnreadableKey as error:
                    self._leave_alone(which, flow_run, f"its pause key cannot be read: {error}")
                    continue
                if key and self._blocks.watches(key):
                    mine.append((flow_run, key))
        self._left_alone = {which: why for which, why in self._left_alone.items() if which in all_of_them}
        shown = await shown_runs(self._client, [flow_run.id for flow_run, _ in mine])
        return [
            suspended
            for flow_run, key in mine
            if (suspended := await self._suspended(flow_run, key, shown[flow_run.id]))
        ]

    async def ended(self) -> list[SuspendedRun]:
        """Return the flow runs that have ended without a process since this was asked last, or in the last week."""
        began = datetime.now(timezone.utc)
        found: list[SuspendedRun] = []
        async for flow_run in ended_flow_runs(self._client, self._since):
            which = (flow_run.id, flow_run.state.id if flow_run.state else flow_run.id)
            if which in self._handled:
                continue
            key = await key_at_the_end(self._client, flow_run.id)
            if key and self._blocks.watches(key) and (credentials := await self._blocks.of(self._client, key)):
                with self._said.guarded(f"beginning with flow run {flow_run.id}"):
                    found.append(SuspendedRun(flow_run, key, credentials, ()))
            self._handled.add(which)
        self._since = began - _OVERLAP
        return found

    async def _suspended(
        self, flow_run: FlowRun, key: PauseKey, shown: Collection[tuple[str, int]]
    ) -> SuspendedRun | None:
        which = (flow_run.id, flow_run.state.id if flow_run.state else flow_run.id)
        credentials = await self._blocks.of(self._client, key)
        if credentials is None:
            self._leave_alone(which, flow_run, f"no saved block {key.block_id} signs in to its workspace")
            return None
        self._left_alone.pop(which, None)
        suspended: SuspendedRun | None = None
        with self._said.guarded(f"beginning with flow run {flow_run.id}"):  # and not with the others
            suspended = SuspendedRun(flow_run, key, credentials, shown)
        if suspended and suspended.not_shown:
            listed = ", ".join(map(str, suspended.not_shown[:5]))
            self._said.line(
                f"Flow run {name(flow_run.name)} ({flow_run.id}) has not shown Databricks run {listed} before it was"
                " suspended for it: the run is neither drawn nor cancelled."
            )
        return suspended

    def _leave_alone(self, which: tuple[UUID, UUID], flow_run: FlowRun, why: str) -> None:
        if which not in self._left_alone:
            self._left_alone[which] = f"Flow run {name(flow_run.name)} ({flow_run.id}): {why}"
            self._said.error(f"Left alone: {self._left_alone[which]}.")
