"""Bodies in the form of version 2.0: one task, whose fields stand at the top level."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.client import Client, state_of

TASK_KEY = "887e596bf99dfd1d45cd7fe4f1e4168d"


def key_of(client: Client, **body: Any) -> str:
    """Returns the key of the only task of a run that is submitted without `tasks`."""
    notebook = {"notebook_path": client.notebook("")}
    run_id = client.post("runs/submit", notebook_task=notebook, existing_cluster_id="c", **body)["run_id"]
    (task,) = client.wait(run_id)["tasks"]
    key: str = task["task_key"]
    return key


@pytest.mark.parametrize(
    ("run_name", "task_key"),
    [
        (TASK_KEY, TASK_KEY),
        ("dag__task-1", "dag__task-1"),
        ("k" * 150, "k" * 100),
        ("nightly load: é", "nightly_load___"),
        ("", "main"),
    ],
)
def test_the_task_is_called_after_the_run(client: Client, run_name: str, task_key: str) -> None:
    assert key_of(client, run_name=run_name) == task_key


def test_the_task_of_a_run_without_a_name_is_called_main(client: Client) -> None:
    assert key_of(client) == "main"


def test_a_name_that_is_no_text_is_refused_as_such(client: Client) -> None:
    status, code, message = client.refused("runs/submit", notebook_task={"notebook_path": "/n"}, run_name=["x"])
    assert (status, code) == (400, "MALFORMED_REQUEST")
    assert "run_name" in message


def test_the_one_task_of_a_job_is_called_main(client: Client) -> None:
    job_id = client.post("create", name="nightly", notebook_task={"notebook_path": "/n"})["job_id"]
    assert [task["task_key"] for task in client.get("get", job_id=job_id)["settings"]["tasks"]] == ["main"]


def test_airflows_notebook_operator_finds_its_task(client: Client) -> None:
    """As DatabricksNotebookOperator asks: the key as the run's name, then the run, its task and the output of that."""
    notebook = {"notebook_path": client.notebook("raise ValueError('no rows')"), "source": "WORKSPACE"}
    submitted = {"run_name": TASK_KEY, "notebook_task": notebook, "timeout_seconds": "0", "existing_cluster_id": "c"}
    run_id = client.post("runs/submit", **submitted)["run_id"]
    in_order = sorted(client.run(run_id)["tasks"], key=lambda task: int(task["start_time"]))
    task_run_id = {task["task_key"]: task for task in in_order}[TASK_KEY]["run_id"]
    ended = client.wait(task_run_id)
    assert state_of(ended) == ("TERMINATED", "FAILED")
    (failed,) = ended["tasks"]
    assert client.get("runs/get-output", run_id=failed["run_id"])["error"] == "ValueError: no rows"
