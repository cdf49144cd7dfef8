"""Flow runs of deployments that are suspended, the watcher, and the workspace that has their Databricks runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
from prefect import Flow
from prefect.deployments import run_deployment
from prefect.exceptions import Pause
from prefect.flows import EntrypointType

from prefect_databricks_runs import DatabricksCredentials, _runtime
from prefect_databricks_runs._prefect import portal
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs._watcher.command import Wanted, watch
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.prefect_api import PrefectApi
from tests.support.processes import PATIENCE, wait_until

# Each goes on until it is told to end.
_NOTEBOOK = """# Databricks notebook source
import os, time
while not os.path.exists({go!r}):
    time.sleep(0.05)
{end}
"""
_ENDS = {"long": 'dbutils.notebook.exit("42 rows")', "longer": "", "fails": 'raise ValueError("no rows")'}


class Watching:
    """A watcher in this process.

    Attributes:
        lines: What it has said.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.lines: list[str] = []
        self._job = portal._Job(partial(watch, wanted, self.lines.append))
        self._future = self._job.start()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def stop(self) -> None:
        """What a signal does."""
        self._job.abandon()

    def said(self, text: str) -> bool:
        if self._future.done() and not self._future.cancelled() and self._future.exception():
            raise self._future.exception()
        return any(text in line for line in self.lines)


class Place:
    """A workspace whose runs end when they are told to, a saved block, and flow runs of deployments.

    Args:
        stack: What stops all of it.
        prefect_api: What the Prefect server says.
    """

    def __init__(self, stack: ExitStack, prefect_api: PrefectApi) -> None:
        self._stack, self.api = stack, prefect_api
        self.workspace = stack.enter_context(LocalWorkspace())
        for task_key, end in _ENDS.items():
            notebook = _NOTEBOOK.format(go=str(self.workspace.root / f"go-{task_key}"), end=end)
            (self.workspace.root / f"{task_key}.py").write_text(notebook)
        self.databricks = DatabricksCredentials(host=self.workspace.url, token=self.workspace.token)
        self.block = f"suspend-{uuid4()}"
        self.block_id = str(self.databricks.save(self.block))

    def end(self, task_key: str) -> None:
        """Let the runs of a notebook end: those that are active, and those that begin later."""
        (self.workspace.root / f"go-{task_key}").touch()

    def flow_run(self, flow: Flow[Any, Any], **parameters: Any) -> str:
        """A new flow run of a new deployment, which no worker takes."""
        deployment = flow.to_deployment(f"suspend-{uuid4()}", entrypoint_type=EntrypointType.MODULE_PATH)
        reference = {"$ref": {"block_document_id": self.block_id}}
        parameters = {"databricks_credentials": reference, **parameters}
        flow_run_id = str(run_deployment(deployment.apply(), parameters=parameters, timeout=0).id)
        self._stack.callback(self._delete, flow_run_id)
        return flow_run_id

    def _delete(self, flow_run_id: str) -> None:
        """Leave no suspended flow run to the watchers of other tests."""
        with suppress(httpx.HTTPStatusError):  # the test has deleted it
            self.api._delete(f"/flow_runs/{flow_run_id}")

    def begin(self, flow: Flow[Any, Any], **parameters: Any) -> str:
        """A new flow run, whose process begins and ends here."""
        flow_run_id = self.flow_run(flow, **parameters)
        self.process(flow_run_id)
        return flow_run_id

    def process(self, flow_run_id: str) -> None:
        """What a worker does with a flow run: a process, which ends when the flow run is over or suspended."""
        _runtime._of_process = _runtime.Runtime()  # a process knows nothing of those before it
        with suppress(Exception, Pause):  # what the flow has raised, which Prefect has been told
            _execute(UUID(flow_run_id))

    def in_background(self, flow: Flow[Any, Any], **parameters: Any) -> str:
        """A new flow run, whose process stays."""
        flow_run_id = self.flow_run(flow, **parameters)
        thread = threading.Thread(target=copy_context().run, args=(self.process, flow_run_id), daemon=True)
        thread.start()
        self._stack.callback(thread.join, PATIENCE)
        return flow_run_id

    @contextmanager
    def watching(self, *, is_seen: bool = True, **wanted: Any) -> Iterator[Watching]:
        """A watcher for the block."""
        watching = Watching(Wanted(**{"blocks": [self.block], **wanted}))
        try:
            if is_seen:
                self.wait(self.pages, watching)
            yield watching
        finally:
            watching.stop()

    def pages(self) -> list[dict[str, Any]]:
        """The pages of the watchers for this block."""
        body = {"artifacts": {"key": {"like_": "databricks-watcher-%"}}}
        found = self.api._post("/artifacts/filter", body)
        return [each for each in found if self.block_id in str(each["metadata_"])]

    def log(self, flow_run_id: str, text: str) -> None:
        """Wait for a line in the log of a flow run, which Prefect gets late."""
        try:
            wait_until(lambda: any(text in line for line in self.api.log(flow_run_id)))
        except AssertionError:
            raise AssertionError(f"no {text!r} in:\n" + "\n".join(self.api.log(flow_run_id))) from None

    def state(self, flow_run_id: str) -> tuple[str, str]:
        """The type and the name of the state of a flow run."""
        state = self.api.flow_run(flow_run_id)["state"]
        return state["type"], state["name"]

    def pause_key(self, flow_run_id: str) -> str:
        """The key that a flow run is suspended with."""
        return self.api.flow_run(flow_run_id)["state"]["state_details"]["pause_key"]

    def set_state(self, flow_run_id: str, type_: str, name: str | None = None, **more: Any) -> None:
        """What someone does by hand."""
        body = {"state": {"type": type_, "name": name, **more}, "force": True}
        self.api._post(f"/flow_runs/{flow_run_id}/set_state", body)

    def suspend(self, flow_run_id: str, key: str) -> None:
        """What a flow run does, or somebody else by hand."""
        details = {"pause_key": key, "pause_reschedule": True, "pause_timeout": "2100-01-01T00:00:00+00:00"}
        self.set_state(flow_run_id, "RUNNING", "Running")
        self.set_state(flow_run_id, "PAUSED", "Suspended", state_details=details)

    @property
    def starts(self) -> int:
        """How many Databricks runs were started."""
        return len(self.workspace.runs)

    def states_in_databricks(self) -> list[tuple[str, str | None]]:
        """The states of all Databricks runs, the oldest first."""
        runs = [run["state"] for run in self.workspace.runs.values()]
        return [(each["life_cycle_state"], each.get("result_state")) for each in runs]

    def times_resumed(self, flow_run_id: str) -> int:
        """How often a flow run was resumed."""
        return self.api.state_names(flow_run_id).count(("SCHEDULED", "Resuming"))

    def wait(self, what: Callable[[], Any], watching: Watching | None = None) -> None:
        """Wait for something; a watcher says what it did if it does not come to that."""
        try:
            wait_until(what)
        except AssertionError:
            raise AssertionError(f"it did not come to that; the watcher said:\n{watching and watching.text}") from None

    def wait_for(self, flow_run_id: str, state: tuple[str, str], watching: Watching | None = None) -> None:
        """Wait for a state."""
        try:
            wait_until(lambda: self.state(flow_run_id) == state)
        except AssertionError:
            said = f"{self.state(flow_run_id)}; the watcher said:\n{watching and watching.text}"
            log = "\n".join(self.api.log(flow_run_id))
            raise AssertionError(f"it is {said}\nthe flow run said:\n{log}") from None


RESUMING, SUSPENDED = ("SCHEDULED", "Resuming"), ("PAUSED", "Suspended")
DONE = ("COMPLETED", "Completed")
CANCELED = ("TERMINATED", "CANCELED")


def _execute(flow_run_id: UUID) -> None:
    if PREFECT_3:
        from prefect.flow_engine import load_flow_and_flow_run, run_flow

        flow_run, flow = load_flow_and_flow_run(flow_run_id)
        result = run_flow(flow, flow_run=flow_run)
        if asyncio.iscoroutine(result):
            asyncio.run(result)
        return
    from prefect.engine import enter_flow_run_engine_from_subprocess

    enter_flow_run_engine_from_subprocess(flow_run_id)
