"""`submit_run` and `run_now`, in real flows, against the real local workspace."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
from prefect import flow

from prefect_databricks_runs import (
    DatabricksConnectionError,
    DatabricksCredentials,
    InvalidCredentials,
    InvalidPayload,
    InvalidResponse,
    JobNameError,
    NotFound,
    Unauthenticated,
    arun_now,
    asubmit_run,
    run_now,
    submit_run,
    wait_for_run,
)
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.local import LocalWorkspace

pytestmark = pytest.mark.usefixtures("prefect_server")

NIGHTLY = {"notebook_task": {"notebook_path": "/nightly"}}


def bodies(workspace: LocalWorkspace, endpoint: str) -> list[dict]:
    return [request.body for request in workspace.requests if request.path.endswith(f"/{endpoint}")]


def test_submit_run_gives_the_run_id_and_logs_the_link(databricks, workspace, notebook, run_log) -> None:
    notebook("/nightly", "pass")

    @flow
    def parent() -> int:
        return submit_run(databricks, json=NIGHTLY, run_name="nightly")

    run_id = parent()
    run = workspace.runs[run_id]
    assert isinstance(run_id, int)
    assert f"{databricks.host}/jobs/{run['job_id']}/runs/{run_id}?o=" in run_log.text
    (body,) = bodies(workspace, "runs/submit")
    assert re.fullmatch("[0-9a-f]{64}", body.pop("idempotency_token"))
    assert body["tasks"][0].pop("description").startswith("Prefect flow run ")
    assert body == {"run_name": "nightly", "tasks": [{"task_key": "main", **NIGHTLY}]}


def test_the_run_is_named_after_the_flow_run_and_placeholders_are_filled(databricks, workspace, notebook) -> None:
    notebook("/nightly", "pass")

    @flow(flow_run_name="tonight")
    def parent(day: str) -> int:
        parameters = {"day": "{{ prefect.flow_run.parameters.day }}", "run": "{{job.run_id}}"}
        return submit_run(databricks, notebook_task={"notebook_path": "/nightly", "base_parameters": parameters})

    parent("monday")
    (body,) = bodies(workspace, "runs/submit")
    assert body["run_name"] == "tonight"
    assert body["tasks"][0]["notebook_task"]["base_parameters"] == {"day": "monday", "run": "{{job.run_id}}"}


def test_outside_a_flow_the_run_has_the_name_of_old(databricks, workspace, notebook) -> None:
    notebook("/nightly", "pass")
    submit_run.fn(databricks, NIGHTLY)
    assert bodies(workspace, "runs/submit")[0]["run_name"] == "Run Submitted by Prefect"


@pytest.mark.filterwarnings("ignore:Logger 'prefect.task_runs' attempted")  # Prefect 3's own last line
def test_outside_a_flow_the_task_itself_works_and_tells_of_no_flow(databricks, workspace, notebook, run_log) -> None:
    notebook("/nightly", "pass")
    assert submit_run(databricks, NIGHTLY) in workspace.runs
    assert "Started Databricks run" in run_log.text
    assert "than its flow" not in run_log.text


@pytest.mark.filterwarnings("ignore:Logger 'prefect.task_runs' attempted")
def test_outside_a_flow_prefect_2_wraps_what_the_task_raises_as_the_docs_say(databricks) -> None:
    with pytest.raises(InvalidPayload if PREFECT_3 else Exception) as caught:
        submit_run(databricks, tasks=[])
    errors = (caught.value,) if PREFECT_3 else caught.value.exceptions
    assert [type(error) for error in errors] == [InvalidPayload]


@pytest.mark.parametrize("call", [submit_run.fn, run_now.fn, wait_for_run.fn], ids=["submit", "run_now", "wait"])
@pytest.mark.parametrize("what", ["prod", None, {"host": "x"}], ids=["name", "None", "dict"])
def test_what_is_no_block_is_one_clear_error(call, what) -> None:
    with pytest.raises(InvalidCredentials, match="must be a DatabricksCredentials block, not "):
        call(what, 7)


def test_a_block_that_was_not_awaited_is_one_clear_error() -> None:
    async def load() -> None: ...

    loading = load()
    with pytest.raises(InvalidCredentials, match=r"not coroutine. Await `DatabricksCredentials.load"):
        submit_run.fn(loading, NIGHTLY)
    loading.close()


def test_two_equal_submissions_are_two_runs(databricks, workspace, notebook) -> None:
    notebook("/nightly", "pass")

    @flow
    def parent() -> set[int]:
        return {submit_run(databricks, NIGHTLY), submit_run(databricks, NIGHTLY)}

    assert len(parent()) == 2


def test_the_callers_idempotency_token_makes_them_one(databricks, workspace, notebook) -> None:
    notebook("/nightly", "pass")

    @flow
    def parent() -> set[int]:
        return {submit_run(databricks, NIGHTLY, idempotency_token="tonight") for _ in range(2)}

    assert len(parent()) == 1


def create_job(databricks: DatabricksCredentials, **settings: object) -> int:
    with databricks.get_client() as client:
        return client.post("/api/2.2/jobs/create", json=settings).raise_for_status().json()["job_id"]


def test_run_now_by_id_and_by_name(databricks, workspace, notebook, run_log) -> None:
    notebook("/nightly", "pass")
    task = {"task_key": "main", "notebook_task": {"notebook_path": "/nightly", "base_parameters": {"a": "0"}}}
    job_id = create_job(databricks, name="Nightly", tasks=[task])

    @flow
    def parent() -> list[int]:
        return [
            run_now(
                databricks, job_id=str(job_id), json={"notebook_params": {"a": 1, "b": 2}}, notebook_params={"b": 3}
            ),
            run_now(databricks, job_name="nightly"),
        ]

    first, second = parent()
    assert first != second
    assert {workspace.runs[run_id]["job_id"] for run_id in (first, second)} == {job_id}
    body, _ = bodies(workspace, "run-now")
    assert body["job_id"] == job_id
    assert body["notebook_params"] == {"a": "1", "b": "3"}
    assert f"{databricks.host}/jobs/{job_id}/runs/{second}" in run_log.text


def test_the_async_twins_do_the_same(databricks, workspace, notebook) -> None:
    notebook("/nightly", "pass")
    job_id = create_job(databricks, name="Nightly", tasks=[{"task_key": "main", **NIGHTLY}])

    @flow
    async def parent() -> list[int]:
        return [*await asyncio.gather(asubmit_run(databricks, NIGHTLY), asubmit_run(databricks, NIGHTLY))] + [
            await arun_now(databricks, job_id=job_id)
        ]

    assert set(asyncio.run(parent())) == set(workspace.runs)


def test_submitted_as_prefect_tasks_they_run_side_by_side(databricks, workspace, notebook) -> None:
    notebook("/nightly", "pass")

    @flow
    def parent() -> list[int]:
        return [future.result() for future in [submit_run.submit(databricks, NIGHTLY) for _ in range(5)]]

    assert set(parent()) == set(workspace.runs)
    assert len(workspace.runs) == 5


def test_three_faults_are_one_error_and_nothing_is_sent(databricks, workspace) -> None:
    body = {"tasks": [{"task_key": "a"}, {"task_key": "a", **NIGHTLY, "depends_on": [{"task_key": "nobody"}]}]}

    @flow
    def parent() -> None:
        submit_run(databricks, body, performance_target="FASTEST")

    with pytest.raises(InvalidPayload) as caught:
        parent()
    assert len(caught.value.faults) == 4
    for what in ("no task", "'a'", "nobody", "FASTEST"):
        assert any(what in fault for fault in caught.value.faults), (what, caught.value.faults)
    assert workspace.requests == ()


def test_the_job_is_named_once(databricks, workspace) -> None:
    with pytest.raises(InvalidPayload, match="pass one of them"):
        run_now.fn(databricks, job_id=1, job_name="x")
    with pytest.raises(InvalidPayload, match="pass one of them"):
        run_now.fn(databricks, {"job_id": 1}, job_name="x")
    with pytest.raises(InvalidPayload, match="must be the name of a job"):
        run_now.fn(databricks, job_name="")
    with pytest.raises(InvalidPayload, match="job_id"):
        run_now.fn(databricks)
    assert workspace.requests == ()


@pytest.mark.parametrize("call", [submit_run.fn, run_now.fn], ids=["submit_run", "run_now"])
def test_a_wrong_token_is_one_clear_error_without_the_token(call, workspace) -> None:
    databricks = DatabricksCredentials(host=workspace.url, token="dapi-wrong")
    json_body = NIGHTLY if call is submit_run.fn else {"job_id": 1}
    with pytest.raises(Unauthenticated, match="Check the token in the credentials block") as caught:
        call(databricks, json_body)
    assert "dapi-wrong" not in str(caught.value)
    assert len(workspace.requests) == 2  # the first, and once more
    assert workspace.runs == {}


def test_a_wrong_host_is_one_clear_error() -> None:
    databricks = DatabricksCredentials(host="http://127.0.0.1:1", token="t")
    with pytest.raises(DatabricksConnectionError, match="No answer from http://127.0.0.1:1 to POST .*Check the `host`"):
        submit_run.fn(databricks, NIGHTLY, databricks_retry_limit=2, databricks_retry_delay=0.01)


def test_an_unknown_job_is_one_clear_error(databricks, workspace) -> None:
    with pytest.raises(NotFound, match="Job 1234 does not exist. Check the id"):
        run_now.fn(databricks, job_id=1234)
    with pytest.raises(JobNameError, match="No job is named 'nobody'"):
        run_now.fn(databricks, job_name="nobody")
    assert workspace.runs == {}


def test_basic_sign_in_against_a_workspace_that_has_it(notebook) -> None:
    with LocalWorkspace(login="ada", password="pw") as workspace:
        (workspace.root / "nightly.py").write_text("# Databricks notebook source\npass\n")
        databricks = DatabricksCredentials(host=workspace.url, login="ada", password="pw")
        assert submit_run.fn(databricks, NIGHTLY) in workspace.runs
        wrong = DatabricksCredentials(host=workspace.url, login="ada", password="hunter2")
        with pytest.raises(Unauthenticated) as caught:
            submit_run.fn(wrong, NIGHTLY)
        assert "hunter2" not in str(caught.value)


def test_no_secret_reaches_the_log_or_prefect(databricks, workspace, notebook, run_log, prefect_api) -> None:
    notebook("/nightly", "pass")

    @flow(name="secret-keeper")
    def parent(databricks: DatabricksCredentials) -> int:
        return submit_run(databricks, NIGHTLY)

    parent(databricks)
    (flow_run,) = prefect_api.flow_runs_named("secret-keeper")
    assert workspace.token not in run_log.text
    assert workspace.token not in json.dumps(flow_run)


def test_clients_of_the_block_are_signed_in(databricks) -> None:
    with databricks.get_client() as client:
        assert client.get("/api/2.2/jobs/list").json() == {}

    async def read() -> httpx.Response:
        async with databricks.get_async_client() as client:
            return await client.get("/api/2.2/jobs/list")

    assert asyncio.run(read()).status_code == 200


@contextmanager
def server_that_says(answer: bytes | None) -> Iterator[str]:
    """The address of a server that gives each connection this answer, or none for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as connections:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection = connections.enter_context(listening.accept()[0])
                    if answer is not None:
                        connection.recv(65536)
                        connection.sendall(answer)
                        connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_server_that_hangs_is_one_clear_error() -> None:
    with server_that_says(None) as host:
        databricks = DatabricksCredentials(host=host, token="dapi-secret", request_timeout_seconds=0.2)
        with pytest.raises(
            DatabricksConnectionError, match=r"no complete answer within 0\.2 s.*\. Check the `host`"
        ) as caught:
            submit_run.fn(databricks, NIGHTLY, databricks_retry_limit=2, databricks_retry_delay=0.01)
    assert "dapi-secret" not in str(caught.value)


def test_a_host_that_is_some_other_web_site_is_one_clear_error() -> None:
    page = b"<html><title>Welcome</title></html>"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page)
    says = "text/html that reads 'Welcome'.*Check that `host` is the address of a workspace"
    with server_that_says(head + page) as host, pytest.raises(InvalidResponse, match=says):
        submit_run.fn(DatabricksCredentials(host=host, token="t"), NIGHTLY)
