"""The flow runs that this process has suspended: all other waits in them end, and leave their runs running."""

from __future__ import annotations

from uuid import UUID

from .._prefect.compat import run_contexts
from .._runtime import Newest, of_process


class SuspendedHere(Newest[UUID]):
    """The outermost flow runs that this process has suspended."""


def is_suspended_here() -> bool:
    """Return whether this process has suspended the flow run around this call."""
    flows, _ = run_contexts()
    flow_run = flows[0].flow_run if flows else None
    return bool(flow_run and flow_run.id in of_process(SuspendedHere))
