"""Jobs made, read and listed, in every version of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.accounts.sign_in import USER
from tests.local.client import API, Client, error, notebook_task
from tests.local.jobs import INVALID, VERSIONS, create, keys, many_tasks, settings_of

CLUSTER = {"spark_version": "15.4.x", "num_workers": 1}


class TestReading:
    def test_a_job_has_its_creator_and_whom_it_runs_as(self, client: Client) -> None:
        job = client.get("get", job_id=create(client))
        assert job["creator_user_name"] == job["run_as_user_name"] == USER
        assert job["created_time"] > 10**12
        other = create(client, run_as={"service_principal_name": "a-principal"})
        assert client.get("get", job_id=other)["run_as_user_name"] == "a-principal"

    @pytest.mark.parametrize("version", VERSIONS)
    def test_settings_come_back_with_what_databricks_fills_in(self, client: Client, version: str) -> None:
        task = notebook_task("/n", "b", "z", "a")
        job_id = create(
            client, task, notebook_task("/n", "a"), notebook_task("/n", "z"), name="mine", format="SINGLE_TASK"
        )
        settings = client.http.get(f"/api/{version}/jobs/get", params={"job_id": job_id}).json()["settings"]
        assert settings["tasks"][0] == {
            "task_key": "b",
            "notebook_task": {"notebook_path": "/n", "source": "WORKSPACE"},
            "depends_on": [{"task_key": "a"}, {"task_key": "z"}],
            "run_if": "ALL_SUCCESS",
            "timeout_seconds": 0,
            "email_notifications": {},
        }
        del settings["tasks"]
        assert settings == {
            "name": "mine",
            "format": "MULTI_TASK",
            "max_concurrent_runs": 1,
            "timeout_seconds": 0,
            "email_notifications": {},
            "webhook_notifications": {},
        }

    def test_what_was_given_is_not_filled_in(self, client: Client) -> None:
        task = {**notebook_task("/n"), "run_if": "ALL_DONE", "timeout_seconds": 5, "local_course": {"a": [None]}}
        settings = settings_of(client, create(client, task, timeout_seconds="7", tags={"a": "b"}))
        assert settings["tasks"][0]["run_if"] == "ALL_DONE"
        assert settings["tasks"][0]["timeout_seconds"] == 5
        assert settings["tasks"][0]["local_course"] == {"a": [None]}
        assert (settings["timeout_seconds"], settings["tags"]) == (7, {"a": "b"})

    def test_what_is_taken_and_not_told_does_not_come_back(self, client: Client) -> None:
        cluster = {**CLUSTER, "apply_policy_default_values": True}
        settings = settings_of(
            client,
            create(
                client,
                {**notebook_task("/n"), "new_cluster": cluster},
                job_clusters=[{"job_cluster_key": "c", "new_cluster": cluster}],
                access_control_list=[{"user_name": "x", "permission_level": "CAN_VIEW"}],
            ),
        )
        assert settings["tasks"][0]["new_cluster"] == settings["job_clusters"][0]["new_cluster"] == CLUSTER
        assert "access_control_list" not in settings

    def test_files_of_a_job_with_git_source_come_from_git(self, client: Client) -> None:
        git = {"git_url": "https://example.org/x", "git_provider": "gitHub", "git_branch": "main"}
        task = {"task_key": "d", "existing_cluster_id": "c", "dbt_task": {"commands": ["dbt run"]}}
        assert settings_of(client, create(client, task, git_source=git))["tasks"][0]["dbt_task"]["source"] == "GIT"

    @pytest.mark.parametrize("version", VERSIONS)
    def test_a_body_of_the_old_form_becomes_one_task(self, client: Client, version: str) -> None:
        body = {"name": "old", "existing_cluster_id": "c", "max_retries": "2", "notebook_task": {"notebook_path": "/n"}}
        job_id = client.answer(client.http.post(f"/api/{version}/jobs/create", json=body))["job_id"]
        (task,) = settings_of(client, job_id)["tasks"]
        assert (task["task_key"], task["existing_cluster_id"], task["max_retries"]) == ("main", "c", 2)
        assert "max_retries" not in settings_of(client, job_id)

    def test_tasks_win_over_a_task_of_the_old_form(self, client: Client) -> None:
        job_id = create(client, notebook_task("/n", "a"), spark_python_task={"python_file": "/f.py"})
        assert keys(settings_of(client, job_id)) == ["a"]

    def test_a_name_may_hold_what_utf8_cannot(self, client: Client) -> None:
        name = "half a letter \ud800"
        content = json.dumps({"name": name})
        job_id = client.answer(client.http.post(f"{API}/create", content=content))["job_id"]
        assert settings_of(client, job_id)["name"] == name

    def test_a_job_needs_no_tasks(self, client: Client) -> None:
        assert "tasks" not in settings_of(client, client.post("create", name="empty")["job_id"])


class TestPagesOfOneJob:
    def test_a_job_comes_in_pages_of_100_tasks(self, client: Client) -> None:
        parameters = [{"name": f"p{number}", "default": ""} for number in range(120)]
        job_id = create(client, *many_tasks(250), parameters=parameters)
        first = client.get("get", job_id=job_id)
        second = client.get("get", job_id=job_id, page_token=first["next_page_token"])
        third = client.get("get", job_id=job_id, page_token=second["next_page_token"])
        assert "next_page_token" not in third
        pages = [page["settings"] for page in (first, second, third)]
        assert [key for page in pages for key in keys(page)] == [task["task_key"] for task in many_tasks(250)]
        assert [len(page["parameters"]) for page in pages] == [100, 20, 0]
        assert all(page["name"] == "Untitled" for page in pages)

    def test_a_job_of_100_tasks_is_one_page(self, client: Client) -> None:
        job = client.get("get", job_id=create(client, *many_tasks(100)))
        assert len(job["settings"]["tasks"]) == 100
        assert "next_page_token" not in job

    @pytest.mark.parametrize("page_token", ["x", "-1", "0", "²", "1" * 400])
    def test_a_page_token_that_no_page_gave_is_refused(self, client: Client, page_token: str) -> None:
        query = {"job_id": create(client), "page_token": page_token}
        assert error(client.http.get(f"{API}/get", params=query))[:2] == INVALID

    def test_an_empty_page_token_is_none(self, client: Client) -> None:
        assert client.get("get", job_id=create(client), page_token="")["settings"]["tasks"]

    def test_older_versions_list_a_large_job_without_its_tasks(self, client: Client) -> None:
        name = "a large job to be listed"
        create(client, *many_tasks(101), name=name)
        query = {"name": name, "expand_tasks": "True"}
        (job,) = client.http.get("/api/2.1/jobs/list", params=query).json()["jobs"]
        assert "tasks" not in job["settings"]
        assert "has_more" not in job
        (job,) = client.get("list", **query)["jobs"]
        assert (len(job["settings"]["tasks"]), job["has_more"]) == (100, True)


class TestListing:
    @pytest.fixture
    def names(self) -> list[str]:
        return [f"job {number}" for number in range(5)]

    @pytest.fixture
    def own_client(self, names: list[str]) -> Iterator[Client]:
        with LocalWorkspace() as workspace:
            client = Client(workspace)
            for name in names:
                client.post("create", name=name, tasks=[notebook_task("/n")])
            yield client
            client.close()

    def listed(self, page: dict[str, Any]) -> list[str]:
        return [job["settings"]["name"] for job in page["jobs"]]

    def test_pages_follow_each_other_newest_first(self, own_client: Client, names: list[str]) -> None:
        seen: list[str] = []
        token, pages = "", 0
        while True:
            page = own_client.get("list", limit=2, page_token=token)
            seen += self.listed(page)
            own_client.post("create", name="made meanwhile")
            pages += 1
            if "next_page_token" not in page:
                break
            token = page["next_page_token"]
        assert (seen, pages) == (names[::-1], 3)

    def test_pages_lead_back_too(self, own_client: Client) -> None:
        first = own_client.get("list", limit=2)
        assert "prev_page_token" not in first
        second = own_client.get("list", limit=2, page_token=first["next_page_token"])
        last = own_client.get("list", limit=2, page_token=second["next_page_token"])
        assert self.listed(last) == ["job 0"]
        back = own_client.get("list", limit=2, page_token=last["prev_page_token"])
        assert self.listed(back) == self.listed(second)
        assert self.listed(own_client.get("list", limit=2, page_token=back["prev_page_token"])) == self.listed(first)

    def test_a_name_is_found_in_any_case_and_only_whole(self, own_client: Client) -> None:
        assert self.listed(own_client.get("list", name="JOB 3")) == ["job 3"]
        assert own_client.get("list", name="job") == {}

    def test_tasks_come_only_when_asked_for(self, own_client: Client) -> None:
        job = own_client.get("list")["jobs"][0]
        assert "tasks" not in job["settings"]
        assert "has_more" not in job
        job = own_client.get("list", expand_tasks="true")["jobs"][0]
        assert "tasks" in job["settings"]
        assert job["has_more"] is False

    @pytest.mark.parametrize("version", ["2.0", "2.1"])
    def test_older_versions_say_whether_there_is_more(self, own_client: Client, version: str) -> None:
        for limit, has_more in ((5, False), (4, True)):
            page = own_client.http.get(f"/api/{version}/jobs/list", params={"limit": limit}).json()
            assert page["has_more"] is has_more
            assert ("next_page_token" in page) is has_more
        assert "has_more" not in own_client.get("list", limit=4)

    def test_a_page_has_20_jobs_but_in_the_oldest_version_all(self, own_client: Client) -> None:
        for _ in range(20):
            own_client.post("create", name="one more")
        counts = [len(own_client.http.get(f"/api/{version}/jobs/list").json()["jobs"]) for version in VERSIONS]
        assert counts == [25, 20, 20]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_an_offset_leaves_out_the_newest(self, own_client: Client, version: str) -> None:
        page = own_client.http.get(f"/api/{version}/jobs/list", params={"offset": 3, "limit": 5}).json()
        assert self.listed(page) == ["job 1", "job 0"]
        assert own_client.http.get(f"/api/{version}/jobs/list", params={"offset": 1000}).status_code == 200

    @pytest.mark.parametrize(
        "query",
        [{"limit": 0}, {"limit": 101}, {"page_token": "x"}, {"page_token": "next_²"}, {"offset": -1}],
    )
    def test_a_bad_page_is_refused(self, own_client: Client, query: dict[str, Any]) -> None:
        assert error(own_client.http.get(f"{API}/list", params=query))[:2] == INVALID
