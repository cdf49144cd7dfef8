"""Keys that are probably misspelt are found, and nothing else is."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from databricks.sdk.service import jobs
from hypothesis import given
from hypothesis import strategies as st
from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, InvalidPayload, submit_run
from prefect_databricks_runs._payload.spelling import KNOWN_KEYS, Misspelt, misspelt_keys
from prefect_databricks_runs.local.bodies import bodies
from prefect_databricks_runs.local.bodies.schema import Kind, ListOf, MapOf, Object

NOTEBOOK = {"notebook_path": "/n"}


def found(body: dict[str, Any], endpoint: str = "runs/submit") -> list[Misspelt]:
    return misspelt_keys(body, endpoint)


MISSPELT = [
    ({"tasks": [{"task_key": "a"}, {"depend_on": []}]}, "tasks[1]", "depend_on", "depends_on"),
    ({"tasks": [{"notebok_task": NOTEBOOK}]}, "tasks[0]", "notebok_task", "notebook_task"),
    (
        {"tasks": [{"notebook_task": {"base_paramters": {}}}]},
        "tasks[0].notebook_task",
        "base_paramters",
        "base_parameters",
    ),
    ({"tasks": [{"for_each_task": {"task": {"task_ky": "a"}}}]}, "tasks[0].for_each_task.task", "task_ky", "task_key"),
    ({"tasks": [{"new_cluster": {"num_worker": 1}}]}, "tasks[0].new_cluster", "num_worker", "num_workers"),
    ({"tasks": [{"libraries": [{}, {"pypi": {"pakage": "x"}}]}]}, "tasks[0].libraries[1].pypi", "pakage", "package"),
    ({"timeout_second": 60}, "", "timeout_second", "timeout_seconds"),
    ({"new_clustr": {}}, "", "new_clustr", "new_cluster"),
    ({"environments": [{"spec": {"dependancies": []}}]}, "environments[0].spec", "dependancies", "dependencies"),
    ({"email_notifications": {"on_failures": []}}, "email_notifications", "on_failures", "on_failure"),
]


@pytest.mark.parametrize(("body", "place", "key", "meant"), MISSPELT, ids=[each[2] for each in MISSPELT])
def test_a_misspelt_key_is_found_with_its_place_and_what_was_meant(body, place, key, meant) -> None:
    assert found(body) == [(place, key, meant)]


def test_those_of_run_now_are_found_too() -> None:
    assert found({"job_id": 1, "notebook_param": {}}, "run-now") == [("", "notebook_param", "notebook_params")]
    assert found({"job_id": 1, "notebook_params": {"notebook_param": "a"}}, "run-now") == []


@pytest.mark.parametrize(
    "body",
    [
        {"tasks": [{"brand_new_task": {"pathe": 1}, "quantum_entanglement": True}]},
        {"tasks": [{"notebook_task": {**NOTEBOOK, "base_parameters": {"base_paramters": "a", "task_ky": "b"}}}]},
        {"tasks": [{"new_cluster": {"spark_conf": {"spark_con": 1}, "custom_tags": {"tag": 1}}}]},
        {"tasks": [{"new_cluster": {"aws_attributes": {"zone_ids": 1}}}]},
        {"environment_variables": [{"spec": {"variables": {"variable": "x", "{{ job.id }}": "y"}}}]},
        {"tasks": "{{tasks.a.values.b}}", "queue": None, "health": 7},
        {"tasks": [["a"], None, 7]},
    ],
)
def test_what_is_new_or_is_named_by_users_is_no_misspelling(body) -> None:
    assert found(body) == []


@given(st.dictionaries(st.text(max_size=8), st.recursive(st.text(max_size=3), st.lists, max_leaves=5), max_size=5))
def test_whatever_a_body_is_nothing_is_raised(body) -> None:
    misspelt_keys({**body, "tasks": [body, {"notebook_task": body}]}, "runs/submit")


def test_it_is_a_warning_in_the_log_and_is_sent_as_it_is(
    databricks: DatabricksCredentials, workspace, notebook, prefect_server, run_log
) -> None:
    notebook("/n", "pass")

    @flow
    def parent() -> int:
        return submit_run(databricks, notebook_task={**NOTEBOOK, "base_paramters": {"day": "monday"}})

    assert parent() in workspace.runs
    (line,) = [record for record in run_log.records if "base_paramters" in record.getMessage()]
    says = "Unknown key `base_paramters` in tasks[0].notebook_task is sent as it is; did you mean `base_parameters`?"
    assert (line.levelname, line.getMessage()) == ("WARNING", says)
    (request,) = workspace.requests_to("POST */runs/submit")
    assert request.body["tasks"][0]["notebook_task"]["base_paramters"] == {"day": "monday"}


def test_a_request_that_is_refused_names_them_beside_its_faults(databricks: DatabricksCredentials) -> None:
    with pytest.raises(InvalidPayload) as caught:
        submit_run.fn(databricks, notebook_task={"notebok_path": "/n"})
    assert caught.value.faults == (
        "tasks[0].notebook_task.notebook_path: is missing; a notebook_task needs it.",
        "tasks[0].notebook_task: unknown key `notebok_path`; did you mean `notebook_path`?",
    )


def of_local(kind: Kind, place: str, depth: int = 9) -> Iterator[tuple[str, set[str]]]:
    """Each object of the local workspace's schema, by its place, with its fields."""
    if isinstance(kind, ListOf):
        yield from of_local(kind.item, place, depth)
    elif isinstance(kind, Object) and depth:
        yield place, set(kind.fields)
        for name, field in kind.fields.items():
            yield from of_local(field, f"{place}.{name}", depth - 1)


def of_sdk(hint: Any, place: str, depth: int = 9) -> Iterator[tuple[str, set[str]]]:
    """Each dataclass of databricks-sdk, by its place in a request, with its fields."""
    for inner in typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, list) else ():
        yield from of_sdk(inner, place, depth)
    if dataclasses.is_dataclass(hint) and depth:
        hints = typing.get_type_hints(hint)
        yield place, set(hints)
        for name, field in hints.items():
            yield from of_sdk(field, f"{place}.{name}", depth - 1)


def of_sdk_call(call: Any) -> Iterator[tuple[str, set[str]]]:
    hints = {name: hint for name, hint in typing.get_type_hints(call).items() if name != "return"}
    yield "", set(hints)
    for name, hint in hints.items():
        yield from of_sdk(hint, f".{name}")


def known_at(endpoint: str, place: str) -> set[str] | None:
    """The keys that are known at a place; None where nothing is looked at."""
    keys = KNOWN_KEYS[endpoint]
    for name in place.split(".")[1:]:
        below = keys[name]
        if below is None:
            return None
        keys = below
    return set(keys)


PLACES = {
    "local runs/submit": ("runs/submit", list(of_local(bodies.SUBMIT, ""))),
    "local run-now": ("run-now", list(of_local(bodies.RUN_NOW, ""))),
    "sdk runs/submit": ("runs/submit", list(of_sdk_call(jobs.JobsAPI.submit))),
    "sdk run-now": ("run-now", list(of_sdk_call(jobs.JobsAPI.run_now))),
}


@pytest.mark.parametrize("source", PLACES)
def test_no_field_that_the_local_workspace_or_databricks_sdk_knows_is_taken_for_a_misspelling(source: str) -> None:
    endpoint, places = PLACES[source]
    assert len(places) > (20 if endpoint == "runs/submit" else 2)
    for place, fields in places:
        known = known_at(endpoint, place)
        assert known is None or fields <= known, (place, fields - known)


def maps(kind: Kind, place: str, depth: int = 9) -> Iterator[str]:
    if isinstance(kind, MapOf):
        yield place
    elif isinstance(kind, ListOf):
        yield from maps(kind.item, place, depth)
    elif isinstance(kind, Object) and depth:
        for name, field in kind.fields.items():
            yield from maps(field, f"{place}.{name}", depth - 1)


@pytest.mark.parametrize(("endpoint", "kind"), [("runs/submit", bodies.SUBMIT), ("run-now", bodies.RUN_NOW)])
def test_nothing_is_looked_at_where_users_choose_the_names(endpoint: str, kind: Kind) -> None:
    places = list(maps(kind, ""))
    assert len(places) > 3
    assert [place for place in places if known_at(endpoint, place) is not None] == []
