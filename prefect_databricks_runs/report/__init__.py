"""Everything that is shown in the Prefect UI of a Databricks run, and in the log of the flow run that waits for it."""

from __future__ import annotations

from prefect_databricks_runs.report.artifact import artifact_text
from prefect_databricks_runs.report.flow_run_report import FlowRunReport
from prefect_databricks_runs.report.flow_runs import failure_of, final_state, may_return, state_of_runs
from prefect_databricks_runs.report.logs import Logger, SteadyLogger, run_logger
from prefect_databricks_runs.report.run_artifact import show_started
from prefect_databricks_runs.report.run_report import RunReport
from prefect_databricks_runs.report.runs_report import RunsReport

__all__ = [
    "FlowRunReport",
    "Logger",
    "RunReport",
    "RunsReport",
    "SteadyLogger",
    "artifact_text",
    "failure_of",
    "final_state",
    "may_return",
    "run_logger",
    "show_started",
    "state_of_runs",
]
