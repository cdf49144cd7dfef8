"""Show Databricks runs in the Prefect UI, and in the log of the flow run that waits for them."""

from __future__ import annotations

from .artifact import artifact_text
from .flow_run_report import END_NOT_SEEN, FlowRunReport
from .flow_runs import final_state, may_return, state_of_runs
from .run_artifact import show_started
from .run_report import RunReport
from .runs_report import RunsReport

__all__ = [
    "END_NOT_SEEN",
    "FlowRunReport",
    "RunReport",
    "RunsReport",
    "artifact_text",
    "final_state",
    "may_return",
    "show_started",
    "state_of_runs",
]
