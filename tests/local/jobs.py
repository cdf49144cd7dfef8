"""Jobs for tests: made in one line, read in one line."""

from __future__ import annotations

from typing import Any

from tests.local.client import Client, notebook_task

VERSIONS = ("2.0", "2.1", "2.2")
INVALID = (400, "INVALID_PARAMETER_VALUE")


def settings_of(client: Client, job_id: int) -> dict[str, Any]:
    return client.get("get", job_id=job_id)["settings"]


def create(client: Client, *tasks: dict[str, Any], **settings: Any) -> int:
    return client.post("create", tasks=list(tasks or [notebook_task("/n")]), **settings)["job_id"]


def keys(settings: dict[str, Any]) -> list[str]:
    return [task["task_key"] for task in settings["tasks"]]


def many_tasks(count: int) -> list[dict[str, Any]]:
    return [notebook_task("/n", f"task-{number}") for number in range(count)]
