"""Other clients find in a workspace what they look for, asked in the very form in which they ask."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client, error, notebook_task
from tests.local.other_clients import Airflow, LegacyCli
from tests.support.processes import wait_until

EXIT = "dbutils.widgets.text('who', 'nobody')\ndbutils.notebook.exit(dbutils.widgets.get('who'))"
FAIL = "raise ValueError('no rows')"
SLOW = "import time\ntime.sleep(60)"
# Fails in the first attempt at it, and succeeds in all others.
FLAKY = """
from pathlib import Path
flag = Path("{flag}")
seen = flag.exists()
flag.touch()
assert seen
dbutils.notebook.exit("mended")
"""
OUTPUT_REFUSED = "Retrieving the output of runs with multiple tasks is not supported."


@pytest.fixture
def cli(shared_workspace: LocalWorkspace) -> Iterator[LegacyCli]:
    cli = LegacyCli(shared_workspace)
    yield cli
    cli.http.close()


def old_form(path: str, **fields: Any) -> dict[str, Any]:
    return {"existing_cluster_id": "c", "notebook_task": {"notebook_path": path}, **fields}


class TestLegacyCli:
    def test_a_run_of_the_old_form_is_its_own_task(self, client: Client, cli: LegacyCli) -> None:
        run_id = cli.post("runs/submit", **old_form(client.notebook(EXIT), run_name="old"))["run_id"]
        assert cli.wait(run_id) == {"result": "SUCCESS", "message": ""}
        output = cli.get("runs/get-output", run_id=run_id)
        assert output["notebook_output"] == {"result": "nobody", "truncated": False}
        assert (output["metadata"]["run_id"], output["metadata"]["format"]) == (run_id, "SINGLE_TASK")
        (view,) = cli.get("runs/export", run_id=run_id)["views"]
        assert "dbutils.notebook.exit" in view["content"]

    def test_a_failed_run_of_the_old_form_tells_its_error(self, client: Client, cli: LegacyCli) -> None:
        run_id = cli.post("runs/submit", **old_form(client.notebook(FAIL)))["run_id"]
        assert cli.wait(run_id)["result"] == "FAILED"
        assert cli.get("runs/get-output", run_id=run_id)["error"] == "ValueError: no rows"

    def test_a_retried_run_of_the_old_form_has_the_output_of_its_last_attempt(
        self, client: Client, cli: LegacyCli
    ) -> None:
        path = client.notebook(FLAKY.format(flag=client.workspace.root / "flag-cli"))
        run_id = cli.post("runs/submit", **old_form(path, max_retries=1))["run_id"]
        assert cli.wait(run_id)["result"] == "SUCCESS"
        assert cli.get("runs/get-output", run_id=run_id)["notebook_output"]["result"] == "mended"

    def test_a_cancelled_run_has_a_result_and_a_message(self, client: Client, cli: LegacyCli) -> None:
        run_id = cli.post("runs/submit", **old_form(client.notebook(SLOW)))["run_id"]
        assert cli.post("runs/cancel", run_id=run_id) == {}
        assert cli.wait(run_id)["result"] == "CANCELED"

    def test_a_job_of_the_old_form_is_read_as_it_was_written(self, client: Client, cli: LegacyCli) -> None:
        body = old_form(client.notebook(EXIT), name="cli-job", max_retries=1, min_retry_interval_millis=5)
        job_id = cli.post("create", **body)["job_id"]
        settings = cli.get("get", job_id=job_id)["settings"]
        assert (settings["format"], settings["max_retries"]) == ("SINGLE_TASK", 1)
        assert settings["notebook_task"]["notebook_path"] == body["notebook_task"]["notebook_path"]
        assert not {"tasks", "task_key", "run_if"} & set(settings)

        listed = cli.get("list", expand_tasks="false")["jobs"]
        assert next(job for job in listed if job["job_id"] == job_id)["settings"] == settings

        assert cli.post("reset", job_id=job_id, new_settings=settings) == {}
        assert cli.get("get", job_id=job_id)["settings"] == settings

        run_id = cli.post("run-now", job_id=job_id, notebook_params={"who": "cli"})["run_id"]
        assert cli.wait(run_id)["result"] == "SUCCESS"
        assert cli.get("runs/get-output", run_id=run_id)["notebook_output"]["result"] == "cli"
        (run,) = cli.get("runs/list", job_id=job_id, limit=20, offset=0)["runs"]
        assert (run["format"], run["cluster_spec"]) == ("SINGLE_TASK", {"existing_cluster_id": "c"})

    def test_newer_versions_see_its_task_among_tasks(self, client: Client, cli: LegacyCli) -> None:
        job_id = cli.post("create", **old_form("/n"))["job_id"]
        for version in ("2.1", "2.2"):
            settings = cli.get("get", version, job_id=job_id)["settings"]
            assert settings["format"] == "MULTI_TASK"
            assert [task["task_key"] for task in settings["tasks"]] == ["main"]
            assert "notebook_task" not in settings

    def test_a_job_that_gets_a_second_task_is_no_longer_of_the_old_form(self, client: Client, cli: LegacyCli) -> None:
        job_id = cli.post("create", **old_form("/n"))["job_id"]
        client.post("update", job_id=job_id, new_settings={"tasks": [notebook_task("/n", "second")]})
        settings = cli.get("get", job_id=job_id)["settings"]
        assert settings["format"] == "MULTI_TASK"
        assert [task["task_key"] for task in settings["tasks"]] == ["main", "second"]

    @pytest.mark.parametrize(("version", "inner"), [("2.0", "tasks"), ("2.1", "top"), ("2.2", "top")])
    def test_other_runs_of_one_task_keep_their_output_with_the_task(
        self, client: Client, cli: LegacyCli, version: str, inner: str
    ) -> None:
        """Also when the client says that it has a single task."""
        path = client.notebook(EXIT)
        body = {"tasks": [notebook_task(path)]} if inner == "tasks" else old_form(path)
        run_id = cli.post("runs/submit", version, format="SINGLE_TASK", **body)["run_id"]
        assert cli.wait(run_id)["result"] == "SUCCESS"
        status, code, message = error(cli.ask("runs/get-output", run_id=run_id))
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert message.startswith(OUTPUT_REFUSED)
        assert error(cli.ask("runs/export", run_id=run_id))[0] == 400
        assert cli.get("runs/get", run_id=run_id)["format"] == "MULTI_TASK"

    def test_a_wrong_token_is_refused(self, shared_workspace: LocalWorkspace) -> None:
        answer = LegacyCli(shared_workspace, token="wrong").ask("list", expand_tasks="false")
        assert (answer.status_code, answer.json()["error_code"]) == (403, 403)


@pytest.fixture
def airflow(shared_workspace: LocalWorkspace) -> Iterator[Airflow]:
    airflow = Airflow(shared_workspace)
    yield airflow
    airflow.http.close()


class TestAirflow:
    def test_its_connection_test_finds_versions(self, airflow: Airflow) -> None:
        assert airflow.http.get("/2.1/clusters/spark-versions").json()["versions"]

    @pytest.mark.parametrize("own_tasks", [True, False])
    def test_numbers_may_be_texts(self, client: Client, airflow: Airflow, own_tasks: bool) -> None:
        task = old_form(client.notebook(EXIT), max_retries="1", retry_on_timeout=True)
        task["notebook_task"]["base_parameters"] = {"who": "3"}
        body = {"tasks": [{"task_key": "main", **task}]} if own_tasks else task
        run_id = airflow.post("runs/submit", run_name="af", timeout_seconds="60", **body)["run_id"]
        run = airflow.wait(run_id)
        assert run["state"] == {
            "life_cycle_state": "TERMINATED",
            "result_state": "SUCCESS",
            "state_message": "",
            "user_cancelled_or_timedout": False,
        }
        output = airflow.get("runs/get-output", run_id=run["tasks"][0]["run_id"])
        assert output["notebook_output"]["result"] == "3"

    def test_it_repairs_a_failed_run_by_its_latest_repair(self, client: Client, airflow: Airflow) -> None:
        path = client.notebook(FLAKY.format(flag=client.workspace.root / "flag-airflow"))
        job_id = airflow.post("create", name="af", tasks=[notebook_task(path)])["job_id"]
        run_id = airflow.post("run-now", job_id=str(job_id))["run_id"]
        assert airflow.wait(run_id)["state"]["result_state"] == "FAILED"
        history = airflow.get("runs/get", run_id=run_id, include_history=True)["repair_history"]
        assert [each["type"] for each in history] == ["ORIGINAL"]

        repair_id = airflow.post("runs/repair", run_id=str(run_id), rerun_all_failed_tasks=True)["repair_id"]
        assert airflow.wait(run_id)["state"]["result_state"] == "SUCCESS"
        history = airflow.get("runs/get", run_id=run_id, include_history=True)["repair_history"]
        assert [each.get("id") for each in history] == [None, repair_id]

    def test_it_turns_the_pages_of_jobs_from_an_empty_token_on(self, airflow: Airflow) -> None:
        made = {airflow.post("create", name=f"af-{number}")["job_id"] for number in range(7)}
        found: set[int] = set()
        page_token = ""
        while page_token is not None:
            page = airflow.get("list", limit=3, expand_tasks=False, include_user_names=False, page_token=page_token)
            assert "has_more" not in page
            found |= {job["job_id"] for job in page["jobs"]}
            page_token = page.get("next_page_token")
        assert made <= found

    def test_it_cancels_and_deletes_a_run(self, client: Client, airflow: Airflow) -> None:
        run_id = airflow.post("runs/submit", tasks=[notebook_task(client.notebook(SLOW))])["run_id"]
        assert airflow.post("runs/cancel", run_id=str(run_id)) == {}
        assert airflow.wait(run_id)["state"]["result_state"] == "CANCELED"
        assert airflow.post("runs/delete", run_id=str(run_id)) == {}

    def test_a_repo_that_is_not_there_is_one_that_it_may_make(self, airflow: Airflow) -> None:
        answer = airflow.http.get("/2.0/workspace/get-status", params={"path": "/Repos/none"})
        assert error(answer)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


class TestDagster:
    def test_it_turns_the_pages_of_jobs_while_there_is_more(self, client: Client) -> None:
        made = {
            client.post("create", name=f"dg-{number}", tasks=[notebook_task("/n")])["job_id"] for number in range(25)
        }
        found: list[int] = []
        query: dict[str, str] = {}
        while True:
            page = client.http.get("/api/2.1/jobs/list", params=query).json()
            found += [job["job_id"] for job in page.get("jobs", [])]
            if not page.get("has_more"):
                break
            query["page_token"] = page["next_page_token"]
        assert made <= set(found)
        assert len(found) == len(set(found))
        for job_id in made:
            job = client.http.get(f"/api/2.1/jobs/get?job_id={job_id}").json()
            assert [task["task_key"] for task in job["settings"]["tasks"]] == ["main"]


class TestPrefectDatabricks:
    """The package prefect-databricks: https, version 2.1, and 2.0 for pages of notebooks."""

    def test_it_submits_waits_and_reads(self) -> None:
        with LocalWorkspace(tls=True, client_id="app", client_secret="secret") as workspace:
            trust = ssl.create_default_context(cafile=str(workspace.ca_file))
            (workspace.root / "n.py").write_text(f"# Databricks notebook source\n{EXIT}")
            form = {"grant_type": "client_credentials", "scope": "all-apis"}
            signing_in = httpx.post(f"{workspace.url}/oidc/v1/token", data=form, auth=("app", "secret"), verify=trust)
            headers = {"Authorization": f"Bearer {signing_in.json()['access_token']}"}
            with httpx.Client(base_url=f"{workspace.url}/api/", headers=headers, verify=trust) as http:
                # Its models send each field that they have.
                task = {"task_key": "main", **old_form("/n"), **dict.fromkeys(("new_cluster", "libraries", "sql_task"))}
                task["notebook_task"] |= {"base_parameters": None, "source": None}
                body = {"run_name": "pd", "tasks": [task]}
                run_id = http.post("/2.1/jobs/runs/submit", json=body).json()["run_id"]
                asked = {"run_id": run_id, "include_history": "false"}

                def look() -> dict[str, Any] | None:
                    run = http.get("/2.1/jobs/runs/get", params=asked).json()
                    assert run["state"]["state_message"] is not None
                    return run if run["state"]["life_cycle_state"] == "TERMINATED" else None

                run = wait_until(look)
                assert run["state"]["result_state"] == "SUCCESS"
                by_id = {"run_id": run["tasks"][0]["run_id"]}
                output = http.get("/2.1/jobs/runs/get-output", params=by_id).json()["notebook_output"]
                assert output == {"result": "nobody", "truncated": False}
                page = http.get("/2.0/jobs/runs/export", params={**by_id, "views_to_export": "CODE"}).json()
                assert page["views"][0]["type"] == "NOTEBOOK"
