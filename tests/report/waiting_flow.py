"""A flow that waits for a Databricks run in a thread of its own, so that the test decides what happens to the run."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from prefect_databricks_runs import DatabricksCredentials, Run, wait_for_run
from prefect_databricks_runs.local import LocalWorkspace
from tests.prefect_api import PrefectApi
from tests.processes import wait_until

State = tuple[str, str]


class WaitingFlow:
    """A waiting flow run, as the Prefect server shows it."""

    def __init__(self, prefect_api: PrefectApi, name: str) -> None:
        self._prefect_api = prefect_api
        self._name = name
        self._error: BaseException | None = None
        self._run: Run | None = None

    @property
    def flow_run(self) -> dict[str, Any]:
        """The flow run."""
        (flow_run,) = self._prefect_api.flow_runs_named(self._name)
        return flow_run

    @property
    def task_runs(self) -> dict[str, dict[str, Any]]:
        """The mirrored task runs, by their task's key."""
        return {each["name"]: each for each in self._prefect_api.task_runs(self.flow_run["id"])}

    @property
    def artifact(self) -> str:
        """The markdown."""
        artifacts = self._prefect_api.artifacts(self.flow_run["id"])
        return next((each["data"] for each in artifacts if each["type"] == "markdown"), "")

    @property
    def flow_run_states(self) -> list[State]:
        """Each state that the flow run had, but for those that came twice in a row."""
        return without_repetitions(self._prefect_api.state_names(self.flow_run["id"]))

    @property
    def task_run_states(self) -> dict[str, list[State]]:
        """Each state that each of the task runs had, but for those that came again in a row, with the error."""
        return {
            key: without_repetitions(self._prefect_api.task_state_names(each["id"]))
            for key, each in self.task_runs.items()
        }

    def shows(self, flow_run: State | None, task_runs: dict[str, State]) -> bool:
        """Whether the server shows these states now; None for a flow run that has ended."""
        if not self._prefect_api.flow_runs_named(self._name):
            return False
        shown = {key: _state(each) for key, each in self.task_runs.items()}
        return shown == task_runs and flow_run in (None, _state(self.flow_run))

    def wait_until_it_shows(self, flow_run: State | None, task_runs: dict[str, State]) -> None:
        """Come back when the server shows these states."""
        try:
            wait_until(lambda: self.shows(flow_run, task_runs), seconds=30)
        except AssertionError:
            now = {key: _state(each) for key, each in self.task_runs.items()}
            raise AssertionError(
                f"Wanted {flow_run} and {task_runs}; it shows {_state(self.flow_run)} and {now}"
            ) from None

    def end(self) -> Run | BaseException:
        """What the flow gave or raised, once it has ended."""
        wait_until(lambda: self._error or self._run)
        result = self._error or self._run
        assert result
        return result

    def run(self, databricks: DatabricksCredentials, run_id: int, **options: Any) -> None:
        """Run the flow."""
        flow = wait_for_run.with_options(name=self._name)
        try:
            self._run = flow(databricks, run_id, polling_period_seconds=0.05, max_outage_seconds=10, **options)
        except BaseException as error:
            self._error = error


@contextmanager
def waiting_flow(
    prefect_api: PrefectApi, workspace: LocalWorkspace, run_id: int, name: str, **options: Any
) -> Iterator[WaitingFlow]:
    """Has a flow of this name wait for a run of the workspace."""
    databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
    flow = WaitingFlow(prefect_api, name)
    with ThreadPoolExecutor(1) as executor:
        ended = executor.submit(contextvars.copy_context().run, flow.run, databricks, run_id, **options)
        try:
            yield flow
        finally:
            if not ended.done():  # the test has failed; so that the thread ends too
                workspace.fault("GET */runs/get", status=404)


def _state(thing: dict[str, Any]) -> State:
    return thing["state"]["type"], thing["state"]["name"]


def without_repetitions(states: list[State]) -> list[State]:
    return [state for state, before in zip(states, [None, *states], strict=False) if state != before]
