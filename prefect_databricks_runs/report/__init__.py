"""Everything that is shown in the Prefect UI of a Databricks run, and in the log of the flow run that waits for it."""

from __future__ import annotations

from prefect_databricks_runs.report.artifact import artifact_text
from prefect_databricks_runs.report.flow_runs import final_state, may_return
from prefect_databricks_runs.report.logs import Logger, SteadyLogger, run_logger
from prefect_databricks_runs.report.run_artifact import show_started
from prefect_databricks_runs.report.run_report import RunReport

__all__ = [
    "Logger",
    "RunReport",
    "SteadyLogger",
    "artifact_text",
    "final_state",
    "may_return",
    "run_logger",
    "show_started",
]
