"""The one artifact that a flow run has of a Databricks run: made by the task that starts it, kept up by the wait.

Who only has the flow run, because its process is gone, finds its Databricks runs by these artifacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from uuid import UUID

import anyio
from prefect.context import FlowRunContext, TaskRunContext

from .._prefect import portal
from .._prefect.logging import Logger
from .._runtime import of_process
from .._text import name
from .markdown import link, sentences
from .queue import prefect_queue
from .things import Artifact

PREFIX = "databricks-run-"
HOST, RUN_ID = "databricks_host", "databricks_run_id"
# The artifact of many runs that are waited for together, and what it says which they are.
SUMMARY_PREFIX = "databricks-runs-"
_RUN_IDS = "databricks_run_ids_"
_IDS_A_VALUE = 25  # Prefect cuts each value at 500 characters
_MAX_STARTED = 1_000
_TELL_SECONDS = 15.0


class _Started:
    """The artifacts of runs that were started in a flow run and that it has not waited for yet, the newest of them."""

    def __init__(self) -> None:
        self._artifacts: dict[tuple[UUID, int], Artifact] = {}

    def take(self, flow_run_id: UUID, run_id: int) -> Artifact | None:
        """Return that of a run, once."""
        return self._artifacts.pop((flow_run_id, run_id), None)

    def keep(self, artifact: Artifact, flow_run_id: UUID, run_id: int) -> None:
        """Keep that of a run until the wait for it takes it."""
        if len(self._artifacts) >= _MAX_STARTED:
            del self._artifacts[next(iter(self._artifacts))]
        self._artifacts[flow_run_id, run_id] = artifact


def title_of(run_id: int, run_name: str) -> str:
    """Return what the artifacts of a run are called."""
    return f"Databricks run {run_id} {name(run_name)}".strip()


def metadata_of_runs(host: str, run_ids: Iterable[int]) -> dict[str, str]:
    """Return what the artifact of many runs says of them to a program."""
    ids = list(map(str, run_ids))
    starts = range(0, len(ids), _IDS_A_VALUE)
    return {HOST: host, **{f"{_RUN_IDS}{start}": " ".join(ids[start : start + _IDS_A_VALUE]) for start in starts}}


def runs_in(metadata: Mapping[str, str] | None) -> list[tuple[str, int]]:
    """Return the host and `run_id` of each run that an artifact is about, as far as it says so."""
    if not metadata or HOST not in metadata:
        return []
    texts = [text for key, text in metadata.items() if key == RUN_ID or key.startswith(_RUN_IDS)]
    return [(metadata[HOST], int(run_id)) for text in texts for run_id in text.split()]


def run_artifact(flow_run_id: UUID, host: str, run_id: int, run_name: str, logger: Logger) -> Artifact:
    """Return the artifact of a Databricks run in a flow run: the one that is there already, or a new one.

    Args:
        flow_run_id: The flow run that it belongs to.
        host: The workspace's address.
        run_id: The job run.
        run_name: The run's name, may be empty.
        logger: Where it is said that Prefect could not be told.
    """
    there = of_process(_Started).take(flow_run_id, run_id)
    return there or Artifact(
        flow_run_id,
        f"{PREFIX}{run_id}",
        "markdown",
        title_of(run_id, run_name),
        logger,
        metadata={HOST: host, RUN_ID: str(run_id)},
    )


def show_started(host: str, run_id: int, run_name: str, url: str, logger: Logger, *, note: str = "") -> None:
    """Show in the flow run that is going that it has started a Databricks run, or found one again.

    Args:
        host: The workspace's address.
        run_id: The job run.
        run_name: The run's name, may be empty.
        url: The run's page.
        logger: Where it is said that Prefect could not be told.
        note: What became of the runs of earlier attempts; empty where there were none.
    """
    flow_run_id = _flow_run_id()
    if flow_run_id is None:
        return
    artifact = run_artifact(flow_run_id, host, run_id, run_name, logger)
    of_process(_Started).keep(artifact, flow_run_id, run_id)
    artifact.note = note
    if artifact.show(_text(host, run_id, run_name, url, note)):
        prefect_queue().put(artifact)
        portal.start(_tell, artifact)


async def _tell(artifact: Artifact) -> None:
    """See it told, although nobody waits for that, because the process may be about to end."""
    with anyio.move_on_after(_TELL_SECONDS):
        await prefect_queue().until_told([artifact])


def _text(host: str, run_id: int, run_name: str, url: str, note: str) -> str:
    return "\n".join(
        [
            f"## {link(title_of(run_id, run_name), url)}",
            "",
            *([sentences(note, host), ""] if note else []),
            f"Started at {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC. The flow run that waits for it shows its"
            f" state; if none does, `wait_for_run(databricks_credentials, {run_id})` is one.",
        ]
    )


def _flow_run_id() -> UUID | None:
    flow, task = FlowRunContext.get(), TaskRunContext.get()
    if flow and flow.flow_run:
        return flow.flow_run.id
    return task.task_run.flow_run_id if task else None  # a task that runs in another process than its flow
