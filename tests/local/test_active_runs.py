"""How many runs a workspace lets be active at once."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client
from tests.local.simulated import job, simulated, task

SLOW: dict[str, Any] = {"slow": {"running": 60}}
FULL = (429, "REQUEST_LIMIT_EXCEEDED", "There are already 2 active runs (limit: 2).")
QUEUE = {"queue": {"enabled": True}}


def status(client: Client, run_id: int) -> str:
    return str(client.run(run_id)["status"]["state"])


def test_a_run_above_the_limit_is_refused_and_not_made() -> None:
    with simulated(SLOW, max_active_runs=2) as client:
        job_id = job(client, task("slow"), queue={"enabled": False}, max_concurrent_runs=9)
        first = client.submit(task("slow"), idempotency_token="t")
        client.submit(task("slow"))
        assert client.refused("runs/submit", tasks=[task("slow")]) == FULL
        assert client.refused("run-now", job_id=job_id) == FULL
        assert len(client.workspace.runs) == 2
        assert client.submit(task("slow"), idempotency_token="t") == first  # nothing starts

        client.workspace.advance(60)
        client.post("run-now", job_id=job_id)


def test_a_run_above_the_limit_that_may_be_queued_waits_for_its_place() -> None:
    with simulated(SLOW, max_active_runs=2) as client:
        job_id = job(client, task("slow"), max_concurrent_runs=9)
        for _ in range(2):
            client.submit(task("slow"))
        client.workspace.advance(30)
        submitted = client.submit(task("slow"), **QUEUE)
        of_job = client.post("run-now", job_id=job_id)["run_id"]
        details = client.run(submitted)["status"]["queue_details"]
        assert details["code"] == "ACTIVE_RUNS_LIMIT_REACHED"
        assert [status(client, each) for each in (submitted, of_job)] == ["QUEUED", "QUEUED"]

        client.workspace.advance(30)
        assert [status(client, each) for each in (submitted, of_job)] == ["RUNNING", "RUNNING"]
        client.workspace.advance(60)
        assert [status(client, each) for each in (submitted, of_job)] == ["TERMINATED", "TERMINATED"]


def test_a_run_that_waits_can_be_cancelled() -> None:
    with simulated(SLOW, max_active_runs=1) as client:
        client.submit(task("slow"))
        waiting = client.submit(task("slow"), **QUEUE)
        client.post("runs/cancel", run_id=waiting)
        assert client.run(waiting)["state"]["result_state"] == "CANCELED"
        client.workspace.advance(60)
        client.submit(task("slow"))


def test_the_limit_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="max_active_runs must be at least 1, it is 0"):
        LocalWorkspace(max_active_runs=0)
