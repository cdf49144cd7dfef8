"""Find the credentials to check: those of a saved block, or of the environment."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from prefect.client.orchestration import get_client

from .._connect.saved_blocks import saved_documents
from .._prefect.urls import no_answer_of_prefect
from ..auth import looked_at
from ..credentials import DatabricksCredentials
from ..errors import DatabricksError, InvalidCredentials


class NotFoundOut(DatabricksError):
    """Prefect did not answer which credentials are saved."""


@dataclass(frozen=True)
class Found:
    """Credentials and their source.

    Attributes:
        source: The source.
        credentials: The credentials.
    """

    source: str
    credentials: DatabricksCredentials


async def found(block: str | None, profile: str | None) -> Found:
    """Return the credentials to check.

    Args:
        block: The name of a saved block; None for the environment.
        profile: A profile instead of the environment, as `DatabricksCredentials.from_environment` takes it.

    Raises:
        InvalidCredentials: There are none, or they are not a way to sign in.
        NotFoundOut: Prefect did not answer.
    """
    if block is None:
        return Found(looked_at(profile), DatabricksCredentials.from_environment(profile))
    return Found(f"the saved block {block!r}", await _saved(block))


async def _saved(name: str) -> DatabricksCredentials:
    try:
        async with get_client() as client:
            saved = await saved_documents(client)
    except httpx.HTTPError as error:
        raise NotFoundOut(no_answer_of_prefect(error)) from None
    if name not in saved:
        known = ", ".join(sorted(saved)) or "none"
        raise InvalidCredentials(
            f"The saved block {name!r} of DatabricksCredentials does not exist. Saved blocks: {known}."
        )
    credentials = DatabricksCredentials(**saved[name].data)
    credentials._block_document_id = saved[name].id  # as `load` does
    return credentials
