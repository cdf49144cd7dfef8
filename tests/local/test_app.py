"""Paths, JSON and the shape of errors."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.local.client import API, Client, error, notebook_task, over, state_of

NOT_JSON = (400, "MALFORMED_REQUEST", "Invalid JSON given in the body of the request - failed to parse given JSON")


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_every_version_of_the_api_is_served(client: Client, version: str) -> None:
    path = client.notebook("dbutils.notebook.exit('done')")
    answer = client.http.post(f"/api/{version}/jobs/runs/submit", json={"tasks": [notebook_task(path)]})
    run_id = answer.json()["run_id"]
    assert state_of(client.wait(run_id)) == ("TERMINATED", "SUCCESS")
    assert over(client.http.get(f"/api/{version}/jobs/runs/get", params={"run_id": run_id}).json())


def test_an_unknown_path_is_not_found(client: Client) -> None:
    expected = (404, "ENDPOINT_NOT_FOUND", "No API found for 'GET /jobs/xyz'")
    assert error(client.http.get("/api/2.2/jobs/xyz")) == expected
    for path in ("/api/2.3/jobs/list", "/api/", "/elsewhere"):
        assert error(client.http.get(path))[:2] == (404, "ENDPOINT_NOT_FOUND")


def test_the_wrong_method_is_not_found(client: Client) -> None:
    assert error(client.http.get(f"{API}/runs/submit"))[:2] == (404, "ENDPOINT_NOT_FOUND")
    assert error(client.http.post(f"{API}/runs/get"))[:2] == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "sql/statements"), ("GET", "pipelines"), ("GET", "clusters/list")],
)
def test_what_only_databricks_has_says_so_with_its_path(client: Client, method: str, path: str) -> None:
    status, code, message = error(client.http.request(method, f"/api/2.2/{path}"))
    assert (status, code) == (501, "NOT_IMPLEMENTED")
    assert message.startswith(f"{method} /api/2.2/{path} is not served by the local workspace")


@pytest.mark.parametrize("body", ["{", "nope", '{"a": NaN}', '{"a": 1e999}', "\xff", "[" * 100_000, "1" * 5000 + "x"])
def test_a_body_that_is_not_json_gets_the_real_error(client: Client, body: str) -> None:
    assert error(client.http.post(f"{API}/runs/submit", content=body.encode("latin-1"))) == NOT_JSON


def test_text_that_utf8_cannot_hold_does_no_harm(client: Client) -> None:
    body = json.dumps({"tasks": [notebook_task("/\ud800")]})
    run_id = client.http.post(f"{API}/runs/submit", content=body).json()["run_id"]
    run = client.wait(run_id)
    assert run["tasks"][0]["notebook_task"]["notebook_path"] == "/\ud800"
    assert state_of(run) == ("TERMINATED", "FAILED")


def test_a_body_that_is_no_object_is_malformed(client: Client) -> None:
    assert error(client.http.post(f"{API}/runs/submit", json=[1]))[:2] == (400, "MALFORMED_REQUEST")


def test_a_body_that_is_too_long_is_refused_and_not_held_in_memory(client: Client) -> None:
    part = b" " * 1_000_000

    def parts() -> Iterator[bytes]:
        for _ in range(40):
            yield part

    tracemalloc.start()
    try:
        answer = client.http.post(f"{API}/create", content=parts())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    says = "The body of the request is too long: it must not have more than 10000000 bytes."
    assert error(answer) == (400, "MALFORMED_REQUEST", says)
    assert peak < 20_000_000
    assert client.workspace.requests[-1].body is None


def test_a_body_may_have_ten_megabytes(client: Client) -> None:
    fields = json.dumps({"name": "long"})
    longest = fields + " " * (10_000_000 - len(fields))
    assert client.http.post(f"{API}/create", content=longest).status_code == 200
    assert error(client.http.post(f"{API}/create", content=longest + " "))[1] == "MALFORMED_REQUEST"


def test_a_field_of_the_wrong_type_gets_the_real_error(client: Client) -> None:
    job_id = client.post("create", name="types")["job_id"]
    assert client.refused("run-now", job_id=job_id, notebook_params="x") == (
        400,
        "MALFORMED_REQUEST",
        "Could not parse request object: Expected object for field notebook_params, found STRING",
    )


def test_the_content_type_does_not_matter(client: Client) -> None:
    body = json.dumps({"name": "any type"})
    answer = client.http.post(f"{API}/create", content=body, headers={"Content-Type": "text/json"})
    assert answer.status_code == 200


def test_a_get_may_carry_its_fields_in_a_body(client: Client) -> None:
    job_id = client.post("create", name="in a body")["job_id"]
    assert client.http.request("GET", f"{API}/get", json={"job_id": str(job_id)}).json()["job_id"] == job_id


def test_unknown_query_parameters_are_ignored(client: Client) -> None:
    assert client.get("list", page_token="", include_user_names="False", expand_tasks="True") is not None


def test_the_home_page_is_a_page(client: Client) -> None:
    assert client.http.get("/").headers["content-type"].startswith("text/html")
