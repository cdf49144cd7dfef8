"""What the local workspace says of its runs."""

from __future__ import annotations

from prefect_databricks_runs.local import LocalWorkspace


def states(workspace: LocalWorkspace) -> list[tuple[str, str | None]]:
    """The life-cycle state and the result state of each run."""
    return [(run["state"]["life_cycle_state"], run["state"].get("result_state")) for run in workspace.runs.values()]


def polls(workspace: LocalWorkspace) -> int:
    """How often a run was read."""
    return len(workspace.requests_to("GET */runs/get"))
