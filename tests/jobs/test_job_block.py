"""The `DatabricksJob` block: one saved job or one-time run, started, waited for and deployed without code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from prefect import flow
from prefect.deployments import run_deployment
from prefect.flows import EntrypointType

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksError,
    DatabricksJob,
    InvalidOption,
    JobNameError,
    RunFailed,
    arun_databricks_job,
    run_databricks_job,
)
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.connections import api_client
from tests.support.prefect_cli import prefect

QUICK = {"polling_period_seconds": 0.05}
SLUG = "databricks-runs-job"


@pytest.fixture
def greeting(databricks: DatabricksCredentials, notebook: Callable[..., None]) -> int:
    """A saved job `greeting` with a parameter `who`; its id."""
    notebook("/greet", "dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))")
    return create(databricks, "greeting")


def create(databricks: DatabricksCredentials, name: str) -> int:
    body = {
        "name": name,
        "parameters": [{"name": "who", "default": "nobody"}],
        "tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/greet"}}],
    }
    with databricks.get_client() as client:
        return int(client.post("/api/2.2/jobs/create", json=body).raise_for_status().json()["job_id"])


def result_of(run: Any) -> str:
    return run.tasks["main"].output.result


CREDENTIALS = DatabricksCredentials(host="https://x.example.net", token="dapi-hunter2")
WRONG = [
    ({}, "needs exactly one of job_name, job_id, one_time_run. None is set."),
    ({"job_name": None, "job_id": None, "one_time_run": None}, "None is set."),
    ({"job_name": "", "job_id": 0, "one_time_run": {}}, "None is set."),
    ({"job_name": "a", "job_id": 1}, "Found: job_name, job_id."),
    ({"job_id": 1, "one_time_run": {"tasks": []}}, "Found: job_id, one_time_run."),
    ({"job_nam": "a"}, "DatabricksJob has no field 'job_nam'. Its fields are databricks_credentials,"),
    ({"job_id": "x"}, "DatabricksJob has invalid fields: `job_id`"),
    ({"job_id": 1, "on_retry": "again"}, "DatabricksJob has invalid fields: `on_retry`"),
    ({"job_id": 1, "max_wait_seconds": -1}, "`max_wait_seconds` must be above 0"),
    ({"job_id": 1, "max_wait_seconds": float("nan")}, "`max_wait_seconds` must be above 0"),
    ({"job_id": -1}, "`job_id` must be above 0"),
    ({"job_name": "  "}, "None is set."),
    ({"one_time_run": {"tasks": []}, "job_parameters": {"a": 1}}, "`job_parameters` are for a saved job"),
]


@pytest.mark.parametrize(("fields", "says"), WRONG, ids=lambda each: str(each)[:40])
def test_fields_that_make_no_sense_are_one_clear_error(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        DatabricksJob(databricks_credentials=CREDENTIALS, **fields)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("fields", [{}, {"databricks_credentials": None}], ids=["missing", "None"])
def test_a_block_without_credentials_is_one_clear_error(fields) -> None:
    with pytest.raises(InvalidOption, match="databricks_credentials"):
        DatabricksJob(job_id=1, **fields)


@pytest.mark.parametrize("empty", [None, ""], ids=["None", "text"])
def test_emptied_fields_of_a_form_are_the_defaults(empty) -> None:
    emptied = dict.fromkeys(
        ("job_id", "one_time_run", "job_parameters", "max_wait_seconds", "fail_on_task_failures", "on_retry"), empty
    )
    assert DatabricksJob(databricks_credentials=CREDENTIALS, job_name="a", **emptied) == DatabricksJob(
        databricks_credentials=CREDENTIALS, job_name="a"
    )


def test_registered_it_is_in_the_ui_with_its_form(prefect_server: PrefectServer) -> None:
    assert "Databricks Runs Job" in prefect(prefect_server, "block", "register", "-m", "prefect_databricks_runs")
    with api_client(prefect_server.api_url) as api:
        block_type = api.get(f"/block_types/slug/{SLUG}").raise_for_status().json()
        wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
        schemas = api.post("/block_schemas/filter", json=wanted).raise_for_status().json()
    assert "BLOCK_NAME" in block_type["code_example"]
    (schema,) = [each for each in schemas if each["checksum"] == DatabricksJob._calculate_schema_checksum()]
    fields = schema["fields"]["properties"]
    assert list(fields)[:4] == ["databricks_credentials", "job_name", "job_id", "one_time_run"]
    assert all(field["description"] for field in fields.values())
    assert not [name for name, field in fields.items() if "anyOf" in field]
    assert schema["fields"].get("required", []) == (["databricks_credentials"] if PREFECT_3 else [])


@pytest.mark.usefixtures("prefect_server")
def test_saved_and_loaded_it_runs_its_job_with_the_parameters_of_the_call(databricks, greeting) -> None:
    databricks.save("of-jobs", overwrite=True)
    credentials = DatabricksCredentials.load("of-jobs")
    DatabricksJob(databricks_credentials=credentials, job_name="greeting", job_parameters={"who": "ada"}).save(
        "greets", overwrite=True
    )

    job = DatabricksJob.load("greets")

    assert job.databricks_credentials._block_document_id == credentials._block_document_id
    assert result_of(job.run(**QUICK)) == "hello ada"
    assert result_of(job.run(job_parameters={"who": "eve"}, **QUICK)) == "hello eve"
    by_reference = DatabricksJob.of_reference({"block_document_slug": f"{SLUG}/greets"})
    assert (by_reference.job_name, by_reference.job_parameters) == (job.job_name, job.job_parameters)
    assert by_reference.databricks_credentials._block_document_id == credentials._block_document_id


@pytest.mark.usefixtures("prefect_server")
def test_a_run_that_it_has_triggered_is_waited_for_and_has_a_result(databricks, greeting) -> None:
    @flow
    def parent() -> str:
        started = DatabricksJob(databricks_credentials=databricks, job_id=greeting).trigger(
            job_parameters={"who": "ada"}
        )
        with pytest.raises(DatabricksError, match="has no result yet"):
            started.fetch_result()
        started.wait_for_completion(**QUICK)
        return result_of(started.fetch_result())

    assert parent() == "hello ada"


@pytest.mark.usefixtures("prefect_server")
def test_the_async_twins_do_the_same(databricks, greeting) -> None:
    job = DatabricksJob(databricks_credentials=databricks, job_id=greeting, job_parameters={"who": "ada"})

    @flow
    async def parent() -> list[str]:
        started = await job.atrigger()
        await started.await_for_completion(**QUICK)
        runs = [await started.afetch_result(), await job.arun(**QUICK), await arun_databricks_job(job, {"who": "eve"})]
        return [result_of(each) for each in runs]

    assert asyncio.run(parent()) == ["hello ada", "hello ada", "hello eve"]


@pytest.mark.usefixtures("prefect_server")
def test_a_one_time_run_is_submitted_as_it_is_saved(databricks, notebook) -> None:
    notebook("/fails", "1 / 0")
    job = DatabricksJob(databricks_credentials=databricks, one_time_run={"notebook_task": {"notebook_path": "/fails"}})

    @flow
    def parent() -> None:
        started = job.trigger()
        with pytest.raises(RunFailed, match="division by zero"):
            started.wait_for_completion(**QUICK)
        with pytest.raises(DatabricksError, match="has no result yet"):
            started.fetch_result()

    parent(return_state=True)
    with pytest.raises(RunFailed, match="division by zero"):
        job.run(run_name="named", **QUICK)
    with pytest.raises(InvalidOption, match="`job_parameters` are for a saved job"):
        run_databricks_job(job, {"who": "ada"})


@pytest.mark.usefixtures("prefect_server")
def test_the_fields_of_the_block_hold_where_the_call_gives_none(databricks, notebook) -> None:
    notebook("/long", "import time; time.sleep(60)")
    body = {"notebook_task": {"notebook_path": "/long"}}
    job = DatabricksJob(databricks_credentials=databricks, one_time_run=body, max_wait_seconds=0.3)
    with pytest.raises(DatabricksError, match=r"0\.3"):
        job.run(**QUICK)


@pytest.mark.usefixtures("prefect_server")
def test_another_job_than_that_of_the_block_is_refused_before_anything_is_sent(databricks, workspace, greeting) -> None:
    job = DatabricksJob(databricks_credentials=databricks, job_id=greeting)
    with pytest.raises(InvalidOption, match="`job_id` is a field of the block; save another block for it"):
        job.trigger(job_id=7)
    with pytest.raises(InvalidOption, match="`job_id` of `json` is a field of the block; save another block for it"):
        job.trigger(json={"job_id": 7})
    with pytest.raises(InvalidOption, match="`databricks_credentials` is a field of the block"):
        job.run(databricks_credentials=databricks)
    assert not workspace.runs


@pytest.mark.usefixtures("prefect_server")
def test_a_name_that_no_job_or_several_jobs_have_is_one_clear_error(databricks, workspace, greeting) -> None:
    with pytest.raises(JobNameError, match="missing"):
        run_databricks_job(DatabricksJob(databricks_credentials=databricks, job_name="missing"))
    create(databricks, "greeting")
    with pytest.raises(JobNameError, match="greeting"):
        run_databricks_job(DatabricksJob(databricks_credentials=databricks, job_name="greeting"))
    assert not workspace.runs


@pytest.mark.usefixtures("prefect_server")
def test_a_reference_that_names_no_such_block_is_one_clear_error() -> None:
    says = rf"saved block {SLUG}/nobody does not exist.*{SLUG}/NAME"
    with pytest.raises(InvalidOption, match=says):
        run_databricks_job({"$ref": {"block_document_slug": f"{SLUG}/nobody"}})
    CREDENTIALS.save("no-job", overwrite=True)
    with pytest.raises(InvalidOption, match="'no-job' is not a DatabricksJob block, but Databricks Runs Credentials"):
        run_databricks_job({"$ref": {"block_document_slug": "databricks-runs-credentials/no-job"}})


def test_the_form_of_its_flow_has_two_fields() -> None:
    assert list(run_databricks_job.parameters.properties) == ["job", "parameters"]
    assert all(each["description"] for each in run_databricks_job.parameters.properties.values())


@pytest.mark.long
def test_a_deployment_of_its_flow_runs_with_a_reference_to_it(
    databricks, greeting, prefect_server: PrefectServer, prefect_api
) -> None:
    prefect_api.create_work_pool("of-jobs", "process")
    databricks.save("deployed", overwrite=True)
    credentials = DatabricksCredentials.load("deployed")
    DatabricksJob(databricks_credentials=credentials, job_name="greeting").save("deployed", overwrite=True)
    deployment = run_databricks_job.to_deployment(
        "greets", work_pool_name="of-jobs", entrypoint_type=EntrypointType.MODULE_PATH
    )
    deployment_id = str(deployment.apply())
    parameters = {"job": {"$ref": {"block_document_slug": f"{SLUG}/deployed"}}, "parameters": {"who": "ada"}}
    run_deployment("run-databricks-job/greets", parameters=parameters, timeout=0)
    prefect(prefect_server, "worker", "start", "--pool", "of-jobs", "--run-once")
    (flow_run,) = prefect_api.flow_runs_of_deployment(deployment_id)
    assert flow_run["state"]["name"] == "Success", flow_run["state"]
