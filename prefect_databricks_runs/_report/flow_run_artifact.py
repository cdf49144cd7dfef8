"""An artifact of the flow run that is active, shown once and not kept up."""

from __future__ import annotations

from uuid import UUID

import anyio
from prefect.context import FlowRunContext, TaskRunContext

from .._prefect import portal
from .._prefect.logging import Logger
from .queue import prefect_queue
from .things import Artifact

_TELL_SECONDS = 15.0


def active_flow_run_id() -> UUID | None:
    """Return the innermost flow run that this is called in; None outside of one."""
    flow, task = FlowRunContext.get(), TaskRunContext.get()
    if flow and flow.flow_run:
        return flow.flow_run.id
    return task.task_run.flow_run_id if task else None  # a task that runs in another process than its flow


def show_in_flow_run(key: str, description: str, text: str, logger: Logger) -> None:
    """Show an artifact in the flow run that is active; nothing outside of one.

    Args:
        key: Its key, another one for each thing that it is about.
        description: What it is about, in plain text.
        text: Its markdown.
        logger: Where it is logged that Prefect could not be reached.
    """
    flow_run_id = active_flow_run_id()
    if flow_run_id is not None:
        artifact = Artifact(flow_run_id, key, "markdown", description, logger)
        artifact.show(text)
        send(artifact)


def send(artifact: Artifact) -> None:
    """Send an artifact without waiting for it. A process that ends waits a short while for it."""
    prefect_queue().put(artifact)
    portal.start(_send, artifact)


async def _send(artifact: Artifact) -> None:
    with anyio.move_on_after(_TELL_SECONDS):
        await prefect_queue().until_told([artifact])
