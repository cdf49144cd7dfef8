"""Finding credentials for a workspace where only its address is known."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from prefect.exceptions import ObjectNotFound

from .._prefect.paging import read_all
from .._runtime import of_process
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import BlockDocument


class UsedCredentials:
    """The last credentials that this process has used for each workspace: they may be saved nowhere."""

    def __init__(self) -> None:
        self._by_host: dict[str, DatabricksCredentials] = {}

    def remember(self, credentials: DatabricksCredentials) -> None:
        """Keep credentials for the workspace that they are used for."""
        self._by_host[credentials.host] = credentials

    def all(self) -> list[DatabricksCredentials]:
        """Return those of every workspace."""
        return list(self._by_host.values())


async def known_credentials(client: PrefectClient) -> list[DatabricksCredentials]:
    """Return the credentials that there are: what this process has used, then what is saved in Prefect.

    Args:
        client: Prefect's.
    """
    used = of_process(UsedCredentials).all()
    return used + [each for each in (await saved_credentials(client)).values() if each not in used]


async def saved_credentials(client: PrefectClient) -> dict[str, DatabricksCredentials]:
    """Return the saved credentials blocks by name, but for those that are not good as they are saved.

    Args:
        client: Prefect's.
    """
    found: dict[str, DatabricksCredentials] = {}
    for name, document in (await saved_documents(client)).items():
        with suppress(DatabricksError, ValueError):
            found[name] = DatabricksCredentials(**document.data)
    return found


async def saved_documents(client: PrefectClient) -> dict[str, BlockDocument]:
    """Return the saved credentials blocks by name, as Prefect has them, with their secrets.

    Args:
        client: Prefect's.
    """
    slug = str(DatabricksCredentials._block_type_slug)
    try:
        documents = await read_all(client.read_block_documents_by_type, block_type_slug=slug, include_secrets=True)
    except ObjectNotFound:  # this kind of block was never saved
        return {}
    return {str(each.name): each for each in documents}
