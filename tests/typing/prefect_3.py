"""What type-checks on Prefect 3 alone: Prefect 2 awaits the condition of a retry too, but its types do not say so."""

from __future__ import annotations

from prefect import task

from prefect_databricks_runs import DatabricksCredentials, retry_on_platform_failure, submit_run_and_wait


@task(retries=2, retry_condition_fn=retry_on_platform_failure)
def retried(databricks: DatabricksCredentials) -> str:
    return submit_run_and_wait(databricks, notebook_task={"notebook_path": "/Shared/nightly"}).run_name
