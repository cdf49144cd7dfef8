"""A client of the local workspace for tests: submit, wait, read."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import httpx

from prefect_databricks_runs.local import LocalWorkspace
from tests.support.processes import wait_until

SECONDS = 20.0
API = "/api/2.2/jobs"

_numbers = itertools.count()


class Client:
    def __init__(self, workspace: LocalWorkspace) -> None:
        self.workspace = workspace
        self.http = httpx.Client(
            base_url=workspace.url,
            headers={"Authorization": f"Bearer {workspace.token}"},
            timeout=SECONDS,
        )

    def close(self) -> None:
        self.http.close()

    def notebook(self, text: str) -> str:
        """Writes a notebook of one cell or more and returns its path."""
        return self.write(f"# Databricks notebook source\n{text}", ".py").removesuffix(".py")

    def write(self, text: str, suffix: str) -> str:
        """Writes a file and returns its path in the workspace."""
        path = f"/file-{next(_numbers)}{suffix}"
        (self.workspace.root / path[1:]).write_text(text, "utf-8")
        return path

    def get(self, endpoint: str, **query: Any) -> dict[str, Any]:
        return self.answer(self.http.get(f"{API}/{endpoint}", params=query))

    def post(self, endpoint: str, **body: Any) -> dict[str, Any]:
        return self.answer(self.http.post(f"{API}/{endpoint}", json=body))

    def refused(self, endpoint: str, **body: Any) -> tuple[int, str, str]:
        """Returns status, error code and message of a POST that is refused."""
        return error(self.http.post(f"{API}/{endpoint}", json=body))

    def answer(self, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        return response.json()

    def submit(self, *tasks: dict[str, Any], **body: Any) -> int:
        return self.post("runs/submit", tasks=list(tasks), **body)["run_id"]

    def run(self, run_id: int) -> dict[str, Any]:
        return self.get("runs/get", run_id=run_id)

    def wait(self, run_id: int) -> dict[str, Any]:
        """Returns the run when it is over."""
        return wait_until(lambda: over(self.run(run_id)))

    def finish(self, *tasks: dict[str, Any], **body: Any) -> dict[str, Any]:
        """Submits a run and returns it when it is over."""
        return self.wait(self.submit(*tasks, **body))

    def output(self, run: dict[str, Any], task_key: str = "main") -> dict[str, Any]:
        return self.get("runs/get-output", run_id=task_of(run, task_key)["run_id"])


def notebook_task(path: str, task_key: str = "main", *depends_on: str, **fields: Any) -> dict[str, Any]:
    """Returns a task that runs a notebook; `base_parameters` goes where it belongs, the rest to the task."""
    task: dict[str, Any] = {"task_key": task_key, "notebook_task": {"notebook_path": path}}
    if "base_parameters" in fields:
        task["notebook_task"]["base_parameters"] = fields.pop("base_parameters")
    if depends_on:
        task["depends_on"] = [{"task_key": key} for key in depends_on]
    return {**task, **fields}


def python_task(path: str, *parameters: str, **fields: Any) -> dict[str, Any]:
    task = {"python_file": path, "parameters": list(parameters)}
    return {"task_key": "main", "existing_cluster_id": "c", "spark_python_task": task, **fields}


def task_of(run: dict[str, Any], task_key: str) -> dict[str, Any]:
    return next(task for task in run["tasks"] if task["task_key"] == task_key)


def over(run: dict[str, Any]) -> dict[str, Any] | None:
    return run if run["status"]["state"] == "TERMINATED" else None


def state_of(thing: dict[str, Any]) -> tuple[str, str | None]:
    """Returns life-cycle state and result state of a run or task."""
    return thing["state"]["life_cycle_state"], thing["state"].get("result_state")


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it is not only waiting to be forgotten."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def error(response: httpx.Response) -> tuple[int, str, str]:
    body = response.json()
    if isinstance(body["error_code"], str):
        (details,) = body.pop("details")
        assert details["@type"].endswith(".RequestInfo")
        assert details["request_id"]
    assert set(body) == {"error_code", "message"}
    return response.status_code, body["error_code"], body["message"]
