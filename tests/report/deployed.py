"""A flow of a user that is deployed, and waits for a Databricks run in a subflow."""

from __future__ import annotations

from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, wait_for_run


@flow(name="deployed-parent")
def parent(host: str, token: str, run_id: int) -> None:
    """Wait for the run."""
    wait_for_run(DatabricksCredentials(host=host, token=token), run_id, polling_period_seconds=0.2)
