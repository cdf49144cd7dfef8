"""Resuming flow runs, a few at once: a Prefect 3 server on SQLite answers 503 to many.

Prefect's client then waits for seconds before it asks again. Resumed one at a time, all the others would wait as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
import httpx
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from .._clock import Clock
from .._text import name, one_line
from .suspended_run import SuspendedRun

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
_SECONDS = 60.0
_AT_ONCE = 5
_NOT_PAUSED = "not paused"
# A deployment that was there is there for so long.
_KNOWN_SECONDS = 10.0


class Resumer:
    """Resumes flow runs.

    Args:
        clock: The time.
        say: Where the watcher says what it does.
    """

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock, self._say = clock, say
        self._a_few = anyio.CapacityLimiter(_AT_ONCE)
        self._deployments: dict[object, float] = {}

    async def resume(self, client: PrefectClient, suspended: SuspendedRun) -> bool:
        """Resume a flow run, however long Prefect cannot be asked.

        Args:
            client: Prefect's.
            suspended: The flow run.

        Returns:
            Whether that is done, by whomever; if not, it can never be, and the flow run has been ended.
        """
        pause = _PAUSE
        while True:
            try:
                if await self.is_given_up(client, suspended):
                    return False
                refusal = await self.try_to_resume(client, suspended)
            except (httpx.HTTPError, TimeoutError, OSError) as error:
                self._say(f"Could not resume {_named(suspended)}: {error!r}")
            else:
                if refusal is None:
                    return True
                self._say(f"Prefect does not resume {_named(suspended)}: {one_line(refusal)}")
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def try_to_resume(self, client: PrefectClient, suspended: SuspendedRun) -> str | None:
        """Ask Prefect once to resume a flow run; return why it refuses.

        Raises:
            httpx.HTTPError: Prefect could not be asked.
            TimeoutError: It did not answer.
        """
        async with self._a_few:
            try:
                with anyio.fail_after(_SECONDS):
                    answer = await client.resume_flow_run(suspended.flow_run.id)
            except ObjectNotFound:  # deleted, which the next scan finds
                return None
        reason = str(getattr(answer.details, "reason", None) or answer.status.value)
        if answer.status is SetStateStatus.ACCEPT:
            suspended.is_resumed = True
            self._say(f"Resumed {_named(suspended)}.")
            return None
        # Resumed by someone else, or cancelled: the next scan finds out.
        return None if _NOT_PAUSED in reason else reason

    async def is_given_up(self, client: PrefectClient, suspended: SuspendedRun) -> bool:
        """End a flow run whose deployment was deleted: Prefect would resume it, and no worker could begin it.

        Returns:
            Whether that is so.

        Raises:
            httpx.HTTPError: Prefect could not be asked.
            TimeoutError: It did not answer.
        """
        async with self._a_few:
            with anyio.fail_after(_SECONDS):
                if await self._has_deployment(client, suspended):
                    return False
                try:
                    flow_run = await client.read_flow_run(suspended.flow_run.id)
                except ObjectNotFound:  # deleted, which the next scan finds
                    return False
                if not (flow_run.state and flow_run.state.is_paused()):
                    return False
                message = "The flow run cannot be resumed, because its deployment was deleted."
                await client.set_flow_run_state(flow_run.id, Crashed(message=message), force=True)
        suspended.logger.error("%s", message)
        self._say(f"Ended {_named(suspended)}: its deployment was deleted.")
        return True

    async def _has_deployment(self, client: PrefectClient, suspended: SuspendedRun) -> bool:
        """Whether the deployment is there; that of many flow runs is not asked for each of them."""
        deployment_id = suspended.flow_run.deployment_id
        if deployment_id is None:
            return False
        if self._clock.monotonic() < self._deployments.get(deployment_id, 0.0):
            return True
        self._deployments = {each: at for each, at in self._deployments.items() if at > self._clock.monotonic()}
        try:
            await client.read_deployment(deployment_id)
        except ObjectNotFound:
            return False
        self._deployments[deployment_id] = self._clock.monotonic() + _KNOWN_SECONDS
        return True


def _named(suspended: SuspendedRun) -> str:
    return f"flow run {name(suspended.flow_run.name)} ({suspended.flow_run.id})"
