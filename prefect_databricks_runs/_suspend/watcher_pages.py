"""The page of each watcher in Prefect, an artifact: people read it, and flow runs find by it that they are watched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from .._prefect.paging import read_all

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import Artifact

PREFIX = "databricks-watcher-"
# A watcher updates its page every 30 seconds.
SEEN_SECONDS = 120.0
_MOST_SECONDS = 366 * 86_400.0
_SEEN, _BLOCKS, _ALL = "seen_for_seconds", "block_ids_", "all"
_IDS_A_VALUE = 12  # Prefect cuts each value at 500 characters


def page_metadata(block_ids: Iterable[UUID] | None, seen_seconds: float) -> dict[str, str]:
    """Return what a watcher's page says to flow runs.

    Args:
        block_ids: The documents of the credentials blocks that it watches with; None for all that are saved.
        seen_seconds: How long a page that was updated is to be counted on.
    """
    ids = [_ALL] if block_ids is None else [str(each) for each in block_ids]
    starts = range(0, len(ids), _IDS_A_VALUE)
    blocks = {f"{_BLOCKS}{start}": " ".join(ids[start : start + _IDS_A_VALUE]) for start in starts}
    return {_SEEN: f"{seen_seconds:g}", **blocks}


async def is_watched(client: PrefectClient, block_id: UUID) -> bool:
    """Whether a watcher with this credentials block has been seen.

    Args:
        client: Prefect's.
        block_id: The document of the block.
    """
    now = datetime.now(timezone.utc)
    return any(_is_seen(page, now) and _watches(page.metadata_, block_id) for page in await pages(client))


async def pages(client: PrefectClient) -> list[Artifact]:
    """Return the pages of all watchers.

    Args:
        client: Prefect's.
    """
    return await read_all(
        client.read_artifacts, artifact_filter=ArtifactFilter(key=ArtifactFilterKey(like_=f"{PREFIX}%"))
    )


def seen_seconds(page: Artifact) -> float:
    """Return how long a page can be counted on after each update; 0 if what it says makes no sense.

    Args:
        page: The page, which any client of Prefect can write.
    """
    try:
        seconds = float((page.metadata_ or {}).get(_SEEN, ""))
    except ValueError:
        return 0.0
    return seconds if 0 < seconds <= _MOST_SECONDS else 0.0


def _is_seen(page: Artifact, now: datetime) -> bool:
    return page.updated is not None and page.updated > now - timedelta(seconds=seen_seconds(page))


def _watches(metadata: Mapping[str, str] | None, block_id: UUID) -> bool:
    ids: Collection[str] = [
        each for key, value in (metadata or {}).items() if key.startswith(_BLOCKS) for each in value.split()
    ]
    return _ALL in ids or str(block_id) in ids
