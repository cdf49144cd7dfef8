"""Show Databricks runs in the Prefect UI, and in the log of the flow run that waits for them.

`run_report` shows the changes of one run, and `runs_report` of many; `flow_run_report` is their base class. Each change
goes to the log (`logs`), to an event (`events`), to a task run (`task_runs`: for each task of one run, or for each of
many runs), and to the other `things` of the flow run: its name, tags, state name, artifact and progress. `queue` sends
task runs and things to Prefect; Prefect sends logs and events itself. `artifact` writes the artifact of one run, and
`summary` of many, with `markdown`, which makes foreign strings safe. `run_artifact` has the one artifact of a run: the
start makes it, and the wait updates it. `flow_run_artifact` shows an artifact once in the active flow run.
`drawn_before` finds the task runs that earlier attempts of the flow run have made. `traces` finds the Databricks runs
of other flow runs by their artifacts, and corrects what a dead flow run shows. `flow_runs` makes the final state of the
flow run, and says whether the flow may return it.
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
