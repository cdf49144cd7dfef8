"""A Databricks run with a fork, a join that fails, and tasks that never run, waited for by a real flow."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from prefect_databricks_runs import DatabricksCredentials, Run, submit_run_and_wait
from prefect_databricks_runs.local import LocalWorkspace

ERROR = "ValueError: 3 orders have no customer"
TRACEBACK = f"""Traceback (most recent call last):
  File "/Workspace/Shared/match.py", line 12, in <module>
    rows = match(orders, customers)
  File "/Workspace/Shared/match.py", line 7, in match
    raise ValueError("3 orders have no customer")
{ERROR}"""
SCRIPT: dict[str, Any] = {
    "extract": {"queued": 0.5, "pending": 0.5, "running": 1.5},
    "orders": {"running": 1},
    "customers": {"running": 2},
    "match": {"running": 1.5, "result_state": "FAILED", "error": ERROR, "error_trace": TRACEBACK},
    "*": {},
}
AFTER: dict[str, set[str]] = {
    "extract": set(),
    "audit": set(),
    "orders": {"extract"},
    "customers": {"extract"},
    "match": {"orders", "customers"},
    "publish": {"match"},
    "notify": {"publish"},
}
STATES = {
    "extract": "Success",
    "audit": "Disabled",
    "orders": "Success",
    "customers": "Success",
    "match": "Failed",
    "publish": "UpstreamFailed",
    "notify": "UpstreamFailed",
}


@contextmanager
def waiting_flow(flow_name: str, *, virtual_time: bool = False) -> Iterator[tuple[LocalWorkspace, Future[Run]]]:
    """Start the run, and in another thread a flow that waits for it, whose value or error the future has."""
    with LocalWorkspace(script=SCRIPT, virtual_time=virtual_time) as workspace, ThreadPoolExecutor(1) as threads:
        databricks = DatabricksCredentials(host=workspace.url, token=workspace.token)
        flow = submit_run_and_wait.with_options(name=flow_name)
        settings = contextvars.copy_context()  # the tests' Prefect server is among them

        def wait() -> Run:
            return flow(databricks, {"tasks": _tasks()}, run_name="nightly", polling_period_seconds=0.1)

        try:
            yield workspace, threads.submit(settings.run, wait)
        finally:
            if virtual_time:
                workspace.advance(3600)  # whatever the test came to, the flow ends


def _tasks() -> list[dict[str, Any]]:
    return [
        {
            "task_key": task_key,
            "depends_on": [{"task_key": other} for other in sorted(after)],
            "notebook_task": {"notebook_path": f"/Shared/{task_key}"},
            **({"disabled": True} if task_key == "audit" else {}),
        }
        for task_key, after in AFTER.items()
    ]
