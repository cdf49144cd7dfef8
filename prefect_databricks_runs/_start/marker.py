"""The flow run that started a Databricks run, named in Databricks: in the description of a task that has none."""

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
    """Return the body of `runs/submit`, naming the flow run that starts the run; unchanged outside a flow run.

    A description does not change how a task runs, and Databricks returns it with the run. A description by the caller
    is kept. (Databricks allows 1,000 characters.)

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
    """Return whether a request names the flow run that starts the run; a request of `run-now` cannot.

    Args:
        payload: Its body.
    """
    return _marked(payload.get("tasks") or ()) is not None


def marked_flow_run(run: Run) -> UUID | None:
    """Return the flow run that started a run, as written by `with_marker`; None for any other run."""
    return _marked(task.raw for task in run.tasks.values())


def _marked(tasks: Iterable[Mapping[str, Any]]) -> UUID | None:
    for task in tasks:
        found = _MARKER.match(str(task.get("description") or ""))
        if found:
            return UUID(found[1])
    return None
