"""Read saved credentials again while they are in use: some runs take longer than a token is valid."""

from __future__ import annotations

from uuid import UUID
from weakref import WeakValueDictionary

import anyio
import httpx

from .._client.session import Refresh
from .._prefect.logging import Logger
from .._prefect.references import saved_block
from .._runtime import of_loop
from ..credentials import DatabricksCredentials

_READ_SECONDS = 10.0


def refresh_of(credentials: DatabricksCredentials, logger: Logger) -> Refresh | None:
    """Return a function that returns the current way to sign in of a saved block; None if the block was never saved.

    Args:
        credentials: The block as it was loaded or saved.
        logger: The log for a failed read.
    """
    document_id = credentials._block_document_id
    if document_id is None:
        return None
    host = credentials.host
    block: _SavedBlock | None = None

    async def refresh() -> httpx.Auth | None:
        nonlocal block
        block = block or of_loop(_SavedBlocks).of(document_id)
        try:
            saved = await block.read()
        except Exception as error:
            logger.warning("Could not read the saved credentials block again: %r", error)
            return None
        # A run belongs to one workspace: credentials for another workspace are not sent to it.
        return saved.get_auth() if saved.host == host else None

    return refresh


class _SavedBlock:
    """One saved block, read in one event loop.

    When a token expires, all who wait with it ask at once. There is one read at a time: all who asked before it began
    share its result.
    """

    def __init__(self, document_id: UUID) -> None:
        self._reference = {"block_document_id": document_id}
        self._lock = anyio.Lock()
        self._credentials: DatabricksCredentials | None = None
        self._asked = self._asked_before_reading = 0

    async def read(self) -> DatabricksCredentials:
        """Return the block as it is saved now.

        Raises:
            TimeoutError: Prefect's API did not answer in time.
        """
        self._asked += 1
        number = self._asked
        with anyio.fail_after(_READ_SECONDS):
            async with self._lock:
                if self._credentials is None or number > self._asked_before_reading:
                    asked_before, self._credentials = self._asked, None
                    self._credentials = DatabricksCredentials(**(await saved_block(self._reference)).data)
                    self._asked_before_reading = asked_before
                return self._credentials


class _SavedBlocks:
    """The saved blocks that are in use in an event loop."""

    def __init__(self) -> None:
        self._blocks: WeakValueDictionary[UUID, _SavedBlock] = WeakValueDictionary()

    def of(self, document_id: UUID) -> _SavedBlock:
        """Return the shared object for a block."""
        block = self._blocks.get(document_id)
        if block is None:
            block = self._blocks[document_id] = _SavedBlock(document_id)
        return block
