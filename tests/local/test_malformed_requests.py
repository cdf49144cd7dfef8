"""Requests that are wrong, each with the answer that Databricks documents or was seen to give.

One test for each row of the catalogue of exact messages that is about a request to the Jobs API.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.local.client import API, Client, error, notebook_task

INVALID = (400, "INVALID_PARAMETER_VALUE")
MALFORMED = (400, "MALFORMED_REQUEST")

_names = (f"malformed {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def job_id(client: Client) -> int:
    return client.post("create", tasks=[notebook_task("/n")])["job_id"]


@pytest.fixture(scope="module")
def large_job(client: Client) -> dict[str, Any]:
    """A job of 200 tasks: its id and name."""
    name = next(_names)
    tasks = [notebook_task("/n", str(number)) for number in range(200)]
    return {"job_id": client.post("create", tasks=tasks, name=name)["job_id"], "name": name}


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("run-now", {}),
        ("delete", {}),
        ("update", {"new_settings": {"name": "x"}}),
        ("reset", {"new_settings": {"name": "x"}}),
    ],
)
def test_unknown_job(client: Client, endpoint: str, body: dict[str, Any]) -> None:
    assert client.refused(endpoint, job_id=1234, **body) == (*INVALID, "Job 1234 does not exist.")


def test_unknown_job_is_not_there_to_read(client: Client) -> None:
    expected = (*INVALID, "Job 1234 does not exist.")
    assert error(client.http.get(f"{API}/get", params={"job_id": 1234})) == expected


def test_run_now_without_a_job(client: Client) -> None:
    assert client.refused("run-now") == (*INVALID, "Job 0 does not exist.")


@pytest.mark.parametrize(
    ("method", "endpoint"),
    [("GET", "runs/get"), ("GET", "runs/get-output"), ("POST", "runs/cancel"), ("POST", "runs/delete")],
)
def test_unknown_run(client: Client, method: str, endpoint: str) -> None:
    response = client.http.request(method, f"{API}/{endpoint}", json={"run_id": 1234})
    assert error(response) == (*INVALID, "Run 1234 does not exist.")


@pytest.mark.parametrize("body", ["{", "nope", '{"a": 1,}', '{"a": NaN}', "'"])
@pytest.mark.parametrize("endpoint", ["create", "reset", "update", "delete", "run-now", "runs/submit"])
def test_body_not_json(client: Client, endpoint: str, body: str) -> None:
    message = "Invalid JSON given in the body of the request - failed to parse given JSON"
    assert error(client.http.post(f"{API}/{endpoint}", content=body)) == (*MALFORMED, message)


@pytest.mark.parametrize(
    ("field", "value", "expected", "found"),
    [
        ("notebook_params", "x", "object", "STRING"),
        ("job_parameters", 5, "object", "NUMBER"),
        ("python_params", {}, "array", "OBJECT"),
        ("queue", True, "object", "BOOLEAN"),
        ("idempotency_token", [], "string", "ARRAY"),
        ("job_id", "x", "integer", "STRING"),
    ],
)
def test_wrong_type(client: Client, job_id: int, field: str, value: Any, expected: str, found: str) -> None:
    message = f"Could not parse request object: Expected {expected} for field {field}, found {found}"
    assert client.refused("run-now", **{"job_id": job_id, field: value}) == (*MALFORMED, message)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"key": "a"}, 'key: "a"'),
        ({"key": "a", "value": None}, 'key: "a"'),
        ({"value": "b"}, 'value: "b"'),
        ({"a": "b"}, ""),
        ("a", ""),
    ],
)
def test_map_given_as_list(client: Client, entry: Any, found: str) -> None:
    message = (
        "Could not parse request object: Expected 'key' and 'value' to be set for JSON map field base_parameters, "
        f"got '{found}' instead."
    )
    task = notebook_task("/n", base_parameters=[entry])
    for endpoint in ("create", "runs/submit"):
        assert client.refused(endpoint, tasks=[task]) == (*MALFORMED, message)


@pytest.mark.parametrize("endpoint", ["create", "runs/submit"])
@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_missing_notebook_path(client: Client, version: str, endpoint: str) -> None:
    response = client.http.post(f"/api/{version}/jobs/{endpoint}", json={"notebook_task": {}})
    assert error(response) == (*INVALID, "Missing required field: settings.task.notebook_task.notebook_path")


@pytest.mark.parametrize("path", ["f.py", "dbfs://some-file.py", "ftp://a/f.py", ""])
def test_bad_python_uri(client: Client, path: str) -> None:
    task = {"task_key": "a", "existing_cluster_id": "c", "spark_python_task": {"python_file": path}}
    message = f"Invalid Python file URI: {path}. Please visit Databricks user guide for supported URI schemes."
    assert client.refused("create", tasks=[task]) == (*INVALID, message)


def test_create_without_settings(client: Client) -> None:
    for version in ("2.0", "2.1", "2.2"):
        answer = error(client.http.post(f"/api/{version}/jobs/create", json={}))
        assert answer == (*INVALID, "Run settings must be specified.")


@pytest.mark.parametrize("body", [{}, {"new_settings": None}, {"new_settings": {}}])
def test_reset_without_settings(client: Client, job_id: int, body: dict[str, Any]) -> None:
    assert client.refused("reset", job_id=job_id, **body) == (*INVALID, "Run settings must be specified.")


@pytest.mark.parametrize(
    "task",
    [
        {"spark_jar_task": {"main_class_name": "a.B"}},
        {"spark_submit_task": {}},
    ],
)
def test_no_compute(client: Client, task: dict[str, Any]) -> None:
    message = "One of job_cluster_key, new_cluster, or existing_cluster_id must be specified"
    for endpoint in ("create", "runs/submit"):
        assert client.refused(endpoint, tasks=[{"task_key": "a", **task}]) == (*INVALID, message)
        assert client.refused(endpoint, **task) == (*INVALID, message)


@pytest.mark.parametrize("provider", [{}, {"git_provider": None}, {"git_provider": ""}, {"git_provider": "cvs"}])
def test_git_provider_missing(client: Client, provider: dict[str, Any]) -> None:
    source = {"git_url": "https://example.org/x", **provider}
    message = (
        "git_source.git_provider must be one of: github,gitlab,bitbucketcloud,gitlabenterpriseedition,"
        "bitbucketserver,azuredevopsservices,githubenterprise,awscodecommit"
    )
    for endpoint in ("create", "runs/submit"):
        assert client.refused(endpoint, tasks=[notebook_task("/n")], git_source=source) == (*INVALID, message)


LARGE = "Resources with more than 100 tasks can only be handled by API 2.2 and above. Your resource has 200 tasks"


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_more_than_100_tasks_are_not_read_by_older_versions(
    client: Client, large_job: dict[str, Any], version: str
) -> None:
    query = {"job_id": large_job["job_id"]}
    assert error(client.http.get(f"/api/{version}/jobs/get", params=query)) == (*INVALID, LARGE)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_more_than_100_tasks_are_not_listed_by_older_versions(
    client: Client, large_job: dict[str, Any], version: str
) -> None:
    query = {"name": large_job["name"], "expand_tasks": "true"}
    (job,) = client.answer(client.http.get(f"/api/{version}/jobs/list", params=query))["jobs"]
    assert job["settings"]["name"] == large_job["name"]
    assert "tasks" not in job["settings"]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@pytest.mark.parametrize("endpoint", ["create", "runs/submit"])
def test_more_than_100_tasks_are_not_written_by_older_versions(client: Client, version: str, endpoint: str) -> None:
    tasks = [notebook_task("/n", str(number)) for number in range(200)]
    assert error(client.http.post(f"/api/{version}/jobs/{endpoint}", json={"tasks": tasks})) == (*INVALID, LARGE)


def test_offset_above_1000(client: Client) -> None:
    message = (
        "The supplied offset 1001 has exceeded the value of 1000 allowed for this parameter."
        "Please use the page_token parameter to paginate"
    )
    assert error(client.http.get("/api/2.1/jobs/list", params={"offset": 1001})) == (*INVALID, message)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("runs/submit", {"tasks": [notebook_task("/n")], "idempotency_token": "x" * 65}),
        ("runs/submit", {"tasks": [notebook_task("/n", "a", "b"), notebook_task("/n", "b", "a")]}),
        ("runs/submit", {"tasks": [notebook_task("/n", "a"), notebook_task("/n", "a")]}),
        ("create", {"tasks": [notebook_task("/n", "a", "b"), notebook_task("/n", "b", "a")]}),
        ("create", {"tasks": [notebook_task("/n", "a"), notebook_task("/n", "a")]}),
        ("run-now", {"notebook_params": {"a": "b"}, "jar_params": ["c"]}),
        ("run-now", {"only": ["nobody"]}),
    ],
)
def test_what_has_no_known_text_is_still_invalid(
    client: Client, job_id: int, endpoint: str, body: dict[str, Any]
) -> None:
    given = {"job_id": job_id, **body} if endpoint == "run-now" else body
    assert client.refused(endpoint, **given)[:2] == INVALID


def test_unknown_path(client: Client) -> None:
    expected = (404, "ENDPOINT_NOT_FOUND", "No API found for 'GET /jobs/xyz'")
    assert error(client.http.get("/api/2.2/jobs/xyz")) == expected
