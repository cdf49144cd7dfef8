"""The block on a real Prefect server: registered, saved, loaded, handed to a deployment, taken over from others."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.blocks.core import Block
from prefect.exceptions import ParameterTypeError

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials, submit_run_and_wait
from prefect_databricks_runs._compat import PREFECT_3, SecretStr
from prefect_databricks_runs.demo.servers import PrefectServer

PREFECT = [sys.executable, "-W", "ignore", "-c", "from prefect.cli import app; app()"]


def prefect(server: PrefectServer, *arguments: str) -> str:
    """The output of a `prefect` command against this server."""
    done = subprocess.run(
        [*PREFECT, *arguments],
        env={**os.environ, "PREFECT_API_URL": server.api_url, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_registered_as_the_readme_says_it_is_in_the_ui_with_its_form(prefect_server: PrefectServer) -> None:
    assert "Databricks Runs Credentials" in prefect(
        prefect_server, "block", "register", "-m", "prefect_databricks_runs"
    )
    with httpx.Client(base_url=prefect_server.api_url) as api:
        block_type = api.get("/block_types/slug/databricks-runs-credentials").raise_for_status().json()
        assert block_type["name"] == "Databricks Runs Credentials"
        assert "BLOCK_NAME" in block_type["code_example"]
        wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
        (schema,) = api.post("/block_schemas/filter", json=wanted).raise_for_status().json()
    fields = ["host", "token", "login", "password", "request_timeout_seconds", "requests_per_second"]
    assert list(schema["fields"]["properties"]) == fields
    assert set(schema["fields"]["secret_fields"]) == {"token", "password"}
    assert schema["fields"]["required"] == ["host"]
    assert schema["version"] != "non-versioned"


@pytest.mark.usefixtures("prefect_server")
def test_saved_and_loaded_it_signs_in_as_before(databricks: DatabricksCredentials) -> None:
    databricks.save("saved", overwrite=True)
    loaded = DatabricksCredentials.load("saved")
    assert loaded == databricks
    assert loaded.get_auth() == databricks.get_auth()
    assert Block.load("databricks-runs-credentials/saved").host == databricks.host


@pytest.mark.usefixtures("prefect_server")
def test_loaded_in_async_code(databricks: DatabricksCredentials) -> None:
    databricks.save("saved-too", overwrite=True)

    async def load() -> DatabricksCredentials:
        return await DatabricksCredentials.load("saved-too")

    assert asyncio.run(load()).get_auth() == databricks.get_auth()


def test_what_the_ui_saves_is_checked_when_it_is_loaded(prefect_server: PrefectServer) -> None:
    DatabricksCredentials.register_type_and_schema()
    with httpx.Client(base_url=prefect_server.api_url) as api:
        block_type = api.get("/block_types/slug/databricks-runs-credentials").json()
        wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
        schema = api.post("/block_schemas/filter", json=wanted).json()[0]
        data = {"host": "https://X.net/?o=1", "token": "", "login": "ada", "password": ""}
        ids = {"block_type_id": block_type["id"], "block_schema_id": schema["id"]}
        api.post("/block_documents/", json={"name": "half", "data": data, **ids}).raise_for_status()
    with pytest.raises(InvalidCredentials, match="`password` is missing for https://x.net"):
        DatabricksCredentials.load("half")


def make_block_of_the_other_package(server: PrefectServer, name: str, data: dict[str, Any]) -> None:
    """Save a `databricks-credentials` block; Prefect's own catalogue has its type on most lines."""
    with httpx.Client(base_url=server.api_url) as api:
        found = api.get("/block_types/slug/databricks-credentials")
        if found.status_code == 404:
            body = {"name": "Databricks Credentials", "slug": "databricks-credentials"}
            found = api.post("/block_types/", json=body).raise_for_status()
        type_id = found.json()["id"]
        fields = {"title": "DatabricksCredentials", "type": "object", "properties": {}, "secret_fields": ["token"]}
        schema = (
            api.post("/block_schemas/", json={"block_type_id": type_id, "fields": fields}).raise_for_status().json()
        )
        body = {"name": name, "data": data, "block_type_id": type_id, "block_schema_id": schema["id"]}
        api.post("/block_documents/", json=body).raise_for_status()


def test_a_saved_block_of_the_other_package_is_taken_over(prefect_server: PrefectServer) -> None:
    instance = {"databricks_instance": "adb-1.2.azuredatabricks.net", "token": "dapi-theirs"}
    make_block_of_the_other_package(prefect_server, "theirs", instance)
    credentials = DatabricksCredentials.from_prefect_databricks("theirs")
    assert credentials.host == "https://adb-1.2.azuredatabricks.net"
    assert credentials.get_auth().token == "dapi-theirs"


def test_one_that_cannot_be_taken_over_says_why(prefect_server: PrefectServer) -> None:
    data = {"databricks_instance": "x.net", "client_id": "id", "client_secret": "hunter2"}
    make_block_of_the_other_package(prefect_server, "principal", data)
    with pytest.raises(InvalidCredentials, match="service principal") as caught:
        DatabricksCredentials.from_prefect_databricks("principal")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidCredentials, match="no saved block databricks-credentials/nobody"):
        DatabricksCredentials.from_prefect_databricks("nobody")


@pytest.mark.parametrize("kind", ["block_document_id", "block_document_slug"])
def test_a_reference_to_a_saved_block_is_a_flow_parameter(kind, databricks, prefect_server: PrefectServer) -> None:
    databricks.save("referred", overwrite=True)

    @flow
    def parent(credentials: DatabricksCredentials) -> str:
        return credentials.host

    ids = {
        "block_document_id": str(DatabricksCredentials.load("referred")._block_document_id),
        "block_document_slug": "databricks-runs-credentials/referred",
    }
    assert parent({"$ref": {kind: ids[kind]}}) == databricks.host


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("given", ["local", None, 7], ids=["name", "None", "number"])
def test_what_is_no_block_is_an_error_that_names_the_parameter(given) -> None:
    says = (
        "DatabricksCredentials"
        if PREFECT_3
        else "must be a DatabricksCredentials block, not .*load.*block_document_slug"
    )
    with pytest.raises(ParameterTypeError, match=f"databricks_credentials.*{says}"):
        submit_run_and_wait(given, notebook_task={"notebook_path": "/n"})


@pytest.mark.usefixtures("prefect_server")
def test_a_parameter_that_may_be_a_block_or_something_else_takes_something_else() -> None:
    @flow
    def either(databricks: DatabricksCredentials | str | None) -> str | None:
        return databricks

    assert either("prod", return_state=True).result() == "prod"
    assert either(None, return_state=True).result() is None


def test_a_deployment_of_our_flow_runs_with_a_block_chosen_in_the_ui(
    databricks, workspace, notebook, prefect_server: PrefectServer, prefect_api
) -> None:
    """No code: the flow ships in the package, its parameters are what the UI would send, a worker runs it."""
    notebook("/greet", "dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))")
    DatabricksCredentials(host=workspace.url, token=SecretStr(workspace.token)).save("prod", overwrite=True)
    with httpx.Client(base_url=prefect_server.api_url) as api:
        document = api.get("/block_types/slug/databricks-runs-credentials/block_documents/name/prod").json()
    prefect(prefect_server, "work-pool", "create", "here", "--type", "process")
    parameters = {
        "databricks_credentials": {"$ref": {"block_document_id": document["id"]}},
        "json": {"notebook_task": {"notebook_path": "/greet", "base_parameters": {"who": "ada"}}},
        "polling_period_seconds": 0.1,
    }
    from prefect.flows import EntrypointType

    deployment = submit_run_and_wait.to_deployment(
        "nightly", work_pool_name="here", entrypoint_type=EntrypointType.MODULE_PATH, parameters=parameters
    )
    deployment_id = deployment.apply()
    with httpx.Client(base_url=prefect_server.api_url) as api:
        made = api.post(f"/deployments/{deployment_id}/create_flow_run", json={}).raise_for_status().json()
    prefect(prefect_server, "worker", "start", "--pool", "here", "--run-once")
    flow_run = prefect_api.flow_run(made["id"])
    assert (flow_run["state"]["type"], flow_run["state"]["name"]) == ("COMPLETED", "Success"), flow_run["state"][
        "message"
    ]
    (run,) = workspace.runs.values()
    assert run["state"]["result_state"] == "SUCCESS"
    assert workspace.token not in str(flow_run)
