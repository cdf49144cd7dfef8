"""The flows that are deployed: each waits for a Databricks run in a subflow.

No `from __future__ import annotations`: Prefect 3 cannot resolve such annotations of a flow that is served from a file.
"""

from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, asubmit_run_and_wait, submit_run_and_wait
from tests.leave.job import JOB, QUICK


@flow
def sync_parent(databricks_credentials: DatabricksCredentials) -> str:
    return submit_run_and_wait(databricks_credentials, JOB, polling_period_seconds=QUICK).state.name


@flow
async def async_parent(databricks_credentials: DatabricksCredentials) -> str:
    return (await asubmit_run_and_wait(databricks_credentials, JOB, polling_period_seconds=QUICK)).state.name
