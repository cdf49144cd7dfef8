"""Run `prefect-databricks-runs watch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
import httpx
from prefect.client.orchestration import get_client

from .._clock import Clock, SystemClock
from .._prefect.urls import no_answer_of_prefect
from .._suspend.watcher_pages import SEEN_SECONDS
from ..errors import DatabricksError
from .blocks import Blocks
from .one_pass import OnePass
from .page import Page, remove_old_pages
from .said import Said
from .watcher import Watcher

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_STOP_SECONDS = 4.0
_PAUSE, _LONGEST_PAUSE = 2.0, 30.0
_WRONG = (401, 403, 404, 422)


class PrefectUnreachable(DatabricksError):
    """Prefect could not be asked for a single pass, or refuses this client; the message says what to check."""


@dataclass(frozen=True)
class Wanted:
    """The options of the command.

    Attributes:
        blocks: Names of saved blocks; all saved ones if there are none.
        once: Whether to end after one pass.
        every_seconds: How often such a pass is made; None where flow runs are not to count on it.
    """

    blocks: Sequence[str] = ()
    once: bool = False
    every_seconds: float | None = None


async def watch(wanted: Wanted, say: Callable[[str], None]) -> int:
    """Watch the Databricks runs of suspended flow runs, and resume these.

    Args:
        wanted: What is asked for.
        say: Prints a line.

    Returns:
        After one pass: 0 if all is well, 1 if a suspended flow run was left alone, 2 if something could not be asked.

    Raises:
        InvalidCredentials: A named block does not exist.
        PrefectUnreachable: Prefect could not be asked for a single pass, or refuses this client.
    """
    said, clock = Said(say), SystemClock()
    blocks = Blocks(wanted.blocks, clock)
    try:
        async with get_client() as client:
            await (blocks.read(client) if wanted.once else _read_in_time(blocks, client, said, clock))
            said.line(f"Watching with {_in_words(wanted.blocks)}: {', '.join(blocks.hosts) or 'no workspace yet'}.")
            if wanted.once:
                page_of_passes = _page_of_passes(wanted)
                every = wanted.every_seconds
                one_pass = OnePass(client, blocks, page_of_passes, said, clock=clock, every_seconds=every)
                return await _once(one_pass, said)
            page = Page(uuid4().hex[:12], SEEN_SECONDS)
            with said.asked("removing the pages of watchers that were killed"):
                await remove_old_pages(client)
            try:
                await Watcher(client, blocks, page, said, clock).run()
            finally:
                with anyio.move_on_after(_STOP_SECONDS, shield=True), suppress(Exception):
                    await page.remove(client)
    except httpx.HTTPError as error:
        raise PrefectUnreachable(no_answer_of_prefect(error)) from None
    return 0


async def _read_in_time(blocks: Blocks, client: PrefectClient, said: Said, clock: Clock) -> None:
    """Read the blocks, however long Prefect is away: a watcher and its server may start at the same time.

    Raises:
        InvalidCredentials: A named block does not exist.
        httpx.HTTPStatusError: Prefect answers that it will not: the address or the key is wrong.
    """
    pause, is_said = _PAUSE, False
    while True:
        try:
            await blocks.read(client)
            return
        except httpx.HTTPError as error:
            if isinstance(error, httpx.HTTPStatusError) and error.response.status_code in _WRONG:
                raise
            if not is_said:
                is_said = True
                said.error(f"{no_answer_of_prefect(error)} Trying again until it answers.")
        await clock.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _once(one_pass: OnePass, said: Said) -> int:
    await one_pass.run()
    left_alone = one_pass.left_alone
    if said.errors > left_alone:
        return 2
    return 1 if left_alone else 0


def _page_of_passes(wanted: Wanted) -> Page | None:
    """Return the page that all passes with the same options share."""
    if wanted.every_seconds is None:
        return None
    options = " ".join([f"{wanted.every_seconds:g}", *sorted(wanted.blocks)])
    return Page(f"once-{sha256(options.encode()).hexdigest()[:12]}", 2 * wanted.every_seconds)


def _in_words(blocks: Sequence[str]) -> str:
    return f"the saved block{'s' if len(blocks) > 1 else ''} {', '.join(blocks)}" if blocks else "all saved blocks"
