"""The watcher's own page in Prefect: since when it watches what, for people and for flow runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterId, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import ObjectNotFound

from .._prefect.compat import flow_run_url, update_artifact
from .._report.markdown import cell, link
from .._suspend.watcher_pages import PREFIX, page_metadata, pages, seen_seconds

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from .suspended_run import SuspendedRun

_MOST_LISTED = 100
_MOST_NAMED = 3
# The page of a watcher that was killed stays for so long.
_KEPT = timedelta(days=1)


@dataclass
class Facts:
    """The facts on the page of a watcher.

    Attributes:
        since: When it began.
        hosts: The workspaces.
        watched: The suspended flow runs.
        scanned_at: When it last read what is suspended.
        error: What went wrong last, and when; empty for nothing.
        next_pass: When the next pass comes, for a watcher that ends after each pass; else empty.
    """

    since: datetime
    hosts: Sequence[str] = ()
    watched: Sequence[SuspendedRun] = ()
    scanned_at: datetime | None = None
    error: str = ""
    next_pass: str = ""
    left_alone: Sequence[str] = field(default=())


class Page:
    """The page.

    Args:
        key: What its key ends with; one of a watcher's own, or Prefect 2 finds only the newest page.
        seen_seconds: How long flow runs may count on it after each update.
    """

    def __init__(self, key: str, seen_seconds: float) -> None:
        self._key, self._seen_seconds = f"{PREFIX}{key}", seen_seconds
        self._id: UUID | None = None
        self._was_lost = False

    async def find(self, client: PrefectClient) -> None:
        """Find the page that an earlier pass has made."""
        key = ArtifactFilter(key=ArtifactFilterKey(any_=[self._key]))
        found = await client.read_artifacts(artifact_filter=key, sort=ArtifactSort.CREATED_DESC, limit=1)
        self._id = found[0].id if found else None

    async def show(self, client: PrefectClient, facts: Facts, block_ids: frozenset[UUID] | None) -> None:
        """Update it, or make it again if someone has deleted it."""
        text = text_of(facts)
        if self._id and await self._is_there(client):
            await update_artifact(client, self._id, text)
            return
        self._was_lost = self._id is not None
        made = await client.create_artifact(
            ArtifactCreate(
                key=self._key,
                type="markdown",
                description="prefect-databricks-runs watch",
                data=text,
                metadata_=page_metadata(block_ids, self._seen_seconds),
            )
        )
        self._id = UUID(str(made.id))

    async def is_kept(self, client: PrefectClient) -> bool:
        """Whether Prefect has kept the page since this was asked last: a server with another database has not."""
        was_lost, self._was_lost = self._was_lost, False
        return not was_lost and await self._is_there(client)

    async def _is_there(self, client: PrefectClient) -> bool:
        if self._id is None:
            return False
        which = ArtifactFilter(id=ArtifactFilterId(any_=[self._id]))
        return bool(await client.read_artifacts(artifact_filter=which, limit=1))

    async def remove(self, client: PrefectClient) -> None:
        """Delete it: no flow run is to count on a watcher that has stopped."""
        if self._id:
            artifact_id, self._id = self._id, None
            try:
                await client.delete_artifact(artifact_id)
            except ObjectNotFound:
                return


async def remove_old_pages(client: PrefectClient) -> None:
    """Delete the pages of watchers that were killed long ago."""
    oldest = datetime.now(timezone.utc) - _KEPT
    for page in await pages(client):
        # That of a pass that comes once a week says so itself.
        if page.updated and page.updated < oldest - timedelta(seconds=seen_seconds(page)):
            try:
                await client.delete_artifact(page.id)
            except ObjectNotFound:
                continue


def text_of(facts: Facts) -> str:
    """Return the markdown of a page."""
    count = len(facts.watched)
    hosts = ", ".join(f"`{each}`" for each in facts.hosts) or "none"
    lines = [
        f"**{count} suspended flow {'run' if count == 1 else 'runs'}** on: {hosts}.",
        "",
        "| | |",
        "|---|---|",
        f"| watching since | {_moment(facts.since)} |",
        f"| last scan | {_moment(facts.scanned_at) if facts.scanned_at else 'none yet'} |",
        f"| last error | {cell(facts.error) or 'none'} |",
        *([f"| next pass | {cell(facts.next_pass)} |"] if facts.next_pass else []),
        f"| updated | {_moment(datetime.now(timezone.utc))} |",
    ]
    if facts.left_alone:
        lines += ["", "Left alone:", "", *(f"* {cell(each)}" for each in facts.left_alone[:_MOST_LISTED])]
    if facts.watched:
        lines += ["", "| flow run | Databricks runs | workspace |", "|---|---|---|"]
        lines += map(_row, facts.watched[:_MOST_LISTED])
        if count > _MOST_LISTED:
            lines += ["", f"{count - _MOST_LISTED} more are not listed."]
    return "\n".join(lines)


def _row(suspended: SuspendedRun) -> str:
    flow_run, run_ids = suspended.flow_run, suspended.key.run_ids
    runs = ", ".join(map(str, run_ids[:_MOST_NAMED]))
    more = f" and {len(run_ids) - _MOST_NAMED} more" if len(run_ids) > _MOST_NAMED else ""
    return f"| {link(flow_run.name, flow_run_url(flow_run.id))} | {runs}{more} | {cell(suspended.key.host)} |"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
