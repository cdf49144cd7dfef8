"""Who asked for a run, said in Databricks: in the description of a task that has none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from .._prefect.compat import flow_run_url, run_contexts
from .._text import shorten
from ..runs import Run

_NAME_CHARACTERS = 200
_MARKER = re.compile(r"Prefect flow run .*\(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)", re.DOTALL)


def with_marker(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of `runs/submit`, saying which flow run asks for the run; unchanged outside of a flow run.

    A description changes nothing of how a task runs, and Databricks gives it back with the run. One that the caller has
    written is left alone. (Databricks allows 1,000 characters.)

    Args:
        payload: The body, with `tasks`.
    """
    flows, _ = run_contexts()
    flow_run = flows[0].flow_run if flows else None
    if flow_run is None:
        return dict(payload)
    marker = f"Prefect flow run {shorten(flow_run.name, _NAME_CHARACTERS)} ({flow_run.id}) {flow_run_url(flow_run.id)}"
    tasks = [dict(task) for task in payload["tasks"]]
    for task in tasks:
        if not task.get("description"):
            task["description"] = marker.strip()
            break
    return {**payload, "tasks": tasks}


def is_marked(payload: Mapping[str, Any]) -> bool:
    """Whether a request says which flow run asks for the run; that of `run-now` cannot.

    Args:
        payload: Its body.
    """
    return _marked(payload.get("tasks") or ()) is not None


def marked_flow_run(run: Run) -> UUID | None:
    """Return the flow run that asked for a run, as `with_marker` has said it; None for somebody else's run."""
    return _marked(task.raw for task in run.tasks.values())


def _marked(tasks: Iterable[Mapping[str, Any]]) -> UUID | None:
    for task in tasks:
        found = _MARKER.match(str(task.get("description") or ""))
        if found:
            return UUID(found[1])
    return None
