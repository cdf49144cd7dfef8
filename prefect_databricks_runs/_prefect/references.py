"""Read the saved blocks that deployments refer to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..errors import DatabricksError, InvalidCredentials

if TYPE_CHECKING:
    from prefect.client.schemas.objects import BlockDocument

CREDENTIALS_SLUG = "databricks-runs-credentials"


def reference_to(slug: str) -> str:
    """Return how a person refers to a saved block of a type.

    Args:
        slug: Of the block type.
    """
    return f'{{"$ref": {{"block_document_slug": "{slug}/NAME"}}}}'


async def saved_block(
    reference: Any,
    slug: str = CREDENTIALS_SLUG,
    fault_of: Callable[[str], DatabricksError] = InvalidCredentials,
    advice: str = "",
) -> BlockDocument:
    """Read a saved block.

    Args:
        reference: The block's id, or `{"block_document_id": id}`, or `{"block_document_slug": "block-type-slug/name"}`.
        slug: The slug of the wanted block type, for errors.
        fault_of: Makes the error.
        advice: What to do if the block does not exist; how to refer to one if empty.

    Raises:
        DatabricksError: The block does not exist, or the reference is not valid.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    which = reference if isinstance(reference, dict) else {"block_document_id": reference}
    async with get_client() as client:
        try:
            if "block_document_id" in which:
                document_id = UUID(str(which["block_document_id"]))
                return await client.read_block_document(document_id, include_secrets=True)
            type_slug, _, name = str(which.get("block_document_slug", "")).partition("/")
            if type_slug and name:
                return await client.read_block_document_by_name(name, type_slug, include_secrets=True)
        except ObjectNotFound:
            found = which.get("block_document_slug") or f"with the id {which['block_document_id']}"
            advice = advice or f"Refer to one by {reference_to(slug)}."
            raise fault_of(f"The saved block {found} does not exist. {advice}") from None
        except ValueError:  # not an id
            pass
    # Not quoted: it may be a misplaced token.
    raise fault_of(f"`$ref` does not name a saved block. Refer to one by {reference_to(slug)}.")
