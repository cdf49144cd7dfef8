"""What starts the runs of a job: kept, answered, and never fired; and `run-now` of a continuous job."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.client import Client
from tests.local.jobs import create, settings_of
from tests.local.simulated import job, simulated, task

CRON = {"quartz_cron_expression": "0 * * * * ?", "timezone_id": "UTC"}
DAILY = {"periodic": {"interval": 1, "unit": "DAYS"}}


@pytest.mark.parametrize("pause_status", [{}, {"pause_status": "UNPAUSED"}, {"pause_status": "PAUSED"}])
@pytest.mark.parametrize(
    ("name", "starter"),
    [
        ("schedule", CRON),
        ("continuous", {"task_retry_mode": "NEVER"}),
        ("trigger", DAILY),
        ("trigger", {"file_arrival": {"url": "/Volumes/x/", "min_time_between_triggers_seconds": 60}}),
        ("trigger", {"table_update": {"table_names": ["a.b.c"], "condition": "ANY_UPDATED"}}),
        ("triggers", DAILY),
        ("triggers", {"schedule": CRON}),
    ],
)
def test_what_starts_a_job_comes_back_as_it_was_given(
    client: Client, name: str, starter: dict[str, Any], pause_status: dict[str, str]
) -> None:
    given = {**starter, **pause_status}
    job_id = create(client, **{name: [given] if name == "triggers" else given})
    read = {"pause_status": "UNPAUSED", **given}
    assert settings_of(client, job_id)[name] == ([read] if name == "triggers" else read)
    without = {"job_id": job_id, "fields_to_remove": [name]}
    client.post("update", **without)
    assert name not in settings_of(client, job_id)


def test_nothing_starts_a_job_by_itself() -> None:
    with simulated() as client:
        job(client, task("a"), schedule=CRON)
        job(client, task("a"), trigger={"periodic": {"interval": 1, "unit": "MINUTES"}})
        job(client, task("a"), continuous={})
        client.workspace.advance(7 * 86_400)
        assert client.get("runs/list") == {}


def test_run_now_of_a_continuous_job_that_is_running_answers_without_a_run() -> None:
    with simulated({"a": {"running": 60}}) as client:
        job_id = job(client, task("a"), continuous={"pause_status": "UNPAUSED"})
        first = client.post("run-now", job_id=job_id, idempotency_token="t")
        assert client.post("run-now", job_id=job_id) == {}
        assert client.post("run-now", job_id=job_id, idempotency_token="t") == first
        assert len(client.workspace.runs) == 1

        client.workspace.advance(60)
        assert client.post("run-now", job_id=job_id)["run_id"] != first["run_id"]


def test_run_now_of_a_paused_continuous_job_waits_as_for_others() -> None:
    with simulated({"a": {"running": 60}}) as client:
        job_id = job(client, task("a"), continuous={"pause_status": "PAUSED"})
        client.post("run-now", job_id=job_id)
        run_id = client.post("run-now", job_id=job_id)["run_id"]
        assert client.run(run_id)["status"]["state"] == "QUEUED"
