"""One Prefect event for each change of a run and of its tasks, so that automations can act on them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from prefect.context import FlowRunContext

from .._text import name, one_line
from ..run_states import RunState
from ..runs import Run


class ChangeEvents:
    """Tells Prefect's events of one run: `databricks.run.<state>` and `databricks.task.<state>`.

    Prefect 2 has no events unless they are switched on; there this does nothing. Events do not go through the queue:
    Prefect sends them by itself, and calls that make one return at once. Prefect relates them to the waiting flow run.

    Args:
        host: The workspace's address.
    """

    def __init__(self, host: str) -> None:
        self._host = urlsplit(host).netloc or host
        self._names: dict[int, str] = {}
        self._related = _outermost_flow_run()

    def changes(self, run: Run) -> None:
        """Tell what has another state name than before."""
        resource = f"databricks.run.{self._host}.{run.run_id}"
        for task in run.attempts:
            if self._is_new(task.run_id, task.state):
                about = f"{name(run.run_name or run.run_id)}: {name(task.task_key)}"
                payload = {"run_id": run.run_id, "task_key": task.task_key, "task_run_id": task.run_id}
                self._tell("task", f"{resource}.{name(task.task_key)}", about, task.state, {**payload, "url": task.url})
        self.run_changes(run)

    def run_changes(self, run: Run) -> None:
        """Tell whether the run has another state name than before, and nothing of its tasks."""
        resource = f"databricks.run.{self._host}.{run.run_id}"
        if self._is_new(run.run_id, run.state):
            ids = {"run_id": run.run_id, "job_id": run.job_id}
            payload = {**ids, "run_name": run.run_name, "url": run.url}
            self._tell("run", resource, name(run.run_name or run.run_id), run.state, payload)

    def _is_new(self, run_id: int, state: RunState) -> bool:
        known, self._names[run_id] = self._names.get(run_id), state.name
        return known != state.name

    def _tell(self, what: str, resource: str, about: str, state: RunState, payload: Mapping[str, object]) -> None:
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
    """Return the flow run that Prefect started this process for, where that is another one than the one that waits.

    An automation acts on the first flow run that an event is related to, and Prefect can cancel only this one.
    """
    context = FlowRunContext.get()
    waiting = context.flow_run.id if context and context.flow_run else None
    outermost = os.environ.get("PREFECT__FLOW_RUN_ID")
    if not outermost or outermost == str(waiting):
        return []
    return [{"prefect.resource.id": f"prefect.flow-run.{outermost}", "prefect.resource.role": "root-flow-run"}]


def _snake(name: str) -> str:
    """`TimedOut` as `timed_out`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
