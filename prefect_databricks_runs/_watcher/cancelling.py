"""Cancelling the Databricks runs of a flow run that has ended, or was deleted, while it had no process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from prefect.exceptions import ObjectNotFound

from .._leave.leaving import cancel_all
from .._report.traces import Trace, finish_trace, traces_of
from .._start.marker import marked_flow_run
from .._wait.doors import see_ends
from ..errors import DatabricksError, NotFound
from ..runs import Run
from .suspended_run import SuspendedRun

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_PAUSE, _LONGEST_PAUSE = 5.0, 60.0


class Cancelling:
    """Cancels the runs of one flow run, if a trace of the flow run, or the run itself, says that they are its own.

    Args:
        client: Prefect's.
        suspended: The flow run as it was when it was suspended.
        because: What became of it.
        say: Where the watcher says what it does.
    """

    def __init__(
        self, client: PrefectClient, suspended: SuspendedRun, because: str, say: Callable[[str], None]
    ) -> None:
        self._client, self._suspended, self._because, self._say_always = client, suspended, because, say
        self._said: set[str] = set()
        self._left = set(suspended.key.all_run_ids)

    async def until_done(self) -> None:
        """Cancel them, however long Databricks or Prefect cannot be asked."""
        pause = _PAUSE
        while not await self.once():
            await self._suspended.call.hook.clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def once(self) -> bool:
        """Cancel them; return whether that is done."""
        try:
            traces = await self._traces()
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            self._say(f"Could not ask Prefect for the Databricks runs of flow run {self._id}: {error!r}")
            return False
        call = self._suspended.call
        active = await self._active({each.run_id for each in traces})
        because = f"the suspended flow run is {self._because}"
        taken = await cancel_all(call.hook, active, call.logger, because) if active else []
        if taken:
            named = ", ".join(map(str, sorted(taken)))
            self._say(f"Cancelled Databricks run {named}: flow run {self._id} is {self._because}.")
        self._left -= set(taken)
        if taken:
            await see_ends(call, taken, self._shown)
            await self._finish([each for each in traces if each.run_id in taken])
        return not self._left

    def _say(self, text: str) -> None:
        """Say something, once: a run that may not be read is asked for again and again."""
        if text not in self._said:
            self._said.add(text)
            self._say_always(text)

    @property
    def _id(self) -> object:
        return self._suspended.flow_run.id

    async def _traces(self) -> list[Trace]:
        found = await traces_of(self._client, self._suspended.flow_run.id)
        return [each for each in found if each.host == self._suspended.key.host]

    async def _active(self, traced: Collection[int]) -> list[int]:
        """Return its own active runs; a run that cannot be read is left for later."""
        active: list[int] = []
        own = self._suspended.shown | set(traced)
        for run_id in sorted(self._left):
            try:
                run = await self._suspended.call.hook.get_run(run_id)
            except NotFound:
                self._left.discard(run_id)
                continue
            except DatabricksError as error:
                self._say(f"Could not read Databricks run {run_id} of flow run {self._id}, to cancel it. {error}")
                continue
            is_own = run_id in own or marked_flow_run(run) == self._suspended.flow_run.id
            if is_own and not run.state.is_terminal:
                active.append(run_id)
            else:
                self._left.discard(run_id)
        return active

    async def _shown(self, run: Run) -> None:
        await self._suspended.show(run)

    async def _finish(self, traces: Collection[Trace]) -> None:
        """Put right what the flow run shows of its runs, if it is still there."""
        await self._suspended.told(10.0)
        for trace in traces:
            with suppress(httpx.HTTPError, TimeoutError, OSError, DatabricksError, ObjectNotFound):
                await finish_trace(self._client, trace, await self._suspended.call.hook.get_run(trace.run_id))
