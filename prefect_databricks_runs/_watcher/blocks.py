"""The saved credentials blocks that a watcher watches with, by the id of their document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from .._clock import Clock
from .._connect.saved_blocks import saved_documents
from .._start.pause_key import PauseKey
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError, InvalidCredentials

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

# A block that is not known may have been saved since; that is looked up so often at most.
_READ_AGAIN = 30.0


class Blocks:
    """The saved blocks.

    Args:
        names: Those to watch with; all that are saved if there are none.
        clock: The time.
    """

    def __init__(self, names: Sequence[str], clock: Clock) -> None:
        self._names, self._clock = names, clock
        self._read_at = float("-inf")
        self._ids: frozenset[UUID] | None = None
        self._by_id: dict[UUID, DatabricksCredentials] = {}

    @property
    def ids(self) -> frozenset[UUID] | None:
        """The documents of the named blocks; None where all are watched with."""
        return self._ids

    @property
    def hosts(self) -> list[str]:
        """The workspaces, each once."""
        return sorted({each.host for each in self._by_id.values()})

    async def read(self, client: PrefectClient) -> None:
        """Read them.

        Args:
            client: Prefect's.

        Raises:
            InvalidCredentials: One of the names is not one of a saved block.
        """
        documents = await saved_documents(client)
        self._read_at = self._clock.monotonic()
        if self._names and self._ids is None:
            unknown = sorted(set(self._names) - set(documents))
            if unknown:
                known = ", ".join(sorted(documents)) or "none"
                raise InvalidCredentials(f"There is no saved block {', '.join(unknown)}. There are: {known}.")
            self._ids = frozenset(UUID(str(documents[each].id)) for each in self._names)
        found: dict[UUID, DatabricksCredentials] = {}
        for document in documents.values():
            block_id = UUID(str(document.id))
            if self._ids is None or block_id in self._ids:
                try:
                    credentials = DatabricksCredentials(**document.data)
                except (DatabricksError, ValueError):  # not good as it is saved; flows cannot load it either
                    continue
                credentials._block_document_id = block_id
                credentials._block_document_name = document.name
                found[block_id] = credentials
        self._by_id = found

    def watches(self, key: PauseKey) -> bool:
        """Whether this watcher is to watch a flow run with such a key."""
        return self._ids is None or key.block_id in self._ids

    async def of(self, client: PrefectClient, key: PauseKey) -> DatabricksCredentials | None:
        """Return the credentials of a suspended flow run; None where there are none for its workspace.

        Args:
            client: Prefect's.
            key: Its pause key.
        """
        found = self._by_id.get(key.block_id)
        if (found is None or found.host != key.host) and self._clock.monotonic() - self._read_at >= _READ_AGAIN:
            await self.read(client)
            found = self._by_id.get(key.block_id)
        return found if found and found.host == key.host else None
