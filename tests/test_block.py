"""The block on a real Prefect server: registered, saved, loaded, handed to a deployment, taken over from others."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import flow
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.deployments import run_deployment
from prefect.exceptions import ParameterTypeError
from prefect.flows import EntrypointType
from prefect.utilities.dispatch import register_type
from pydantic import BaseModel

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials, submit_run_and_wait
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.auth import (
    BasicAuth,
    EntraServicePrincipal,
    ServicePrincipal,
    ServicePrincipalAuth,
    SignIn,
    TokenAuth,
)
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.connections import api_client
from tests.support.prefect_cli import prefect


def test_registered_as_the_readme_says_it_is_in_the_ui_with_its_form(prefect_server: PrefectServer) -> None:
    assert "Databricks Runs Credentials" in prefect(
        prefect_server, "block", "register", "-m", "prefect_databricks_runs"
    )
    with api_client(prefect_server.api_url) as api:
        block_type = api.get("/block_types/slug/databricks-runs-credentials").raise_for_status().json()
        assert block_type["name"] == "Databricks Runs Credentials"
        assert "BLOCK_NAME" in block_type["code_example"]
        wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
        schemas = api.post("/block_schemas/filter", json=wanted).raise_for_status().json()
    (schema,) = [each for each in schemas if each["checksum"] == DatabricksCredentials._calculate_schema_checksum()]
    fields = ["host", "sign_in", "request_timeout_seconds", "requests_per_second"]
    assert list(schema["fields"]["properties"]) == fields
    secrets = {"sign_in.token", "sign_in.client_secret", "sign_in.password"}
    assert set(schema["fields"]["secret_fields"]) == secrets
    # On Prefect 2 a deployment's form cannot be submitted while the block that it asks for has a required field.
    assert schema["fields"].get("required", []) == (["host", "sign_in"] if PREFECT_3 else [])
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


def save_as_the_ui_does(server: PrefectServer, name: str, data: dict[str, Any]) -> None:
    DatabricksCredentials.register_type_and_schema()
    with api_client(server.api_url) as api:
        block_type = api.get("/block_types/slug/databricks-runs-credentials").json()
        wanted = {"block_schemas": {"block_type_id": {"any_": [block_type["id"]]}}}
        schema = api.post("/block_schemas/filter", json=wanted).json()[0]
        ids = {"block_type_id": block_type["id"], "block_schema_id": schema["id"]}
        api.post("/block_documents/", json={"name": name, "data": data, **ids}).raise_for_status()


def test_what_the_ui_saves_is_checked_when_it_is_loaded(prefect_server: PrefectServer) -> None:
    data = {"host": "https://X.net/?o=1", "sign_in": {"login": "ada", "password": ""}}
    save_as_the_ui_does(prefect_server, "half", data)
    with pytest.raises(InvalidCredentials, match="`password` is missing for https://x.net"):
        DatabricksCredentials.load("half")


@pytest.mark.parametrize(
    ("sign_in", "auth"),
    [
        ({"token": "dapi-old"}, TokenAuth("dapi-old")),
        ({"client_id": "id", "client_secret": "old"}, ServicePrincipalAuth("https://x.example.net", "id", "old")),
        ({"login": "ada", "password": "pw"}, BasicAuth("ada", "pw")),
    ],
    ids=["token", "service principal", "password"],
)
def test_a_block_that_the_first_version_with_tabs_saved_loads(
    prefect_server: PrefectServer, sign_in: dict[str, str], auth: httpx.Auth
) -> None:
    """A copy of what it saved: `save` of today's version is not asked."""
    more = {"request_timeout_seconds": 60.0, "requests_per_second": 10.0}
    save_as_the_ui_does(prefect_server, "of-tabs", {"host": "https://x.example.net", "sign_in": sign_in, **more})
    assert DatabricksCredentials.load("of-tabs").get_auth() == auth


# The form of the first version. What was saved with it stays as it is when the package is upgraded.
FIRST_FORM: dict[str, Any] = {
    "title": "DatabricksCredentials",
    "type": "object",
    "properties": {
        "host": {"title": "Host", "type": "string"},
        "token": {"title": "Token", "type": "string", "format": "password", "writeOnly": True, "default": ""},
        "login": {"title": "Login", "type": "string", "default": ""},
        "password": {"title": "Password", "type": "string", "format": "password", "writeOnly": True, "default": ""},
    },
    "required": ["host"],
    "secret_fields": ["token", "password"],
    "block_type_slug": "databricks-runs-credentials",
    "block_schema_references": {},
}


@pytest.mark.parametrize(
    ("data", "auth"),
    [
        ({"token": "dapi-old", "login": "", "password": ""}, TokenAuth("dapi-old")),
        ({"token": "", "login": "ada", "password": "pw"}, BasicAuth("ada", "pw")),
        ({"token": None, "login": "ada", "password": "pw"}, BasicAuth("ada", "pw")),
    ],
    ids=["token", "password", "empty secret as Prefect 2 gives it"],
)
def test_a_block_that_the_first_version_saved_loads(prefect_server: PrefectServer, data: dict[str, Any], auth) -> None:
    DatabricksCredentials.register_type_and_schema()
    name = f"of-the-first-version-{uuid4().hex[:8]}"
    with api_client(prefect_server.api_url) as api:
        type_id = api.get("/block_types/slug/databricks-runs-credentials").json()["id"]
        schema = api.post("/block_schemas/", json={"block_type_id": type_id, "fields": FIRST_FORM}).raise_for_status()
        ids = {"block_type_id": type_id, "block_schema_id": schema.json()["id"]}
        body = {"name": name, "data": {"host": "https://x.example.net", **data}, **ids}
        document = api.post("/block_documents/", json=body).raise_for_status().json()
    loaded = DatabricksCredentials.load(name)
    assert (loaded.host, loaded.get_auth()) == ("https://x.example.net", auth)
    assert DatabricksCredentials.of_reference(document["id"]).get_auth() == auth


def make_block_of_the_other_package(server: PrefectServer, name: str, data: dict[str, Any]) -> None:
    """Save a `databricks-credentials` block; Prefect's own catalogue has its type on most lines."""
    with api_client(server.api_url) as api:
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


@pytest.mark.parametrize(("tenant", "way"), [({}, ServicePrincipal), ({"tenant_id": "t"}, EntraServicePrincipal)])
def test_the_service_principals_of_the_other_package_are_taken_over(
    prefect_server: PrefectServer, tenant: dict[str, str], way: type[SignIn]
) -> None:
    data = {"databricks_instance": "x.net", "client_id": "id", "client_secret": "hunter2", **tenant}
    make_block_of_the_other_package(prefect_server, f"principal-{len(tenant)}", data)
    taken_over = DatabricksCredentials.from_prefect_databricks(f"principal-{len(tenant)}")
    assert type(taken_over.sign_in) is way
    assert (taken_over.client_id, taken_over.client_secret.get_secret_value()) == ("id", "hunter2")


def test_one_that_cannot_be_taken_over_says_why(prefect_server: PrefectServer) -> None:
    data = {"databricks_instance": "x.net", "client_secret": "hunter2"}
    make_block_of_the_other_package(prefect_server, "half-principal", data)
    with pytest.raises(InvalidCredentials, match="`client_id` is missing") as caught:
        DatabricksCredentials.from_prefect_databricks("half-principal")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidCredentials, match=r"databricks-credentials/nobody does not exist\. `prefect block ls`"):
        DatabricksCredentials.from_prefect_databricks("nobody")


@pytest.fixture
def block_id(databricks: DatabricksCredentials, prefect_server: PrefectServer) -> str:
    """The id of a block `referred`, saved for the test's workspace."""
    databricks.save("referred", overwrite=True)
    return str(DatabricksCredentials.load("referred")._block_document_id)


# As the forms send it on Prefect 2, as those of Prefect 3 do, and as a person writes it.
REFERENCES = {
    "id": lambda block_id: block_id,
    "document id": lambda block_id: {"block_document_id": block_id},
    "slug": lambda _: {"block_document_slug": "databricks-runs-credentials/referred"},
}
references = pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)


NO_ID = "8b0a1f5e-3c1e-4f6e-9d43-5f0c3a1d2b7a"


class Workspaces(BaseModel):
    by_name: dict[str, DatabricksCredentials]


@references
def test_a_reference_to_a_saved_block_is_a_flow_parameter_alone_and_nested(reference, block_id, databricks) -> None:
    @flow
    def one(credentials: DatabricksCredentials) -> DatabricksCredentials:
        return credentials

    @flow
    def many(credentials: list[DatabricksCredentials]) -> list[DatabricksCredentials]:
        return credentials

    @flow
    def nested(workspaces: Workspaces) -> Workspaces:
        return workspaces

    given = {"$ref": reference(block_id)}
    found = [one(given), *many([given]), nested({"by_name": {"prod": given}}).by_name["prod"]]
    assert [each.host for each in found] == [databricks.host] * 3
    assert {str(each._block_document_id) for each in found} == {block_id}


@pytest.mark.filterwarnings("ignore:Type '.*has key")
def test_a_reference_is_to_the_kind_of_block_that_was_saved_also_where_others_derive_from_it(block_id) -> None:
    class OfATeam(DatabricksCredentials):
        """Has the slug of its parent."""

        team: str

    class OfItsOwn(OfATeam):
        _block_type_name = "Databricks Of Its Own"
        _block_type_slug = "databricks-of-its-own"

    register_type(DatabricksCredentials)  # Prefect takes the newest class of a slug
    found = DatabricksCredentials.of_reference(block_id)
    assert not hasattr(found, "team")
    OfItsOwn(host=found.host, token="t", team="data").save("own", overwrite=True)
    own = DatabricksCredentials.of_reference({"block_document_slug": "databricks-of-its-own/own"})
    assert own.team == "data"


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("8b0a1f5e-3c1e-4f6e-9d43-5f0c3a1d2b7a", "saved block with the id 8b0a1f5e.* does not exist"),
        (
            {"block_document_id": "8b0a1f5e-3c1e-4f6e-9d43-5f0c3a1d2b7a"},
            "saved block with the id 8b0a1f5e.* does not exist",
        ),
        (
            {"block_document_slug": "databricks-runs-credentials/nobody"},
            "saved block databricks-runs-cred.*/nobody does not exist",
        ),
        ({"block_document_slug": "secret/of-another-type"}, "'of-another-type' is not a DatabricksCred.*, but Secret"),
        ({"block_document_slug": "hunter2"}, "does not name a saved block"),
        ("hunter2", "does not name a saved block"),
        ({}, "does not name a saved block"),
        (7, "does not name a saved block"),
        (None, "does not name a saved block"),
    ],
    ids=str,
)
@pytest.mark.parametrize("options", [{}, {"name": "with-options"}], ids=["as it is", "with options"])
def test_a_reference_that_names_no_such_block_is_one_clear_error(reference, says: str, options) -> None:
    Secret(value="a secret").save("of-another-type", overwrite=True)
    with pytest.raises(InvalidCredentials, match=f"{says}.*block_document_slug.*NAME") as caught:
        submit_run_and_wait.with_options(**options)({"$ref": reference}, notebook_task={"notebook_path": "/n"})
    assert "hunter2" not in str(caught.value)


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


@pytest.mark.long
def test_a_deployment_of_our_flow_runs_with_every_reference_to_a_block(
    block_id, workspace, notebook, prefect_server: PrefectServer, prefect_api
) -> None:
    """No code: the flow ships in the package, and its parameters are what the UI, the shell or a schedule send."""
    notebook("/greet", "dbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))")
    prefect_api.create_work_pool("here", "process")
    by = {way: {"databricks_credentials": {"$ref": make(block_id)}} for way, make in REFERENCES.items()}
    parameters = {
        **by["id"],
        "json": {"notebook_task": {"notebook_path": "/greet", "base_parameters": {"who": "ada"}}},
        "polling_period_seconds": 0.1,
    }
    deployment = submit_run_and_wait.to_deployment(
        "nightly",
        work_pool_name="here",
        entrypoint_type=EntrypointType.MODULE_PATH,
        parameters=parameters,
        enforce_parameter_schema=True,
    )
    deployment_id = str(deployment.apply())
    name = "submit-run-and-wait/nightly"
    run_deployment(name, timeout=0)  # with the deployment's own parameters, as a schedule does
    run_deployment(name, parameters=by["document id"], timeout=0)
    prefect(prefect_server, "deployment", "run", name, "--params", json.dumps(by["slug"]))
    prefect(prefect_server, "worker", "start", "--pool", "here", "--run-once")
    flow_runs = prefect_api.flow_runs_of_deployment(deployment_id)
    assert [each["state"]["name"] for each in flow_runs] == ["Success"] * 3, [each["state"] for each in flow_runs]
    assert [run["state"]["result_state"] for run in workspace.runs.values()] == ["SUCCESS"] * 3
    assert workspace.token not in str(flow_runs)
