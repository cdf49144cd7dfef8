"""References to saved blocks, as deployments have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..errors import InvalidCredentials

if TYPE_CHECKING:
    from prefect.client.schemas.objects import BlockDocument

A_REFERENCE = '{"$ref": {"block_document_slug": "databricks-runs-credentials/NAME"}}'


async def saved_block(reference: Any) -> BlockDocument:
    """Read a saved block.

    Args:
        reference: Its id, or `{"block_document_id": id}`, or `{"block_document_slug": "block-type-slug/name"}`.

    Raises:
        InvalidCredentials: There is no such block, or the reference is none.
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
            raise InvalidCredentials(
                f"The saved block {found} does not exist. Refer to one by {A_REFERENCE}."
            ) from None
        except ValueError:  # not an id
            pass
    # Not quoted: whoever mistook the place may have pasted a token.
    raise InvalidCredentials(f"`$ref` does not name a saved block. Refer to one by {A_REFERENCE}.")
