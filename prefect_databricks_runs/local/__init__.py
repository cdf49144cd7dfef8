"""The local workspace: a small Databricks Jobs API on loopback that really runs the tasks.

It is the other side of the wire: it imports nothing else of this package and nothing of Prefect.

`workspace` is the public class. `controls` and `account_controls` are its base classes, and `option_checks` checks its
options. `assembly` puts the pieces together, `clock` is their time, and `files.temporary` keeps their temporary files.

The path of a request: `web.server` (thread and loop) → `web.connection` → `app` (body, faults, sign-in, errors) →
`web.request_body` (fields) → the endpoints of `api` → `bodies` (checks) → `runs.store` (jobs and runs, as
`runs.records`) → `api.answers` and `api.job_answers` (JSON). The path of a run: `runs.engine` (all runs) →
`runs.course` (the order of one run's tasks) → `runs.attempts` (one task) → `runs.works` (the kind of work):
`runs.simulation`, `runs.composed` (condition, for-each, run-job), or `runs.workshop` → `runs.child_process` →
`task_child` (`supervisor`, around the user's code). `faults` are set by tests, `accounts` may sign in, `files` are the
workspace's files. `runs.states` and `texts` are tables.
"""

from __future__ import annotations

from .faults.faults import Fault
from .runs.simulation import SimulatedTask, TaskStart
from .web.request_log import RecordedRequest
from .workspace import LocalWorkspace

__all__ = ["Fault", "LocalWorkspace", "RecordedRequest", "SimulatedTask", "TaskStart"]
