"""The local workspace: a small Databricks Jobs API on loopback that really runs the tasks.

It is the other side of the wire: it imports nothing else of this package and nothing of Prefect.

`workspace` is the outside, `assembly` puts the pieces together, `clock` is their time.

The way of a request: `server` (thread and loop) → `connection` → `app` (faults, sign-in, errors) → `request_body` →
`job_endpoints`, `run_endpoints` and the like → `schema`, `bodies` and `checks` (is it right?) → `store` (jobs and runs,
as `records`) → `answers` and `job_answers` (JSON). The way of a run: `engine` (all runs) → `course` (the order of one
run's tasks, by `run_if`) → `attempts` (one task) → `works` (which work it is): `simulation`, `composed` (condition,
for-each, run-job), or `workshop` → `child_process` → `task_child` (the user's code). `states` and `texts` are tables.
"""

from __future__ import annotations

from .faults.faults import Fault
from .runs.simulation import SimulatedTask, TaskStart
from .web.request_log import RecordedRequest
from .workspace import LocalWorkspace

__all__ = ["Fault", "LocalWorkspace", "RecordedRequest", "SimulatedTask", "TaskStart"]
