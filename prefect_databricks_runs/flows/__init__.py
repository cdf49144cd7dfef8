"""The Prefect flows that wait for Databricks runs and show each of their states: `wait_for_run` and its relatives.

`submitting` and `running_jobs` start a run and wait for it; `waiting` and `waiting_for_many` wait for runs that were
started before. `job_block` is the block `DatabricksJob`, and `databricks_jobs` has the flows that run its job. `parts`
is common to all flows that start a run. `job_run` is what `trigger` of the block returns. `flow` is the class of all
flows. A flow is created at its first use: that takes long, as Prefect makes models of all its parameters.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .._lazy import names_of

if TYPE_CHECKING:
    from .databricks_jobs import arun_databricks_job, run_databricks_job
    from .running_jobs import arun_now_and_wait, run_now_and_wait
    from .submitting import asubmit_run_and_wait, submit_run_and_wait
    from .waiting import await_for_run, wait_for_run
    from .waiting_for_many import await_for_runs, wait_for_runs

__all__ = [
    "arun_databricks_job",
    "arun_now_and_wait",
    "asubmit_run_and_wait",
    "await_for_run",
    "await_for_runs",
    "run_databricks_job",
    "run_now_and_wait",
    "submit_run_and_wait",
    "wait_for_run",
    "wait_for_runs",
]

# Prefect makes a pydantic model of a flow's parameters; `json` is what the old tasks called it.
warnings.filterwarnings("ignore", message='Field name "json".*shadows an attribute')

_HOMES = {
    "databricks_jobs": ("arun_databricks_job", "run_databricks_job"),
    "running_jobs": ("arun_now_and_wait", "run_now_and_wait"),
    "submitting": ("asubmit_run_and_wait", "submit_run_and_wait"),
    "waiting": ("await_for_run", "wait_for_run"),
    "waiting_for_many": ("await_for_runs", "wait_for_runs"),
}

if not TYPE_CHECKING:  # a type checker would take any name for one of ours
    __getattr__, __dir__ = names_of(__name__, _HOMES)
