"""The endpoints of runs, one by one, and their tokens."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.local.client import API, Client, error, notebook_task, python_task, state_of, task_of
from tests.support.processes import wait_until

SLEEP = "import time\ntime.sleep(60)"


def test_ids_look_like_real_ones_and_differ(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("")))
    ids = {run["run_id"], run["job_id"], run["tasks"][0]["run_id"]}
    assert len(ids) == 3
    assert all(10**14 <= number < 2**53 for number in ids)


def test_a_run_has_the_fields_that_clients_read(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("")), run_name="a name")
    assert run["run_name"] == "a name"
    assert run["run_type"] == "SUBMIT_RUN"
    assert run["number_in_job"] == run["original_attempt_run_id"] == run["run_id"]
    assert run["run_page_url"].startswith(f"{client.workspace.url}/?o=")
    assert run["run_page_url"].endswith(f"#job/{run['job_id']}/run/{run['run_id']}")
    assert run["tasks"][0]["run_page_url"].endswith(f"/run/{run['tasks'][0]['run_id']}")


def test_times_are_zero_until_they_are_known(client: Client) -> None:
    run_id = client.submit(notebook_task(client.notebook(SLEEP)))
    run = wait_until(lambda: (run := client.run(run_id))["status"]["state"] == "RUNNING" and run)
    assert run["end_time"] == run["run_duration"] == run["execution_duration"] == 0
    assert run["start_time"] > 10**12
    client.post("runs/cancel", run_id=run_id)
    run = client.wait(run_id)
    assert run["run_duration"] == run["end_time"] - run["start_time"]
    task = run["tasks"][0]
    parts = ("setup_duration", "execution_duration", "cleanup_duration")
    assert sum(task[part] for part in parts) == task["end_time"] - task["start_time"]
    assert run["execution_duration"] == task["execution_duration"] > 0


def test_a_run_of_many_tasks_has_no_durations_of_its_own(client: Client) -> None:
    path = client.notebook("")
    run = client.finish(notebook_task(path, "a"), notebook_task(path, "b", "a"))
    assert run["setup_duration"] == run["execution_duration"] == run["cleanup_duration"] == 0
    assert run["run_duration"] > 0


def test_a_task_run_is_answered_as_a_run_of_that_task(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook(""), "only"))
    task_run = client.run(run["tasks"][0]["run_id"])
    assert task_run["run_id"] == run["tasks"][0]["run_id"]
    assert task_run["job_run_id"] == run["run_id"]
    assert task_run["tasks"] == run["tasks"]
    assert task_run["state"] == run["tasks"][0]["state"]


def test_a_body_of_the_old_api_becomes_one_task(client: Client) -> None:
    path = client.write("print('old')", ".py")
    body = {"run_name": "old", "existing_cluster_id": "c", "spark_python_task": {"python_file": path}}
    answer = client.http.post("/api/2.0/jobs/runs/submit", json=body)
    run = client.wait(answer.json()["run_id"])
    assert [task["task_key"] for task in run["tasks"]] == ["old"]
    assert run["tasks"][0]["existing_cluster_id"] == "c"
    assert client.output(run, "old")["logs"] == "old\n"


@pytest.mark.parametrize("endpoint", ["runs/get", "runs/get-output"])
def test_an_unknown_run_gets_the_real_error(client: Client, endpoint: str) -> None:
    expected = (400, "INVALID_PARAMETER_VALUE", "Run 1 does not exist.")
    assert error(client.http.get(f"{API}/{endpoint}", params={"run_id": 1})) == expected


@pytest.mark.parametrize("endpoint", ["runs/cancel", "runs/delete"])
def test_an_unknown_run_cannot_be_changed(client: Client, endpoint: str) -> None:
    assert client.refused(endpoint, run_id=1) == (400, "INVALID_PARAMETER_VALUE", "Run 1 does not exist.")


def test_an_unknown_job_gets_the_real_error(client: Client) -> None:
    assert client.refused("run-now", job_id=1234)[2] == "Job 1234 does not exist."
    assert client.refused("run-now")[2] == "Job 0 does not exist."


def test_the_output_of_a_job_run_is_refused_even_with_one_task(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("")))
    assert error(client.http.get(f"{API}/runs/get-output", params={"run_id": run["run_id"]})) == (
        400,
        "INVALID_PARAMETER_VALUE",
        "Retrieving the output of runs with multiple tasks is not supported. "
        "Please retrieve the output of each individual task run instead.",
    )


def test_output_comes_with_the_task_run_as_metadata(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("")))
    task_run_id = run["tasks"][0]["run_id"]
    assert client.output(run)["metadata"] == client.run(task_run_id)


def test_a_token_names_one_run_whatever_its_state(client: Client) -> None:
    token = uuid.uuid4().hex * 2
    task = notebook_task(client.notebook("1 / 0"))
    run_id = client.submit(task, idempotency_token=token)
    assert client.submit(task, idempotency_token=token) == run_id
    assert state_of(client.wait(run_id)) == ("TERMINATED", "FAILED")
    assert client.submit(task, idempotency_token=token) == run_id
    assert client.submit(task) != run_id


def test_a_token_of_run_now_names_one_run(client: Client) -> None:
    job_id = client.post("create", tasks=[notebook_task(client.notebook(""))])["job_id"]
    token = uuid.uuid4().hex
    first = client.post("run-now", job_id=job_id, idempotency_token=token)
    assert client.post("run-now", job_id=job_id, idempotency_token=token) == first
    assert first["number_in_job"] == first["run_id"]


def test_a_token_of_more_than_64_characters_is_refused(client: Client) -> None:
    body = {"tasks": [notebook_task("/n")], "idempotency_token": "x" * 65}
    assert client.refused("runs/submit", **body)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_a_deleted_run_is_gone_and_its_token_is_an_error(client: Client) -> None:
    token = uuid.uuid4().hex
    task = notebook_task(client.notebook(""))
    run = client.finish(task, idempotency_token=token)
    assert client.post("runs/delete", run_id=run["run_id"]) == {}
    for run_id in (run["run_id"], run["tasks"][0]["run_id"]):
        assert error(client.http.get(f"{API}/runs/get", params={"run_id": run_id}))[2].endswith("does not exist.")
    status, code, message = client.refused("runs/submit", tasks=[task], idempotency_token=token)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert "deleted" in message


def test_an_active_run_cannot_be_deleted(client: Client) -> None:
    run_id = client.submit(notebook_task(client.notebook(SLEEP)))
    assert client.refused("runs/delete", run_id=run_id)[:2] == (400, "INVALID_STATE")
    client.post("runs/cancel", run_id=run_id)
    client.wait(run_id)
    client.post("runs/delete", run_id=run_id)


def test_a_job_without_tasks_cannot_be_run(client: Client) -> None:
    job_id = client.post("create", name="empty")["job_id"]
    assert client.refused("run-now", job_id=job_id)[:2] == (400, "INVALID_PARAMETER_VALUE")


class TestParameters:
    ECHO = "import json\ndbutils.notebook.exit(json.dumps(dbutils.widgets.getAll(), sort_keys=True))"

    def run_now(self, client: Client, job: dict[str, Any], **body: Any) -> dict[str, Any]:
        job_id = client.post("create", **job)["job_id"]
        return client.wait(client.post("run-now", job_id=job_id, **body)["run_id"])

    def test_notebook_params_win_over_base_parameters_one_by_one(self, client: Client) -> None:
        task = notebook_task(client.notebook(self.ECHO), base_parameters={"a": "1", "b": "2"})
        run = self.run_now(client, {"tasks": [task]}, notebook_params={"b": "3", "c": "4"})
        assert client.output(run)["notebook_output"]["result"] == '{"a": "1", "b": "3", "c": "4"}'
        assert run["overriding_parameters"] == {"notebook_params": {"b": "3", "c": "4"}}
        assert run["run_type"] == "JOB_RUN"

    def test_job_parameters_reach_every_notebook(self, client: Client) -> None:
        task = notebook_task(client.notebook(self.ECHO), base_parameters={"a": "1", "b": "2"})
        job = {"tasks": [task], "parameters": [{"name": "b", "default": "x"}, {"name": "c", "default": "y"}]}
        run = self.run_now(client, job, job_parameters={"c": "z"})
        assert client.output(run)["notebook_output"]["result"] == '{"a": "1", "b": "x", "c": "z"}'
        assert run["job_parameters"] == [{"name": "b", "default": "x"}, {"name": "c", "default": "y", "value": "z"}]

    def test_python_params_replace_the_parameters_of_a_python_file(self, client: Client) -> None:
        task = python_task(client.write("import sys\nprint(sys.argv[1:])", ".py"), "a", "b")
        assert client.output(self.run_now(client, {"tasks": [task]}))["logs"] == "['a', 'b']\n"
        run = self.run_now(client, {"tasks": [task]}, python_params=["c"])
        assert client.output(run)["logs"] == "['c']\n"

    def test_references_are_resolved(self, client: Client) -> None:
        names = ["job.id", "job.run_id", "task.run_id", "task.name", "job.parameters.p", "nobody.knows"]
        given = {name: f"<{{{{{name}}}}}>" for name in names}
        task = notebook_task(client.notebook(self.ECHO), "t", base_parameters=given)
        run = self.run_now(client, {"tasks": [task], "parameters": [{"name": "p", "default": "v"}]})
        told = eval(client.output(run, "t")["notebook_output"]["result"])
        assert told["job.id"] == f"<{run['job_id']}>"
        assert told["job.run_id"] == f"<{run['run_id']}>"
        assert told["task.run_id"] == f"<{task_of(run, 't')['run_id']}>"
        assert (told["task.name"], told["job.parameters.p"]) == ("<t>", "<v>")
        assert told["nobody.knows"] == "<{{nobody.knows}}>"

    def test_a_reference_without_a_value_fails_the_task(self, client: Client) -> None:
        task = notebook_task(client.notebook(self.ECHO), base_parameters={"a": "{{tasks.x.values.y}}"})
        run = client.finish(task)
        assert state_of(run["tasks"][0]) == ("INTERNAL_ERROR", "FAILED")
        assert "{{tasks.x.values.y}}" in client.output(run)["error"]


def test_a_task_run_cannot_be_deleted_by_itself(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("")))
    assert client.refused("runs/delete", run_id=run["tasks"][0]["run_id"])[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert client.run(run["run_id"]) == run
