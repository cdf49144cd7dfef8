"""Find credentials for a workspace by its address."""

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
    """The last credentials that this process has used for each workspace. They may not be saved anywhere."""

    def __init__(self) -> None:
        self._by_host: dict[str, DatabricksCredentials] = {}

    def remember(self, credentials: DatabricksCredentials) -> None:
        """Keep the credentials for their workspace."""
        self._by_host[credentials.host] = credentials

    def all(self) -> list[DatabricksCredentials]:
        """Return the credentials of every workspace."""
        return list(self._by_host.values())


async def known_credentials(client: PrefectClient) -> list[DatabricksCredentials]:
    """Return all known credentials: first the ones that this process has used, then the saved ones.

    Args:
        client: Prefect's client.
    """
    used = of_process(UsedCredentials).all()
    return used + [each for each in (await saved_credentials(client)).values() if each not in used]


async def saved_credentials(client: PrefectClient) -> dict[str, DatabricksCredentials]:
    """Return the saved credentials blocks by name, except invalid ones.

    Args:
        client: Prefect's client.
    """
    found: dict[str, DatabricksCredentials] = {}
    for name, document in (await saved_documents(client)).items():
        with suppress(DatabricksError, ValueError):
            found[name] = DatabricksCredentials(**document.data)
    return found


async def saved_documents(client: PrefectClient) -> dict[str, BlockDocument]:
    """Return the saved credentials blocks by name, as Prefect stores them, with their secrets.

    Args:
        client: Prefect's client.
    """
    slug = str(DatabricksCredentials._block_type_slug)
    try:
        documents = await read_all(client.read_block_documents_by_type, block_type_slug=slug, include_secrets=True)
    except ObjectNotFound:  # no block of this type was ever saved
        return {}
    return {str(each.name): each for each in documents}
