"""A workspace whose tasks are only played, in a time that tests advance."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client, state_of

FAILED = {"result_state": "FAILED", "error": "ValueError: no rows"}


@contextlib.contextmanager
def simulated(script: Any = None, **options: Any) -> Iterator[Client]:
    """A client of a workspace where every task that `script` does not name succeeds at once."""
    course = script if callable(script) else {"*": {}, **(script or {})}
    with LocalWorkspace(script=course, virtual_time=True, **options) as workspace:
        client = Client(workspace)
        yield client
        client.close()


def task(task_key: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
    """A task; `"a"` or `"a=true"` says what it depends on."""
    dependencies = [
        {"task_key": key, "outcome": outcome} if outcome else {"task_key": key}
        for key, _, outcome in (text.partition("=") for text in depends_on)
    ]
    return {
        "task_key": task_key,
        **({"depends_on": dependencies} if dependencies else {}),
        **({} if any(name.endswith("_task") for name in fields) else {"notebook_task": {"notebook_path": "/n"}}),
        **fields,
    }


def job(client: Client, *tasks: dict[str, Any], **settings: Any) -> int:
    return client.post("create", tasks=list(tasks), **settings)["job_id"]


def attempts(run: dict[str, Any], task_key: str) -> list[dict[str, Any]]:
    """The attempts at a task, the first one first."""
    found = [each for each in run["tasks"] if each["task_key"] == task_key]
    return sorted(found, key=lambda each: each["attempt_number"])


def states(run: dict[str, Any]) -> dict[str, str | None]:
    """The result state of the latest attempt at each task, or the life-cycle state of one without."""
    last = {each["task_key"]: each for each in sorted(run["tasks"], key=lambda each: each["attempt_number"])}
    return {key: state_of(each)[1] or state_of(each)[0] for key, each in last.items()}
