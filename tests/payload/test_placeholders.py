"""The `{{ prefect.… }}` placeholders: found, filled, looked up."""

from __future__ import annotations

import asyncio
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from types import SimpleNamespace
from typing import Any

import prefect.client.orchestration
import prefect.runtime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs._payload.placeholders import as_text, fill, find, placeholder_values

VALUES = {
    "prefect.flow_run.name": "calm-otter",
    "prefect.flow_run.run_count": 2,
    "prefect.flow_run.tags": ["a", "b"],
    "prefect.flow_run.parameters.none": None,
    "prefect.flow_run.parameters.braces": "{{ prefect.flow_run.name }}",
}


def filled(text: str) -> tuple[Any, list[str]]:
    faults: list[str] = []
    return fill(text, VALUES, faults.append), faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "plain", id="no placeholder"),
        pytest.param("{{ prefect.flow_run.name }}", "calm-otter", id="whole text"),
        pytest.param("{{prefect.flow_run.name}}", "calm-otter", id="no space"),
        pytest.param("{{\t prefect.flow_run.name\n}}", "calm-otter", id="any space"),
        pytest.param("a {{ prefect.flow_run.name }} b", "a calm-otter b", id="inside"),
        pytest.param("{{ prefect.flow_run.run_count }}", 2, id="whole keeps its type"),
        pytest.param("#{{ prefect.flow_run.run_count }}", "#2", id="inside as JSON text"),
        pytest.param("{{ prefect.flow_run.tags }}", ["a", "b"], id="whole list"),
        pytest.param("t={{ prefect.flow_run.tags }}", 't=["a","b"]', id="list inside"),
        pytest.param("{{ prefect.flow_run.parameters.none }}", None, id="whole None"),
        pytest.param("x={{ prefect.flow_run.parameters.none }}", "x=null", id="None inside"),
        pytest.param(
            "{{ prefect.flow_run.parameters.braces }}", "{{ prefect.flow_run.name }}", id="filled text is not scanned"
        ),
        pytest.param("{{{ prefect.flow_run.name }}}", "{calm-otter}", id="braces around"),
        pytest.param("{{job.run_id}}", "{{job.run_id}}", id="Databricks"),
        pytest.param("{{ tasks.a.values.b }}", "{{ tasks.a.values.b }}", id="Databricks with space"),
        pytest.param(
            "{{job.id}}/{{prefect.flow_run.name}}/{{job.id}}", "{{job.id}}/calm-otter/{{job.id}}", id="both kinds"
        ),
        pytest.param("{{ prefectionism.x }}", "{{ prefectionism.x }}", id="other word"),
        pytest.param("{{ prefect }}", "{{ prefect }}", id="no dot"),
        pytest.param("{ prefect.flow_run.name }", "{ prefect.flow_run.name }", id="one brace"),
        pytest.param("{{ prefect.flow_run.name", "{{ prefect.flow_run.name", id="not closed"),
        pytest.param("{{}}", "{{}}", id="empty"),
    ],
)
def test_fill(text: str, expected: Any) -> None:
    assert filled(text) == (expected, [])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("prefect.nonsense", "known names are prefect.variables.<name>"),
        ("prefect.", "known names are"),
        ("prefect.flow_run.parameters", "known names are"),
        ("prefect.variables.a.b", "known names are"),
        ("prefect.flow_run.name | upper", "known names are"),
        ("prefect.variables.cluster", "Prefect has no variable"),
        ("prefect.flow_run.parameters.day", "the flow run does not have this parameter"),
        ("prefect.flow_run.parameters.day.month", "the flow run does not have this parameter"),
        ("prefect.flow_run.id", "no flow run here"),
        ("prefect.scheduled_start_time", "no flow run here"),
        ("prefect.task_run.id", "no task run here"),
        ("prefect.deployment.name", "does not belong to a deployment"),
    ],
)
@pytest.mark.parametrize("around", ["", "x"])
def test_a_placeholder_without_value_is_a_fault_and_stays(path: str, reason: str, around: str) -> None:
    text = f"{around}{{{{ {path} }}}}"
    value, (fault,) = filled(text)
    assert value == text
    assert path in fault
    assert reason in fault


def test_every_placeholder_without_value_is_named() -> None:
    _, faults = filled("{{ prefect.variables.a }}{{ prefect.flow_run.name }}{{ prefect.x }}")
    assert len(faults) == 2


def test_find() -> None:
    text = "{{ prefect.variables.a }} {{job.id}} {{prefect.b}} {{ prefect.variables.a }}"
    assert list(find(text)) == ["prefect.variables.a", "prefect.b", "prefect.variables.a"]


@given(st.text(alphabet="{}ab. \n", max_size=30))
def test_text_without_our_prefix_is_never_altered(text: str) -> None:
    assert filled(text) == (text, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", "é"),
        (True, "true"),
        (None, "null"),
        (1, "1"),
        (2.5, "2.5"),
        ({"a": [1, "b"]}, '{"a":[1,"b"]}'),
        ([], "[]"),
    ],
)
def test_as_text(value: Any, text: str) -> None:
    assert as_text(value) == text


# --- placeholder_values ---------------------------------------------------------------------------------------------


@dataclass
class Window:
    days: int


class VariablesOnly:
    """Prefect's client, as far as it is used, with the names that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __aenter__(self) -> VariablesOnly:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read_variable_by_name(self, name: str) -> SimpleNamespace | None:
        self.asked.append(name)
        return {"size": SimpleNamespace(value=3), "null": SimpleNamespace(value=None)}.get(name)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> VariablesOnly:
    client = VariablesOnly()
    monkeypatch.setattr(prefect.client.orchestration, "get_client", lambda: client)
    return client


SCHEDULED = datetime(2026, 1, 2, tzinfo=timezone.utc)


@pytest.fixture
def in_a_flow_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {
        "id": "f-1",
        "name": "calm-otter",
        "flow_name": "nightly",
        "run_count": 1,
        "tags": [],
        "scheduled_start_time": SCHEDULED,
        "parameters": {"day": "mon", "none": None, "nested": {"list": [{"x": 7}]}, "window": Window(days=2)},
    }
    for name, value in found.items():
        monkeypatch.setitem(prefect.runtime.flow_run.FIELDS, name, partial(copy, value))


def values_of(*paths: str) -> dict[str, Any]:
    return asyncio.run(placeholder_values(paths))


@pytest.mark.usefixtures("in_a_flow_run")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prefect.flow_run.id", "f-1"),
        ("prefect.flow_run.name", "calm-otter"),
        ("prefect.flow_run.flow_name", "nightly"),
        ("prefect.flow_run.run_count", 1),
        ("prefect.flow_run.tags", []),
        ("prefect.flow_run.scheduled_start_time", SCHEDULED),
        ("prefect.scheduled_start_time", SCHEDULED),
        ("prefect.flow_run.parameters.day", "mon"),
        ("prefect.flow_run.parameters.none", None),
        ("prefect.flow_run.parameters.nested", {"list": [{"x": 7}]}),
        ("prefect.flow_run.parameters.nested.list.0.x", 7),
        ("prefect.flow_run.parameters.window.days", 2),
    ],
)
def test_values_in_a_flow_run(path: str, value: Any) -> None:
    assert values_of(path) == {path: value}


@pytest.mark.usefixtures("in_a_flow_run")
@pytest.mark.parametrize(
    "path",
    [
        "prefect.flow_run.parameters.absent",
        "prefect.flow_run.parameters.day.x",
        "prefect.flow_run.parameters.nested.list.9",
        "prefect.flow_run.parent_flow_run_id",
        "prefect.deployment.name",
        "prefect.task_run.name",
        "prefect.nonsense",
    ],
)
def test_names_without_value_are_left_out(path: str) -> None:
    assert values_of(path) == {}


@pytest.mark.parametrize(
    "path",
    [
        *(f"prefect.flow_run.{name}" for name in ("id", "name", "flow_name", "run_count", "tags", "parameters.x")),
        "prefect.scheduled_start_time",
        *(f"prefect.deployment.{name}" for name in ("id", "name", "version")),
        *(f"prefect.task_run.{name}" for name in ("id", "name")),
    ],
)
def test_outside_a_run_nothing_has_a_value(path: str) -> None:
    assert values_of(path) == {}


def test_variables_come_from_the_api(client: VariablesOnly) -> None:
    wanted = {f"prefect.variables.{name}" for name in ("size", "null", "absent", "../flows")}
    assert values_of(*wanted) == {"prefect.variables.size": 3, "prefect.variables.null": None}
    assert client.asked == ["absent", "null", "size"]  # a name that no variable can have is not asked for


def test_without_variables_the_api_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefect.client.orchestration, "get_client", lambda: pytest.fail("asked the API"))
    assert values_of() == values_of("prefect.flow_run.name") == {}


@pytest.mark.parametrize(
    ("room", "name"),
    [
        *(("flow_run", name) for name in ("id", "name", "flow_name", "parameters", "scheduled_start_time", "tags")),
        ("flow_run", "run_count"),
        *(("deployment", name) for name in ("id", "name", "version")),
        *(("task_run", name) for name in ("id", "name")),
    ],
)
def test_this_prefect_has_what_is_read(room: str, name: str) -> None:
    assert name in getattr(prefect.runtime, room).FIELDS


def test_a_placeholder_never_reaches_a_secret() -> None:
    """What is filled in is logged, shown in the Prefect UI, and stored in Databricks."""
    from prefect_databricks_runs import DatabricksCredentials
    from prefect_databricks_runs._payload.placeholders import _NOTHING, _inside

    credentials = DatabricksCredentials(host="x.net", token="hunter2")
    parameters = {"credentials": credentials, "token": credentials.token, "plain": {"a": 1, "_a": 2}}
    assert _inside(parameters, ["plain", "a"]) == 1
    for keys in (["credentials"], ["credentials", "token"], ["token"], ["token", "_secret_value"], ["plain", "_a"]):
        assert _inside(parameters, keys) is _NOTHING
