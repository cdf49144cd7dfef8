"""Whatever a client sends, each endpoint answers it; and a valid job comes back as it was made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_databricks_runs.local import LocalWorkspace, SimulatedTask
from prefect_databricks_runs.local.bodies.shapes import TASK_TYPES
from tests.local import json_strategies as made_up
from tests.local.client import API, Client, state_of
from tests.local.valid_tasks import VALID_TASKS
from tests.support.processes import wait_until

COURSE_FIELDS = [field.name for field in dataclasses.fields(SimulatedTask)]
VERSIONS = ("2.0", "2.1", "2.2")
# These end at once and start no process.
QUIET_TASK = {"task_key": "a", **VALID_TASKS["pipeline_task"]}


@pytest.fixture(scope="module")
def watched() -> Iterator[LocalWorkspace]:
    with LocalWorkspace() as workspace:
        yield workspace
        client = Client(workspace)
        wait_until(lambda: client.get("runs/list", active_only="true") == {})  # what was started has ended
        client.close()


def served(workspace: LocalWorkspace) -> list[str]:
    """The endpoints of jobs and runs that a workspace serves."""
    assert workspace._assembly
    return sorted(name for name in workspace._assembly.endpoints if name.split(" ")[1].startswith("jobs/"))


@pytest.fixture(scope="module")
def own_client(watched: LocalWorkspace) -> Iterator[Client]:
    client = Client(watched)
    yield client
    client.close()


def answered(client: Client, endpoint: str, version: str, content: str, *, in_query: bool) -> httpx.Response:
    method, path = endpoint.split(" ")
    url = f"/api/{version}/{path}"
    if in_query:
        fields = json.loads(content)
        return client.http.request(method, url, params={name: _in_query(value) for name, value in fields.items()})
    return client.http.request(method, url, content=content)


def _in_query(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace").decode()[:2000]


def _fits_a_query(content: str) -> bool:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and len(fields) > 0 and all(name.isprintable() for name in fields)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_json_makes_an_endpoint_fail(own_client: Client, watched: LocalWorkspace, data: st.DataObject) -> None:
    endpoint = data.draw(st.sampled_from(served(watched)))
    job_id = own_client.post("create", tasks=[QUIET_TASK])["job_id"]
    run_id = own_client.post("run-now", job_id=job_id)["run_id"]
    content = data.draw(made_up.requests(endpoint, job_id, run_id))
    version = data.draw(st.sampled_from(VERSIONS))
    in_query = endpoint.startswith("GET") and data.draw(st.booleans()) and _fits_a_query(content)
    response = answered(own_client, endpoint, version, content, in_query=in_query)
    # There was no repair in 2.0.
    fine = {200, 400, 404} if (endpoint, version) == ("POST jobs/runs/repair", "2.0") else {200, 400}
    assert response.status_code in fine, response.text
    answer = response.json()
    if response.status_code != 200:
        assert set(answer) == {"error_code", "message", "details"}
        answer = {}
    made = answer if endpoint.startswith("POST") else {}
    _read_and_end(own_client, {job_id, made.get("job_id", job_id)}, {run_id, made.get("run_id", run_id)})


def _read_and_end(client: Client, job_ids: set[int], run_ids: set[int]) -> None:
    """Reads what a request has made or changed, and ends it. It may be gone; then that is the answer."""
    requests = [
        *(("GET", "runs/get", {"run_id": run_id}) for run_id in run_ids),
        *(("POST", "runs/cancel", {"run_id": run_id}) for run_id in run_ids),
        *(("GET", "get", {"job_id": job_id}) for job_id in job_ids),
        ("GET", "list", {"expand_tasks": True}),
        *(("POST", "delete", {"job_id": job_id}) for job_id in job_ids),
    ]
    for method, endpoint, fields in requests:
        response = client.http.request(method, f"{API}/{endpoint}", json=fields)
        assert response.status_code in {200, 400}, response.text


@pytest.fixture(scope="module")
def timeless() -> Iterator[Client]:
    with LocalWorkspace(virtual_time=True) as workspace:
        client = Client(workspace)
        yield client
        client.close()


@settings(max_examples=200, deadline=None)
@given(course=made_up.json_values | st.dictionaries(st.sampled_from(COURSE_FIELDS), made_up.json_values, max_size=3))
def test_no_course_makes_a_run_fail_to_end(timeless: Client, course: Any) -> None:
    content = json.dumps({"tasks": [{**QUIET_TASK, "local_course": course, "max_retries": -1}]})
    response = timeless.http.post(f"{API}/runs/submit", content=content)
    assert response.status_code in {200, 400}, response.text
    if response.status_code == 200:
        run_id = response.json()["run_id"]
        timeless.workspace.advance(10)
        timeless.post("runs/cancel", run_id=run_id)
        timeless.workspace.advance(10**9)
        assert state_of(timeless.run(run_id))[0] in {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


def test_all_types_of_task_are_made_up() -> None:
    assert set(VALID_TASKS) == set(TASK_TYPES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=made_up.valid_settings(), second=made_up.valid_settings(), change=made_up.valid_settings())
def test_a_valid_job_comes_back_as_it_was_made(
    client: Client, first: dict[str, Any], second: dict[str, Any], change: dict[str, Any]
) -> None:
    job_id = client.post("create", **first)["job_id"]
    read = client.get("get", job_id=job_id)["settings"]
    assert_holds(read, first)

    client.post("reset", job_id=job_id, new_settings=second)
    kept = {"run_as": first["run_as"]} if "run_as" in first else {}
    assert_holds(client.get("get", job_id=job_id)["settings"], {**kept, **second})

    client.post("reset", job_id=job_id, new_settings=read)
    assert client.get("get", job_id=job_id)["settings"] == {**read, **run_as_of(second, read)}

    gone = [f"tasks/{task['task_key']}" for task in read["tasks"]]
    client.post("update", job_id=job_id, new_settings=change, fields_to_remove=["run_as", *gone])
    others = {name: value for name, value in read.items() if name not in {"run_as", "tasks"}}
    assert_holds(client.get("get", job_id=job_id)["settings"], {**others, **change})

    client.post("delete", job_id=job_id)
    assert client.http.get("/api/2.2/jobs/get", params={"job_id": job_id}).status_code == 400


def run_as_of(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for settings in (before, after) for name in ("run_as",) if name in settings}


def assert_holds(read: Any, given: Any, name: str = "") -> None:
    """Checks that what was read holds all that was given, beside what is filled in."""
    if isinstance(given, dict):
        assert given.keys() <= read.keys(), name
        for key, value in given.items():
            assert_holds(read[key], value, f"{name}.{key}")
    elif isinstance(given, list):
        order = _by_key if name.endswith("depends_on") else list
        assert len(read) == len(given), name
        for index, (one, other) in enumerate(zip(order(read), order(given), strict=True)):
            assert_holds(one, other, f"{name}[{index}]")
    else:
        tolerated = not isinstance(read, str) and str(read).lower() == str(given).lower()
        assert read == given or tolerated, name


def _by_key(dependencies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(dependencies, key=lambda dependency: str(dependency["task_key"]))
