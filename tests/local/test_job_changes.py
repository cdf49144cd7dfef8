"""Jobs changed, reset and deleted, in every version of the API."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs.local.accounts.users import Users
from prefect_databricks_runs.local.api.job_endpoints import JobEndpoints
from prefect_databricks_runs.local.clock import RealClock
from prefect_databricks_runs.local.runs.records import JobRecord
from prefect_databricks_runs.local.runs.store import Store
from prefect_databricks_runs.local.web.calls import Call
from tests.local.client import API, Client, error, notebook_task, state_of
from tests.local.jobs import INVALID, VERSIONS, create, keys, many_tasks, settings_of
from tests.support.processes import wait_until

CLUSTER = {"spark_version": "15.4.x", "num_workers": 1}


def users() -> Users:
    known = Users()
    known.add("me")
    return known


class TestUpdate:
    def test_fields_are_replaced_and_the_others_stay(self, client: Client) -> None:
        job_id = create(client, name="old", tags={"a": "b"}, timeout_seconds=5)
        new = {"name": "new", "tags": {"c": "d"}}
        assert client.post("update", job_id=job_id, new_settings=new) == {}
        settings = settings_of(client, job_id)
        assert (settings["name"], settings["tags"], settings["timeout_seconds"]) == ("new", {"c": "d"}, 5)

    def test_tasks_are_merged_by_key(self, client: Client) -> None:
        job_id = create(client, notebook_task("/1", "a"), notebook_task("/1", "b"))
        new = {"tasks": [notebook_task("/2", "c"), notebook_task("/2", "a")]}
        client.post("update", job_id=job_id, new_settings=new)
        tasks = settings_of(client, job_id)["tasks"]
        paths = [(task["task_key"], task["notebook_task"]["notebook_path"]) for task in tasks]
        assert paths == [("a", "/2"), ("b", "/1"), ("c", "/2")]

    def test_job_clusters_are_merged_by_key(self, client: Client) -> None:
        one, two = ({"job_cluster_key": key, "new_cluster": CLUSTER} for key in ("one", "two"))
        job_id = create(client, {**notebook_task("/n"), "job_cluster_key": "one"}, job_clusters=[one])
        client.post("update", job_id=job_id, new_settings={"job_clusters": [two]})
        assert settings_of(client, job_id)["job_clusters"] == [one, two]

    def test_fields_tasks_and_job_clusters_are_removed(self, client: Client) -> None:
        cluster = {"job_cluster_key": "one", "new_cluster": CLUSTER}
        tasks = notebook_task("/n", "a"), notebook_task("/n", "b")
        job_id = create(client, *tasks, name="old", job_clusters=[cluster])
        gone = ["name", "tasks/a", "job_clusters/one", "tags"]
        client.post("update", job_id=job_id, fields_to_remove=gone)
        settings = settings_of(client, job_id)
        assert settings["name"] == "Untitled"
        assert keys(settings) == ["b"]
        assert "job_clusters" not in settings

    def test_a_field_inside_another_cannot_be_removed(self, client: Client) -> None:
        job_id = create(client)
        for field in ("tags/a", "tasks/a/max_retries"):
            refused = client.refused("update", job_id=job_id, fields_to_remove=[field])
            assert refused[:2] == INVALID
            assert field in refused[2]

    def test_settings_that_break_a_rule_change_nothing(self, client: Client) -> None:
        job_id = create(client, notebook_task("/n", "a"), notebook_task("/n", "b", "a"), name="old")
        refused = client.refused("update", job_id=job_id, new_settings={"name": "new"}, fields_to_remove=["tasks/a"])
        assert refused[:2] == INVALID
        assert "Task b depends on a" in refused[2]
        assert settings_of(client, job_id)["name"] == "old"

    def test_nothing_to_change_is_no_mistake(self, client: Client) -> None:
        assert client.post("update", job_id=create(client)) == {}

    def test_an_older_version_cannot_make_a_job_too_large_for_it(self, client: Client) -> None:
        body = {"job_id": create(client, *many_tasks(100)), "new_settings": {"tasks": [notebook_task("/n", "more")]}}
        assert "Your resource has 101 tasks" in error(client.http.post("/api/2.1/jobs/update", json=body))[2]
        assert client.post("update", **body) == {}


class TestReset:
    def test_everything_is_new(self, client: Client) -> None:
        job_id = create(client, notebook_task("/n", "a"), name="old", tags={"a": "b"})
        assert client.post("reset", job_id=job_id, new_settings={"tasks": [notebook_task("/n", "b")]}) == {}
        settings = settings_of(client, job_id)
        assert (settings["name"], keys(settings)) == ("Untitled", ["b"])
        assert "tags" not in settings

    def test_run_as_survives_unless_it_is_given(self, client: Client) -> None:
        job_id = create(client, run_as={"user_name": "a"})
        client.post("reset", job_id=job_id, new_settings={"name": "new"})
        assert client.get("get", job_id=job_id)["run_as_user_name"] == "a"
        client.post("reset", job_id=job_id, new_settings={"name": "new", "run_as": {"user_name": "b"}})
        assert client.get("get", job_id=job_id)["run_as_user_name"] == "b"


class TestChanges:
    @pytest.fixture
    def changed(self) -> list[int]:
        return []

    @pytest.fixture
    def endpoints(self, changed: list[int]) -> JobEndpoints:
        def note(job: JobRecord) -> None:
            changed.append(job.settings.get("timeout_seconds", 0))

        return JobEndpoints(Store(RealClock()), users(), note)

    def ask(self, endpoints: JobEndpoints, endpoint: str, /, **fields: Any) -> dict[str, Any]:
        return endpoints.served[f"POST jobs/{endpoint}"](Call("2.2", fields, "me"))

    def test_every_change_is_told_when_it_is_made(self, endpoints: JobEndpoints, changed: list[int]) -> None:
        job_id = self.ask(endpoints, "create", name="a", timeout_seconds=5)["job_id"]
        assert changed == []
        self.ask(endpoints, "update", job_id=job_id, new_settings={"timeout_seconds": 6})
        self.ask(endpoints, "reset", job_id=job_id, new_settings={"name": "b"})
        assert changed == [6, 0]


class TestDelete:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_deleted_job_is_gone(self, client: Client, version: str) -> None:
        job_id = create(client, name=f"to be deleted by {version}")
        assert client.answer(client.http.post(f"/api/{version}/jobs/delete", json={"job_id": job_id})) == {}
        gone = (*INVALID, f"Job {job_id} does not exist.")
        assert error(client.http.get(f"{API}/get", params={"job_id": job_id})) == gone
        assert client.get("list", name=f"to be deleted by {version}") == {}
        for endpoint in ("delete", "update", "run-now"):
            assert client.refused(endpoint, job_id=job_id) == gone
        assert client.refused("reset", job_id=job_id, new_settings={"name": "x"}) == gone

    def test_its_active_run_goes_on_and_stays(self, client: Client) -> None:
        go_on = client.workspace.root / "go-on"
        text = f"import os, time\nwhile not os.path.exists({str(go_on)!r}):\n    time.sleep(0.01)"
        job_id = create(client, notebook_task(client.notebook(text)))
        run_id = client.post("run-now", job_id=job_id)["run_id"]
        wait_until(lambda: client.run(run_id)["status"]["state"] == "RUNNING")
        client.post("delete", job_id=job_id)
        assert client.run(run_id)["status"]["state"] == "RUNNING"
        go_on.touch()
        assert state_of(client.wait(run_id)) == ("TERMINATED", "SUCCESS")


@pytest.mark.parametrize(
    ("version", "settings", "enabled"),
    [
        ("2.2", {}, True),
        ("2.1", {}, False),
        ("2.0", {}, False),
        ("2.2", {"queue": {"enabled": False}}, False),
        ("2.1", {"queue": {"enabled": True}}, True),
        ("2.1", {"queue": {}}, True),
    ],
)
def test_queueing_is_on_by_default_only_in_the_newest_version(
    version: str, settings: dict[str, Any], enabled: bool
) -> None:
    store = Store(RealClock())
    call = Call(version, {"name": "a", **settings}, "me")
    job_id = JobEndpoints(store, users()).served["POST jobs/create"](call)["job_id"]
    assert store.job(job_id).queue_enabled is enabled


def test_changed_queue_settings_count() -> None:
    store = Store(RealClock())
    served = JobEndpoints(store, users()).served
    job_id = served["POST jobs/create"](Call("2.2", {"name": "a"}, "me"))["job_id"]
    off = {"job_id": job_id, "new_settings": {"queue": {"enabled": "false"}}}
    served["POST jobs/update"](Call("2.2", off, "me"))
    assert store.job(job_id).queue_enabled is False
    served["POST jobs/update"](Call("2.2", {"job_id": job_id, "fields_to_remove": ["queue"]}, "me"))
    assert store.job(job_id).queue_enabled is True
