"""Show Databricks runs in the Prefect UI, and in the log of the flow run that waits for them.

`run_report` and `runs_report` take in the changes of one run and of many; what they share is `flow_run_report`. From
there a change goes to the log (`logs`), to an event (`events`), to the task run of its task (`task_runs`), and to the
other `things` of the flow run, whose artifact `artifact` or `summary` writes, with the `markdown` of foreign text.
`queue` sends it all to Prefect. `run_artifact` makes the artifact when a run starts, and `flow_run_artifact` makes
artifacts that are never updated. `drawn_before` and `traces` find what earlier attempts and other flow runs have shown,
and `flow_runs` decides in which state the flow run ends.
"""

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
