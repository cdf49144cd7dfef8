"""The local workspace: a small Databricks Jobs API on loopback that really runs the tasks.

It is the other side of the wire: it imports nothing else of this package and nothing of Prefect.

The way of a request: `server` (thread and loop) → `app` (sign-in, JSON, errors) → `endpoints` → `schema`, `bodies`
and `checks` (is it right?) → `store` (jobs and runs, as `records`) → `answers` (JSON). Who asks: `sign_in`, by
`users` and by `oauth_tokens`, which `oauth_pages` hands out. The way of a run: `engine` (all runs) → `course` (one run)
→ `workshop` (one task) → `child_process` → `task_child` (the user's code). `states` and `texts` are tables.
"""

from __future__ import annotations

from .faults import Fault
from .request_log import RecordedRequest
from .simulation import SimulatedTask, TaskStart
from .workspace import LocalWorkspace

__all__ = ["Fault", "LocalWorkspace", "RecordedRequest", "SimulatedTask", "TaskStart"]
