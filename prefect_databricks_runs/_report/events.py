"""Emit a Prefect event for each change of a run and its tasks, so that automations can act on them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prefect.context import FlowRunContext

from .._text import name, one_line
from ..run_states import RunState
from ..runs import Run

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


class ChangeEvents:
    """Emit the Prefect events of one run: `databricks.run.<state>` and `databricks.task.<state>`.

    Prefect 2 has no events unless they are enabled; without them, this does nothing. Events do not pass through the
    queue: Prefect sends them itself, and the calls return at once. Prefect relates them to the waiting flow run.

    Args:
        host: The workspace's address.
        suspended: The suspended flow run that is waiting, where this is another process.
    """

    def __init__(self, host: str, suspended: FlowRun | None = None) -> None:
        self._host = urlsplit(host).netloc or host
        self._names: dict[int, str] = {}
        self._related = [_related(suspended.id, "flow-run")] if suspended else _outermost_flow_run()

    def know(self, run: Run) -> None:
        """Note the states of a run without emitting events for them."""
        self._names |= {run.run_id: run.state.name, **{each.run_id: each.state.name for each in run.attempts}}

    def changes(self, run: Run) -> None:
        """Emit an event for each state name that has changed."""
        resource = f"databricks.run.{self._host}.{run.run_id}"
        for task in run.attempts:
            if self._is_new(task.run_id, task.state):
                about = f"{name(run.run_name or run.run_id)}: {name(task.task_key)}"
                payload = {"run_id": run.run_id, "task_key": task.task_key, "task_run_id": task.run_id}
                self._emit("task", f"{resource}.{name(task.task_key)}", about, task.state, {**payload, "url": task.url})
        self.run_changes(run)

    def run_changes(self, run: Run) -> None:
        """Emit an event if the run's state name has changed, without its tasks."""
        resource = f"databricks.run.{self._host}.{run.run_id}"
        if self._is_new(run.run_id, run.state):
            ids = {"run_id": run.run_id, "job_id": run.job_id}
            payload = {**ids, "run_name": run.run_name, "url": run.url}
            self._emit("run", resource, name(run.run_name or run.run_id), run.state, payload)

    def _is_new(self, run_id: int, state: RunState) -> bool:
        known, self._names[run_id] = self._names.get(run_id), state.name
        return known != state.name

    def _emit(self, what: str, resource: str, about: str, state: RunState, payload: Mapping[str, object]) -> None:
        from prefect.events import emit_event

        with suppress(Exception):  # an event that cannot be sent must not end a wait
            emit_event(
                event=f"databricks.{what}.{_snake(state.name)}",
                resource={"prefect.resource.id": resource, "prefect.resource.name": about},
                payload={**_shown(payload), "state": state.name, "message": one_line(state.explanation)},
                related=self._related,
            )


def _shown(payload: Mapping[str, object]) -> dict[str, object]:
    return {
        key: value if isinstance(value, int) or value is None else one_line(str(value))
        for key, value in payload.items()
    }


def _outermost_flow_run() -> list[dict[str, str]]:
    """Return the flow run that Prefect started this process for, if it is not the waiting one.

    An automation acts on the first related flow run of an event, and Prefect can cancel only this one.
    """
    context = FlowRunContext.get()
    waiting = context.flow_run.id if context and context.flow_run else None
    outermost = os.environ.get("PREFECT__FLOW_RUN_ID")
    if not outermost or outermost == str(waiting):
        return []
    return [_related(outermost, "root-flow-run")]


def _related(flow_run_id: object, role: str) -> dict[str, str]:
    return {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": role}


def _snake(name: str) -> str:
    """Return `TimedOut` as `timed_out`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
