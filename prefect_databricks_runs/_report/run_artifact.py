"""The one artifact of a Databricks run in a flow run: created by the task that starts the run, updated by the wait.

If the process of a flow run is gone, its Databricks runs can be found by these artifacts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from uuid import UUID

from .._prefect.logging import Logger
from .._runtime import of_process
from .._text import name
from .flow_run_artifact import active_flow_run_id, send
from .markdown import link, sentences
from .things import Artifact

PREFIX = "databricks-run-"
HOST, RUN_ID = "databricks_host", "databricks_run_id"
# The artifact of many runs in one wait, and the key of its list of runs.
SUMMARY_PREFIX = "databricks-runs-"
_RUN_IDS = "databricks_run_ids_"
_IDS_A_VALUE = 25  # Prefect cuts each value at 500 characters
_RUN_ID = re.compile("[0-9]{1,19}", re.ASCII)
_MAX_STARTED = 1_000


class _Started:
    """The newest artifacts of runs that were started in a flow run, and that it has not waited for yet."""

    def __init__(self) -> None:
        self._artifacts: dict[tuple[UUID, int], Artifact] = {}

    def take(self, flow_run_id: UUID, run_id: int) -> Artifact | None:
        """Return the artifact of a run, once."""
        return self._artifacts.pop((flow_run_id, run_id), None)

    def keep(self, artifact: Artifact, flow_run_id: UUID, run_id: int) -> None:
        """Keep the artifact of a run until the wait for it takes it."""
        if len(self._artifacts) >= _MAX_STARTED:
            del self._artifacts[next(iter(self._artifacts))]
        self._artifacts[flow_run_id, run_id] = artifact


def title_of(run_id: int, run_name: str) -> str:
    """Return the title of the artifacts of a run."""
    return f"Databricks run {run_id} {name(run_name)}".strip()


def metadata_of_runs(host: str, run_ids: Iterable[int]) -> dict[str, str]:
    """Return the metadata of the artifact of many runs, for programs."""
    ids = list(map(str, run_ids))
    starts = range(0, len(ids), _IDS_A_VALUE)
    return {HOST: host, **{f"{_RUN_IDS}{start}": " ".join(ids[start : start + _IDS_A_VALUE]) for start in starts}}


def runs_in(metadata: Mapping[str, str] | None) -> list[tuple[str, int]]:
    """Return the host and `run_id` of each run in an artifact's metadata.

    Any client of Prefect can write such an artifact: what is not a `run_id` is left out.
    """
    if not metadata or HOST not in metadata:
        return []
    texts = [text for key, text in metadata.items() if key == RUN_ID or key.startswith(_RUN_IDS)]
    return [(metadata[HOST], int(run_id)) for text in texts for run_id in text.split() if _RUN_ID.fullmatch(run_id)]


def run_artifact(
    flow_run_id: UUID, host: str, run_id: int, run_name: str, logger: Logger, *, is_there: bool = False
) -> Artifact:
    """Return the artifact of a Databricks run in a flow run: the existing one, or a new one.

    Args:
        flow_run_id: The flow run.
        host: The workspace's address.
        run_id: The job run.
        run_name: The run's name, may be empty.
        logger: The log for failed updates.
        is_there: Whether an earlier process may have made it.
    """
    there = of_process(_Started).take(flow_run_id, run_id)
    return there or Artifact(
        flow_run_id,
        f"{PREFIX}{run_id}",
        "markdown",
        title_of(run_id, run_name),
        logger,
        metadata={HOST: host, RUN_ID: str(run_id)},
        is_there=is_there,
    )


def show_started(host: str, run_id: int, run_name: str, url: str, logger: Logger, *, note: str = "") -> None:
    """Show in the current flow run that it has started a Databricks run, or found it again.

    Args:
        host: The workspace's address.
        run_id: The job run.
        run_name: The run's name, may be empty.
        url: The run's page.
        logger: The log for failed updates.
        note: What happened to the runs of earlier attempts; empty if there were none.
    """
    flow_run_id = active_flow_run_id()
    if flow_run_id is None:
        return
    artifact = run_artifact(flow_run_id, host, run_id, run_name, logger)
    of_process(_Started).keep(artifact, flow_run_id, run_id)
    artifact.note = note
    if artifact.show(_text(host, run_id, run_name, url, note)):
        send(artifact)


def _text(host: str, run_id: int, run_name: str, url: str, note: str) -> str:
    return "\n".join(
        [
            f"## {link(title_of(run_id, run_name), url)}",
            "",
            *([sentences(note, host), ""] if note else []),
            f"Started at {datetime.now(timezone.utc):%Y-%m-%d %H:%M:%S} UTC; this flow run has not waited for it."
            f" To wait for it, call `wait_for_run(databricks_credentials, {run_id})`.",
        ]
    )
