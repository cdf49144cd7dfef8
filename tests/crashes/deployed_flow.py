"""The flow that is deployed, and that things happen to."""

from prefect import flow, get_run_logger

from prefect_databricks_runs import DatabricksCredentials, submit_run, wait_for_run

JOB = {
    "tasks": [
        {"task_key": "main", "notebook_task": {"notebook_path": "/main"}},
        {"task_key": "after", "depends_on": [{"task_key": "main"}], "notebook_task": {"notebook_path": "/after"}},
    ]
}


@flow
def nightly(databricks_credentials: DatabricksCredentials) -> int:
    run_id = submit_run(databricks_credentials, JOB)
    run = wait_for_run(databricks_credentials, run_id, polling_period_seconds=0.2)
    get_run_logger().info("The result of run %d is %s.", run.run_id, run.tasks["main"].output.result)
    return run.run_id
