"""A waiting flow run as a Prefect server shows it."""

from __future__ import annotations

from typing import Any

from tests.support.prefect_api import PrefectApi
from tests.support.processes import PATIENCE, wait_until

State = tuple[str, str]


class ShownFlow:
    """The one run of a flow of this name, its task runs and artifacts."""

    def __init__(self, prefect_api: PrefectApi, name: str) -> None:
        self.prefect_api = prefect_api
        self.name = name

    @property
    def flow_run(self) -> dict[str, Any]:
        """The flow run."""
        (flow_run,) = self.prefect_api.flow_runs_named(self.name)
        return flow_run

    @property
    def task_runs(self) -> dict[str, dict[str, Any]]:
        """The mirrored task runs, by their task's key."""
        return {each["name"]: each for each in self.prefect_api.task_runs(self.flow_run["id"])}

    @property
    def artifact(self) -> str:
        """The markdown; empty before there is one."""
        return str(self.artifacts.get("markdown", ""))

    @property
    def artifacts(self) -> dict[str, Any]:
        """The data of the artifacts by their type."""
        return {each["type"]: each["data"] for each in self.prefect_api.artifacts(self.flow_run["id"])}

    @property
    def flow_run_states(self) -> list[State]:
        """Each state that the flow run had, but for those that came again in a row."""
        return without_repetitions(self.prefect_api.state_names(self.flow_run["id"]))

    @property
    def task_run_states(self) -> dict[str, list[State]]:
        """Each state that each of the task runs had, but for those that came again in a row, with the error."""
        return {
            key: without_repetitions(self.prefect_api.task_state_names(each["id"]))
            for key, each in self.task_runs.items()
        }

    def shows(self, flow_run: State | None, task_runs: dict[str, State]) -> bool:
        """Whether the server shows these states now; None for a flow run that has ended."""
        if not self.prefect_api.flow_runs_named(self.name):
            return False
        shown = {key: _state(each) for key, each in self.task_runs.items()}
        return shown == task_runs and flow_run in (None, _state(self.flow_run))

    def wait_until_it_shows(
        self, flow_run: State | None, task_runs: dict[str, State], seconds: float = PATIENCE
    ) -> None:
        """Come back when the server shows these states."""
        try:
            wait_until(lambda: self.shows(flow_run, task_runs), seconds)
        except AssertionError:
            shown = [each["state"]["name"] for each in self.prefect_api.flow_runs_named(self.name)]
            now = {key: _state(each) for key, each in self.task_runs.items()} if shown else {}
            raise AssertionError(f"Wanted {flow_run} and {task_runs}; it shows {shown} and {now}") from None


def _state(thing: dict[str, Any]) -> State:
    return thing["state"]["type"], thing["state"]["name"]


def without_repetitions(states: list[State]) -> list[State]:
    return [state for state, before in zip(states, [None, *states], strict=False) if state != before]
