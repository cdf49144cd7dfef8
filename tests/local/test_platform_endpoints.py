"""Who is signed in, what compute there could be, and which workspace it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client, error, notebook_task

ME = "/api/2.0/preview/scim/v2/Me"
PRINCIPAL = "6f1c1f3e-7a4e-4c9a-9a4e-0d7c2b1a0001"


@pytest.fixture(scope="module")
def workspace() -> Iterator[LocalWorkspace]:
    options = {"login": "someone", "password": "a-password", "client_id": PRINCIPAL, "client_secret": "dose-1"}
    with LocalWorkspace(**options) as workspace:
        yield workspace


def oauth_token(workspace: LocalWorkspace) -> str:
    assert workspace.client_id
    assert workspace.client_secret
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    auth = (workspace.client_id, workspace.client_secret)
    return str(httpx.post(f"{workspace.url}/oidc/v1/token", data=form, auth=auth).json()["access_token"])


def me(workspace: LocalWorkspace, token: str) -> dict[str, Any]:
    response = httpx.get(workspace.url + ME, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    return dict(response.json())


def test_me_is_the_owner_of_the_token(workspace: LocalWorkspace) -> None:
    someone, anna = me(workspace, workspace.token), me(workspace, workspace.add_user("anna@example.com"))
    assert (someone["userName"], anna["userName"]) == ("someone@localhost", "anna@example.com")
    assert someone["id"] != anna["id"]
    assert anna["id"].isdigit()
    assert anna["emails"] == [{"type": "work", "value": "anna@example.com", "primary": True}]
    assert anna["active"] is True
    assert anna["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:User"]


def test_a_user_stays_the_same_by_every_way_in(workspace: LocalWorkspace) -> None:
    by_password = httpx.get(workspace.url + ME, auth=("someone", "a-password")).json()
    by_second_token = me(workspace, workspace.add_user("someone@localhost"))
    assert me(workspace, workspace.token) == by_password == by_second_token


def test_a_service_principal_is_its_client_id(workspace: LocalWorkspace) -> None:
    answer = me(workspace, oauth_token(workspace))
    assert answer["userName"] == answer["applicationId"] == PRINCIPAL
    assert "emails" not in answer


def test_what_is_made_and_started_names_who_did_it(workspace: LocalWorkspace) -> None:
    someone, principal = Client(workspace), Client(workspace)
    principal.http.headers["Authorization"] = f"Bearer {oauth_token(workspace)}"
    task = notebook_task("/n")
    job_id = someone.post("create", name="mine", tasks=[task])["job_id"]
    assert principal.get("get", job_id=job_id)["creator_user_name"] == "someone@localhost"
    run_id = principal.post("run-now", job_id=job_id)["run_id"]
    assert someone.run(run_id)["creator_user_name"] == PRINCIPAL
    assert someone.run(principal.submit(task))["creator_user_name"] == PRINCIPAL
    assert principal.run(someone.submit(task))["creator_user_name"] == "someone@localhost"
    someone.close()
    principal.close()


def test_every_answer_of_the_api_names_the_workspace(client: Client) -> None:
    config = client.http.get("/.well-known/databricks-config").json()
    run_page_url = client.run(client.submit(notebook_task("/n")))["run_page_url"]
    assert f"?o={config['workspace_id']}#" in run_page_url
    answers = [
        client.http.get(ME),
        client.http.get(f"{API}/runs/get"),
        client.http.get("/api/2.0/xyz"),
        client.http.post("/api/2.0/clusters/create"),
        httpx.get(client.workspace.url + ME),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 404, 501, 401]
    assert {answer.headers["x-databricks-org-id"] for answer in answers} == {config["workspace_id"]}


def test_clients_find_a_runtime_and_a_machine(client: Client) -> None:
    versions = client.http.get("/api/2.1/clusters/spark-versions").json()["versions"]
    assert {"key": "15.4.x-scala2.12", "name": "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"} in versions
    types = client.http.get("/api/2.1/clusters/list-node-types").json()["node_types"]
    required = {"node_type_id", "memory_mb", "num_cores", "description", "instance_type_id", "category"}
    assert all(required <= set(each) for each in types)
    assert "i3.xlarge" in {each["node_type_id"] for each in types}


@pytest.mark.parametrize("path", [ME, "/api/2.1/clusters/spark-versions", "/api/2.1/clusters/list-node-types"])
def test_they_answer_only_who_signed_in(shared_workspace: LocalWorkspace, path: str) -> None:
    assert httpx.get(shared_workspace.url + path).status_code == 401


def test_their_neighbours_are_not_served_and_say_so(client: Client) -> None:
    for path in ("/api/2.0/preview/scim/v2/Users", "/api/2.1/clusters/get"):
        assert error(client.http.get(path))[:2] == (501, "NOT_IMPLEMENTED")
