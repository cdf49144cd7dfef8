"""The parts of a waiting flow run besides its task runs: name, tags, state name, artifact and progress."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort
from prefect.states import Running

from .._prefect import compat
from .._text import name as shown_name
from .._text import one_line, ours, visible
from .markdown import cell
from .queue import Thing

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

    from .._prefect.logging import Logger


class FlowRunLabels(Thing):
    """The name and tags of the flow run.

    Args:
        flow_run_id: The flow run.
        name: Its name.
        tags: Tags to add.
        logger: The log for failed updates.
    """

    def __init__(self, flow_run_id: UUID, name: str, tags: frozenset[str], logger: Logger) -> None:
        super().__init__(logger)
        self._flow_run_id = flow_run_id
        self._name = one_line(name)
        self._tags = frozenset(map(one_line, tags))
        self._all_tags: list[str] | None = None

    async def tell(self, client: PrefectClient) -> None:
        """Rename it and add the tags."""
        if self._all_tags is None:
            flow_run = await client.read_flow_run(self._flow_run_id)
            self._all_tags = sorted(self._tags | set(flow_run.tags))
        await client.update_flow_run(self._flow_run_id, name=self._name, tags=self._all_tags)


class StateName(Thing):
    """Show the Databricks state as the state name of the flow run.

    Args:
        flow_run_id: The flow run.
        logger: The log for failed updates.
    """

    def __init__(self, flow_run_id: UUID, logger: Logger) -> None:
        super().__init__(logger)
        self._flow_run_id = flow_run_id
        self._wanted = self._shown = ""
        self._message = ""

    def show(self, name: str, message: str) -> bool:
        """Set the name to show; return whether it is a different one."""
        changed = name != self._wanted
        self._wanted, self._message = name, message
        return changed

    async def tell(self, client: PrefectClient) -> None:
        """Set the state."""
        wanted = self._wanted
        if wanted != self._shown:
            # Not forced: a forced state would undo a cancellation of the flow run.
            await client.set_flow_run_state(
                self._flow_run_id, Running(name=shown_name(wanted), message=ours(self._message))
            )
            self._shown = wanted


class Artifact(Thing):
    """An artifact that is updated in place.

    Args:
        flow_run_id: The flow run.
        key: Its key; a different one for each run, because Prefect 2 updates only the newest artifact of a key.
        kind: `markdown` or `progress`.
        description: Its description, in plain text.
        logger: The log for failed updates.
        metadata: Its metadata, for programs.
        is_there: Whether an earlier process may have made it.

    Attributes:
        note: A note in addition to the state of the run.
    """

    def __init__(
        self,
        flow_run_id: UUID,
        key: str,
        kind: str,
        description: str,
        logger: Logger,
        *,
        metadata: dict[str, str] | None = None,
        is_there: bool = False,
    ) -> None:
        super().__init__(logger)
        self._metadata = metadata
        self.note = ""
        self._flow_run_id = flow_run_id
        self._key = key
        self._kind = kind
        self._description = cell(description)  # the UI renders it as markdown
        self._id: UUID | None = None
        self._was_tried = is_there
        self._wanted: str | float | None = None
        self._shown: str | float | None = None

    def show(self, data: str | float) -> bool:
        """Set the content to show; return whether it is different from before."""
        changed, self._wanted = data != self._wanted, data
        return changed

    def data(self) -> str | float | None:
        """Return the content when it is sent."""
        return self._wanted

    async def tell(self, client: PrefectClient) -> None:
        """Create the artifact, or update it."""
        wanted = self.data()
        if isinstance(wanted, str):
            wanted = visible(wanted)
        if wanted == self._shown:
            return
        if self._was_tried and not self._id:
            self._id = await self._find(client)
        if self._id:
            await compat.update_artifact(client, self._id, wanted)
        else:
            self._was_tried = True
            artifact = await client.create_artifact(
                ArtifactCreate(
                    key=self._key,
                    type=self._kind,
                    description=self._description,
                    data=wanted,
                    metadata_=self._metadata,
                    flow_run_id=self._flow_run_id,
                )
            )
            self._id = artifact.id
        self._shown = wanted

    async def _find(self, client: PrefectClient) -> UUID | None:
        """Return the id of the artifact if Prefect made it but the answer was lost; of several, only one is kept."""
        key, flow_run_id = ArtifactFilterKey(any_=[self._key]), ArtifactFilterFlowRunId(any_=[self._flow_run_id])
        found = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=key, flow_run_id=flow_run_id), sort=ArtifactSort.CREATED_DESC
        )
        for older in found[1:]:
            await client.delete_artifact(older.id)
        return found[0].id if found else None
