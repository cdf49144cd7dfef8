"""`runs/list`, large runs, and cancelling many runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.client import Client, error, state_of
from tests.local.simulated import FAILED, job, simulated, task


@pytest.fixture
def client() -> Any:
    with simulated({"slow": {"running": 60}, "bad": FAILED}) as client:
        yield client


def listed(client: Client, **query: Any) -> list[int]:
    return [run["run_id"] for run in client.get("runs/list", **query).get("runs", [])]


def test_runs_come_newest_first_in_pages_that_nothing_shifts(client: Client) -> None:
    ids = [client.submit(task("a")) for _ in range(7)]
    seen, token, pages = [], "", []
    while True:
        page = client.get("runs/list", limit=3, page_token=token)
        seen += [run["run_id"] for run in page["runs"]]
        pages.append(page)
        client.submit(task("a"))
        if "next_page_token" not in page:
            break
        token = page["next_page_token"]
    assert seen == ids[::-1]
    assert "prev_page_token" not in pages[0]
    back = client.get("runs/list", limit=3, page_token=pages[1]["prev_page_token"])
    assert [run["run_id"] for run in back["runs"]] == ids[::-1][:3]
    assert not any("has_more" in page for page in pages)


def test_runs_are_chosen_by_what_the_query_asks(client: Client) -> None:
    job_id = job(client, task("a"))
    done = client.post("run-now", job_id=job_id)["run_id"]
    client.workspace.advance(10)
    active = client.submit(task("slow"))
    assert listed(client) == [active, done]
    assert listed(client, active_only="true") == [active]
    assert listed(client, completed_only="True") == [done]
    assert listed(client, job_id=job_id) == [done]
    assert listed(client, run_type="SUBMIT_RUN") == [active]
    assert listed(client, run_type="JOB_RUN") == [done]
    start = client.run(active)["start_time"]
    assert listed(client, start_time_from=start) == [active]
    assert listed(client, start_time_to=start - 1) == [done]
    assert client.get("runs/list", job_id=5) == {}


def test_a_repaired_run_is_active_again(client: Client) -> None:
    run_id = client.submit(task("bad"), task("slow"))
    client.workspace.advance(60)
    assert listed(client, active_only="true") == []
    client.post("runs/repair", run_id=run_id, rerun_tasks=["slow"])
    assert listed(client, active_only="true") == [run_id]


def test_tasks_come_only_when_asked_for_and_a_hundred_at_most(client: Client) -> None:
    client.submit(*(task(f"t{number}") for number in range(101)))
    small = client.submit(task("a"))
    assert all("tasks" not in run for run in client.get("runs/list")["runs"])
    first, second = client.get("runs/list", expand_tasks="true")["runs"]
    assert (first["run_id"], len(first["tasks"]), "has_more" in first) == (small, 1, False)
    assert (len(second["tasks"]), second["has_more"]) == (100, True)


@pytest.mark.parametrize(
    ("version", "query", "expected"),
    [
        ("2.2", {}, 20),
        ("2.2", {"limit": 0}, 25),
        ("2.1", {}, 25),
        ("2.0", {"limit": 1000}, 30),
        ("2.0", {"offset": 28}, 2),
        ("2.1", {"offset": 28}, 2),
    ],
)
def test_limits_and_offsets_are_those_of_the_version(
    client: Client, version: str, query: dict[str, Any], expected: int
) -> None:
    for _ in range(30):
        client.submit(task("a"))
    answer = client.http.get(f"/api/{version}/jobs/runs/list", params=query).json()
    assert len(answer["runs"]) == expected
    assert answer.get("has_more") == (None if version == "2.2" else expected == 25)


@pytest.mark.parametrize(
    ("version", "query", "fault"),
    [
        ("2.2", {"limit": 26}, "between 1 and 25"),
        ("2.1", {"offset": 1001}, "The supplied offset 1001 has exceeded the value of 1000 allowed"),
        ("2.2", {"active_only": "true", "completed_only": "true"}, "cannot both be true"),
        ("2.2", {"page_token": "x"}, "page_token"),
        ("2.2", {"page_token": "p"}, "page_token"),
        ("2.2", {"page_token": "é"}, "page_token"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(
    client: Client, version: str, query: dict[str, Any], fault: str
) -> None:
    status, code, message = error(client.http.get(f"/api/{version}/jobs/runs/list", params=query))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert fault in message


def test_a_large_run_comes_in_pages_and_older_versions_refuse_it(client: Client) -> None:
    run_id = client.submit(*(task(f"t{number}") for number in range(250)))
    sizes, keys, token = [], set(), ""
    while True:
        page = client.get("runs/get", run_id=run_id, page_token=token)
        sizes.append(len(page["tasks"]))
        keys |= {each["task_key"] for each in page["tasks"]}
        if "next_page_token" not in page:
            break
        token = page["next_page_token"]
    assert sizes == [100, 100, 50]
    assert len(keys) == 250
    for version in ("2.0", "2.1"):
        assert error(client.http.get(f"/api/{version}/jobs/runs/get", params={"run_id": run_id})) == (
            400,
            "INVALID_PARAMETER_VALUE",
            "Resources with more than 100 tasks can only be handled by API 2.2 and above. Your resource has 250 tasks",
        )


def test_all_runs_of_a_job_are_cancelled_at_once(client: Client) -> None:
    job_id = job(client, task("slow"), max_concurrent_runs=2)
    runs = [client.post("run-now", job_id=job_id)["run_id"] for _ in range(3)]
    other = client.submit(task("slow"))
    client.post("runs/cancel-all", job_id=job_id)
    assert [state_of(client.run(run_id))[1] for run_id in runs] == ["CANCELED"] * 3
    assert state_of(client.run(other)) == ("RUNNING", None)


def test_all_queued_runs_are_cancelled_and_the_others_go_on(client: Client) -> None:
    job_id = job(client, task("slow"))
    first, second = (client.post("run-now", job_id=job_id)["run_id"] for _ in range(2))
    client.post("runs/cancel-all", all_queued_runs=True)
    assert state_of(client.run(first)) == ("RUNNING", None)
    assert state_of(client.run(second)) == ("TERMINATED", "CANCELED")
    assert client.refused("runs/cancel-all")[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_a_run_of_some_tasks_only_has_no_others(client: Client) -> None:
    job_id = job(client, task("a"), task("b", "a"), task("c", "b"))
    run = client.run(client.post("run-now", job_id=job_id, only=["b"])["run_id"])
    assert [each["task_key"] for each in run["tasks"]] == ["b"]
    assert state_of(run) == ("TERMINATED", "SUCCESS")


def test_what_is_not_there_can_be_a_404_as_on_newer_workspaces() -> None:
    with simulated(missing_status=404) as client:
        assert client.refused("runs/cancel", run_id=3) == (404, "RESOURCE_DOES_NOT_EXIST", "Run 3 does not exist.")
        assert client.refused("run-now", job_id=3) == (404, "RESOURCE_DOES_NOT_EXIST", "Job 3 does not exist.")


def test_the_oldest_version_has_a_single_task_at_the_top_too(client: Client) -> None:
    body = {"existing_cluster_id": "c", "notebook_task": {"notebook_path": "/n"}}
    run_id = client.http.post("/api/2.0/jobs/runs/submit", json=body).json()["run_id"]
    run = client.http.get("/api/2.0/jobs/runs/get", params={"run_id": run_id}).json()
    assert run["task"] == {"notebook_task": {"notebook_path": "/n"}}
    assert run["cluster_spec"] == {"existing_cluster_id": "c"}
    assert "task" not in client.run(run_id)
