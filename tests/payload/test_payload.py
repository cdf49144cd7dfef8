"""Building request bodies: merging, JSON, placeholders, one task, and one error for all faults."""
# ruff: noqa: UP045  -- as the fields themselves are spelled

from __future__ import annotations

import copy
import json as json_module
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, Optional
from uuid import UUID

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import v1 as pydantic_v1
from typing_extensions import get_type_hints

from prefect_databricks_runs._payload.build import run_now_template, submit_run_template
from prefect_databricks_runs.errors import InvalidPayload
from prefect_databricks_runs.fields import RunNowFields, SubmitRunFields

# The parameters of `JobsAPI.submit` and `JobsAPI.run_now` in databricks-sdk 0.156.0.
SDK_SUBMIT = """
access_control_list budget_policy_id duration_target email_notifications environment_variables environments git_source
health idempotency_token notification_settings performance_target queue run_as run_name tasks timeout_seconds
usage_policy_id webhook_notifications
"""
SDK_RUN_NOW = """
job_id dbt_commands duration_target idempotency_token jar_params job_parameters notebook_params only performance_target
pipeline_params python_named_params python_params queue spark_submit_params sql_params
"""
API_20_TASK = """
notebook_task spark_jar_task spark_python_task spark_submit_task pipeline_task python_wheel_task sql_task dbt_task
new_cluster existing_cluster_id libraries
"""

NOTEBOOK = {"notebook_path": "/n"}


def type_name(value: Any) -> str:
    return type(value).__name__


class Colour(Enum):
    RED = "red"


class Model(pydantic.BaseModel):
    """Made the way users make them: fields that are not given are None."""

    notebook_task: dict[str, Any] | None = None
    run_name: str | None = None
    sql_task: dict[str, Any] | None = None


class Model1(pydantic_v1.BaseModel):
    """As the models of prefect-databricks for Prefect 2."""

    notebook_path: str
    base_parameters: Optional[dict[str, Any]] = None


class Task1(pydantic_v1.BaseModel):
    """One with another one inside."""

    task_key: str
    notebook_task: Model1
    state: Optional[Colour] = None


@dataclass
class Sdk:
    """As the dataclasses of databricks-sdk."""

    body: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return self.body


def build_submit_run(json: Any, fields: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return submit_run_template(json, fields).fill(values)


def build_run_now(json: Any, fields: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return run_now_template(json, fields).fill(values)


def placeholders(json: Any, fields: dict[str, Any]) -> set[str]:
    return submit_run_template(json, fields).placeholders


def submit(json: Any = None, values: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return build_submit_run(json, fields, values or {})


def run_now(json: Any = None, values: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return build_run_now(json, {"job_id": 1, **fields}, values or {})


def task_of(**task: Any) -> dict[str, Any]:
    """What becomes of one task."""
    built: dict[str, Any] = submit(tasks=[{"task_key": "a", **task}])["tasks"][0]
    return built


def faults_of(build: Any, *args: Any, **fields: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidPayload) as caught:
        build(*args, **fields)
    assert all(fault in str(caught.value) for fault in caught.value.faults)
    return caught.value.faults


# --- fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"), [(SubmitRunFields, SDK_SUBMIT + " " + API_20_TASK), (RunNowFields, SDK_RUN_NOW)]
)
def test_there_is_a_field_for_each_parameter_of_the_sdk(fields: Any, expected: str) -> None:
    assert sorted(get_type_hints(fields)) == sorted(expected.split())


# The annotations become parameters of Prefect flows: no others than these, which either line of pydantic reads.
EXAMPLES: dict[Any, Any] = {
    Optional[str]: "x",
    Optional[int]: 3,
    Optional[list[Any]]: [{"a": 1}, "b", Sdk({})],
    Optional[dict[str, Any]]: {"a": True, "b": [1]},
    Any: Sdk({}),
}


@pytest.mark.parametrize("fields", [SubmitRunFields, RunNowFields])
@pytest.mark.parametrize("line", [pydantic, pydantic_v1], ids=["pydantic 2", "pydantic 1"])
def test_both_lines_of_pydantic_take_the_annotations(fields: Any, line: Any) -> None:
    hints = get_type_hints(fields)
    model = line.create_model("Parameters", **{name: (hint, None) for name, hint in hints.items()})
    given = {name: EXAMPLES[hint] for name, hint in hints.items()}
    assert {name: getattr(model(**given), name) for name in hints} == given
    assert all(getattr(model(**dict.fromkeys(hints)), name) is None for name in hints)


@pytest.mark.parametrize(
    "task",
    [
        Task1(task_key="a", notebook_task=Model1(notebook_path="/b"), state=Colour.RED),
        {"task_key": "a", "notebook_task": Model1(notebook_path="/b"), "state": "red"},
    ],
    ids=["whole", "inside a dict"],
)
def test_models_of_pydantic_1_are_sent_without_their_empty_fields(task: Any) -> None:
    (sent,) = submit(tasks=[task])["tasks"]
    assert sent == {"task_key": "a", "notebook_task": {"notebook_path": "/b"}, "state": "red"}


# --- merging --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("json", "fields", "expected"),
    [
        pytest.param({"run_name": "a"}, {"run_name": "b"}, {"run_name": "b"}, id="named wins"),
        pytest.param({"run_name": "a"}, {"run_name": None}, {"run_name": "a"}, id="None is not given"),
        pytest.param({"run_name": "a"}, {"run_name": ""}, {"run_name": ""}, id="empty text wins"),
        pytest.param({"timeout_seconds": 5}, {"timeout_seconds": 0}, {"timeout_seconds": 0}, id="0 wins"),
        pytest.param({"environments": [{}]}, {"environments": []}, {"environments": []}, id="empty list wins"),
        pytest.param({"health": {"a": 1}}, {"health": {"b": 2}}, {"health": {"b": 2}}, id="objects are replaced"),
        pytest.param({"new_field": {"a": [1, 2.5, True]}}, {}, {"new_field": {"a": [1, 2.5, True]}}, id="unknown key"),
        pytest.param({"run_name": None, "health": {"rules": None}}, {}, {"health": {}}, id="null is dropped"),
        pytest.param(Sdk({"run_name": "a"}), {}, {"run_name": "a"}, id="as_dict"),
        pytest.param(Model(run_name="a"), {}, {"run_name": "a"}, id="model_dump"),
        pytest.param(OrderedDict(run_name="a"), {}, {"run_name": "a"}, id="mapping"),
        pytest.param(None, {"run_as": Sdk({"user_name": "u"})}, {"run_as": {"user_name": "u"}}, id="named as_dict"),
        pytest.param(None, {"performance_target": Colour.RED}, {"performance_target": "red"}, id="enum"),
    ],
)
def test_merging(json: Any, fields: dict[str, Any], expected: dict[str, Any] | None) -> None:
    fields = {"tasks": [{"task_key": "a", "notebook_task": NOTEBOOK}], **fields}
    if expected is None:
        assert "'red' is not known" in faults_of(submit, json, **fields)[0]
    else:
        assert submit(json, **fields) == {"tasks": fields["tasks"], **expected}


@pytest.mark.parametrize(
    ("json", "named", "expected"),
    [
        ({"a": "1", "b": "2"}, {"b": "9", "c": 3}, {"a": "1", "b": "9", "c": "3"}),
        ({"a": "1"}, {"a": None}, {"a": "1"}),
        ({"a": "1"}, {}, {"a": "1"}),
        (Sdk({"a": "1"}), {"b": "2"}, {"a": "1", "b": "2"}),
        (None, {"b": "2"}, {"b": "2"}),
    ],
)
def test_notebook_params_are_merged_key_by_key(json: Any, named: Any, expected: Any) -> None:
    assert run_now({"notebook_params": json}, notebook_params=named)["notebook_params"] == expected


def test_other_maps_are_replaced() -> None:
    assert run_now({"job_parameters": {"a": "1"}}, job_parameters={"b": "2"})["job_parameters"] == {"b": "2"}


@pytest.mark.parametrize("json", [[], "{}", 3, object(), Model], ids=type_name)
def test_json_of_another_type_is_a_fault(json: Any) -> None:
    assert any(fault.startswith("json: must be a dict") for fault in faults_of(run_now, json))


def test_a_misspelt_parameter_is_a_fault() -> None:
    (fault,) = faults_of(submit, notebook_task=NOTEBOOK, run_nam="x")
    assert fault.startswith("run_nam: is not a parameter of this call")


# --- one task -------------------------------------------------------------------------------------------------------


def test_one_task_becomes_tasks() -> None:
    body = {
        "run_name": "r",
        "notebook_task": NOTEBOOK,
        "new_cluster": {"num_workers": 2},
        "libraries": [{"pypi": {"package": "x"}}],
        "max_retries": 1,
        "min_retry_interval_millis": 5,
        "retry_on_timeout": True,
        "disable_auto_optimization": True,
        "timeout_seconds": 60,
        "email_notifications": {"on_failure": ["a@b.c"]},
        "description": "not known at the run, and left there",
    }
    of_run = {"run_name", "timeout_seconds", "email_notifications", "description"}
    task = {key: value for key, value in body.items() if key not in of_run}
    assert submit(body) == {**{key: body[key] for key in of_run}, "tasks": [{"task_key": "main", **task}]}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("notebook_task", NOTEBOOK),
        ("condition_task", {"op": "EQUAL_TO", "left": "1", "right": "1"}),
        ("run_job_task", {"job_id": 1}),
        ("quantum_task", {"qubits": 3}),
    ],
)
def test_each_kind_of_task_moves(kind: str, body: Any) -> None:
    assert submit({kind: body}) == {"tasks": [{"task_key": "main", kind: body}]}


def test_one_task_keeps_its_key_and_environment() -> None:
    body = {
        "task_key": "load",
        "spark_python_task": {"python_file": "f.py"},
        "environment_key": "e",
        "environments": [{"environment_key": "e"}],
    }
    built = submit(body)
    assert built["tasks"][0]["task_key"] == "load"
    assert built["environments"] == body["environments"]


def test_one_task_beside_tasks_is_a_fault() -> None:
    (fault,) = faults_of(
        submit, {"tasks": [{"task_key": "a", "notebook_task": NOTEBOOK}]}, libraries=[], new_cluster={}
    )
    assert fault.startswith("tasks: cannot be combined with libraries, new_cluster")


# --- JSON -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (2.5, "2.5"),
        (1e100, "1e+100"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=timezone.utc), "2026-01-02T03:00:00+00:00"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (Colour.RED, "red"),
        ({"a": [1, date(2026, 1, 2), None], "b": None}, '{"a":[1,"2026-01-02",null]}'),
        ([1, "b"], '[1,"b"]'),
        (Sdk({"a": (1,)}), '{"a":[1]}'),
    ],
    ids=type_name,
)
class TestTexts:
    """Values of the maps and lists that the API types as strings."""

    def test_in_a_map_of_run_now(self, value: Any, text: str) -> None:
        for field in ("notebook_params", "job_parameters", "python_named_params", "sql_params"):
            assert build_run_now({field: {"p": value}}, {"job_id": 1}, {})[field] == {"p": text}

    def test_in_a_list_of_run_now(self, value: Any, text: str) -> None:
        for field in ("jar_params", "python_params", "spark_submit_params", "dbt_commands"):
            assert build_run_now({field: ("a", value)}, {"job_id": 1}, {})[field] == ["a", text]

    def test_in_a_task(self, value: Any, text: str) -> None:
        tasks = {
            "notebook_task": {**NOTEBOOK, "base_parameters": {"p": value}},
            "spark_jar_task": {"parameters": [value]},
            "spark_python_task": {"python_file": "f", "parameters": [value]},
            "spark_submit_task": {"parameters": [value]},
            "python_wheel_task": {"package_name": "p", "entry_point": "e", "named_parameters": {"p": value}},
            "sql_task": {"warehouse_id": "w", "query": {"query_id": "q"}, "parameters": {"p": value}},
            "run_job_task": {"job_id": 1, "job_parameters": {"p": value}},
            "dbt_task": {"commands": [value]},
        }
        for kind, body in tasks.items():
            task = {kind: body, "existing_cluster_id": "c"}
            inputs = {"inputs": "[]", "task": task}
            for built in (task_of(**task)[kind], task_of(for_each_task=inputs)["for_each_task"]["task"][kind]):
                assert list(built.values())[-1] in ({"p": text}, [text])


def test_a_list_of_wheel_parameters_becomes_texts() -> None:
    wheel = {"package_name": "p", "entry_point": "e", "parameters": [1, True]}
    assert task_of(python_wheel_task=wheel, existing_cluster_id="c")["python_wheel_task"]["parameters"] == ["1", "true"]


def test_nothing_else_becomes_text() -> None:
    cluster = {"num_workers": 2, "spark_conf": {"a": True}, "autoscale": {"max_workers": 8}, "ratio": 0.5}
    task = task_of(notebook_task=NOTEBOOK, new_cluster=cluster, retry_on_timeout=False, max_retries=0)
    assert task["new_cluster"] == cluster
    assert (task["retry_on_timeout"], task["max_retries"]) == (False, 0)


@pytest.mark.parametrize(
    ("value", "where", "what"),
    [
        (datetime(2026, 1, 2), "", "of type datetime"),
        ({1}, "", "of type set"),
        (b"x", "", "of type bytes"),
        (object(), "", "of type object"),
        (Model, "", "of type ModelMetaclass"),
        (float("nan"), "", "not a JSON number"),
        (float("-inf"), "", "not a JSON number"),
        (10**5000, "", "not a JSON number"),
        ("\ud800", "", "broken text"),
        ({1: "a"}, "", "key of type int"),
        ({"\ud800": "a"}, "", "broken text"),
        ([{"a": Decimal(1)}], "[0].a", "of type Decimal"),
        (SimpleNamespace(as_dict=lambda: 1 / 0), "", "as_dict() raised ZeroDivisionError"),
    ],
    ids=type_name,
)
def test_what_is_not_json_is_a_fault_with_its_path(value: Any, where: str, what: str) -> None:
    (fault,) = faults_of(task_of, notebook_task={**NOTEBOOK, "x": {"day": value}})
    assert fault.startswith(f"tasks[0].notebook_task.x.day{where}: ")
    assert what in fault


@pytest.mark.parametrize("value", [{1}, object(), float("nan"), b"x", [{1}], {1: 2}], ids=type_name)
def test_what_has_no_text_is_a_fault_with_its_path(value: Any) -> None:
    (fault,) = faults_of(task_of, notebook_task={**NOTEBOOK, "base_parameters": {"day": value}})
    assert fault.startswith("tasks[0].notebook_task.base_parameters.day")


def test_null_among_texts() -> None:
    assert run_now(notebook_params={"a": None, "b": "c"})["notebook_params"] == {"b": "c"}
    assert faults_of(run_now, jar_params=["a", None])[0].startswith("jar_params: has a null among its strings")


def test_a_value_that_contains_itself_is_a_fault() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = [circle]
    assert faults_of(submit, notebook_task=NOTEBOOK, health=circle)[0].startswith("health.again[0]: contains itself")
    assert placeholders(circle, {"health": circle}) == set()


def test_the_same_value_twice_is_no_circle() -> None:
    shared = {"a": 1}
    assert submit({"x": shared, "y": [shared]}, notebook_task=NOTEBOOK)["y"] == [shared]


def test_a_very_deep_value_is_a_fault() -> None:
    deep: Any = "{{ prefect.x }}"
    for _ in range(5000):
        deep = [deep]
    (fault,) = faults_of(submit, notebook_task=NOTEBOOK, health={"x": deep})
    assert "is more than 100 levels deep" in fault
    assert placeholders(deep, {"health": deep}) == set()


class Endless:
    """Gives another one of itself each time."""

    def as_dict(self) -> dict[str, Any]:
        return {"next": Endless()}


def test_an_endless_object_is_a_fault() -> None:
    assert "levels deep" in faults_of(submit, notebook_task=NOTEBOOK, health=Endless())[0]


@pytest.mark.parametrize(
    ("job_id", "expected"), [(7, 7), ("7", 7), ("00123", 123), (0, 0), (12345678901234.0, 12345678901234)]
)
def test_job_id(job_id: Any, expected: int) -> None:
    assert run_now(job_id=job_id)["job_id"] == expected
    assert task_of(run_job_task={"job_id": job_id})["run_job_task"]["job_id"] == expected


@pytest.mark.parametrize("job_id", ["x", "", "-1", "1.0", "٣", "9" * 5000, 1.5, 2.0**53, True, [1], {}], ids=type_name)
def test_job_id_of_another_kind_is_a_fault(job_id: Any) -> None:
    (fault,) = faults_of(run_now, job_id=job_id)
    assert fault.startswith("job_id: must be a whole number")


# --- placeholders ---------------------------------------------------------------------------------------------------

NIGHTLY = {
    "prefect.flow_run.name": "nightly",
    "prefect.variables.job": "42",
    "prefect.variables.workers": 4,
    "prefect.flow_run.parameters.args": ["--day", date(2026, 1, 2), {"n": 1}],
    "prefect.flow_run.parameters.none": None,
    "prefect.scheduled_start_time": datetime(2026, 1, 2, tzinfo=timezone.utc),
    "prefect.flow_run.parameters.model": Model(run_name="{{ prefect.flow_run.name }}"),
    "prefect.flow_run.parameters.bad": {1},
}
FILLABLE = {path: value for path, value in NIGHTLY.items() if path != "prefect.flow_run.parameters.bad"}


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("run_name", "run {{ prefect.flow_run.name }}", "run nightly"),
        ("run_name", "at {{ prefect.scheduled_start_time }}", "at 2026-01-02T00:00:00+00:00"),
        ("workers", "{{ prefect.variables.workers }}", 4),
        ("workers", ["{{prefect.variables.workers}}"], [4]),
        ("time", {"at": "{{ prefect.scheduled_start_time }}"}, {"at": "2026-01-02T00:00:00+00:00"}),
        ("args", "{{ prefect.flow_run.parameters.args }}", ["--day", "2026-01-02", {"n": 1}]),
        ("not_scanned_again", "{{ prefect.flow_run.parameters.model }}", {"run_name": "{{ prefect.flow_run.name }}"}),
        ("databricks", "{{job.run_id}} {{tasks.a.values.b}}", "{{job.run_id}} {{tasks.a.values.b}}"),
        ("enum", Colour.RED, "red"),
    ],
)
def test_placeholders_are_filled(field: str, text: Any, expected: Any) -> None:
    assert submit({field: text}, FILLABLE, notebook_task=NOTEBOOK)[field] == expected


def test_placeholders_in_texts_and_ids() -> None:
    built = run_now(
        {"job_id": "{{ prefect.variables.job }}", "only": ["{{ prefect.flow_run.name }}+"]},
        FILLABLE,
        job_id=None,
        job_parameters={"workers": "{{ prefect.variables.workers }}", "none": "{{ prefect.flow_run.parameters.none }}"},
    )
    assert built == {"job_id": 42, "only": ["nightly+"], "job_parameters": {"workers": "4"}}
    args = run_now(values=FILLABLE, python_params="{{ prefect.flow_run.parameters.args }}")["python_params"]
    assert args == ["--day", "2026-01-02", '{"n":1}']


def test_a_value_that_is_not_json_is_a_fault_that_names_its_placeholder() -> None:
    (fault,) = faults_of(submit, values=NIGHTLY, notebook_task=NOTEBOOK, run_name="{{ prefect.flow_run.name }}")
    assert fault.startswith("`{{ prefect.flow_run.parameters.bad }}`: is of type set")


def test_a_placeholder_without_value_is_a_fault_with_its_path() -> None:
    body = {"notebook_task": {**NOTEBOOK, "base_parameters": {"a": ["{{ prefect.variables.x }}"]}}}
    (fault,) = faults_of(submit, body)
    assert fault.startswith("tasks[0].notebook_task.base_parameters.a[0]: `{{ prefect.variables.x }}` has no value")


def test_placeholders_are_found_everywhere() -> None:
    json = {"a": [{"b": "{{ prefect.variables.x }}"}], "sdk": Sdk({"c": ("-{{prefect.flow_run.id}}-",)}), 1: object()}
    fields = {"run_name": "{{ prefect.nonsense }}", "tasks": None, "git_source": Model(run_name="{{job.id}}")}
    assert placeholders(json, fields) == {"prefect.variables.x", "prefect.flow_run.id", "prefect.nonsense"}
    assert placeholders(None, {}) == set()


# --- faults ---------------------------------------------------------------------------------------------------------


def test_one_error_names_every_fault() -> None:
    faults = faults_of(
        submit,
        {"tasks": [{"task_key": "a b", "notebook_task": {"notebook_path": {1}, "base_parameters": {"n": b"x"}}}]},
        run_name="{{ prefect.nonsense }}",
        timeout_seconds=-1,
    )
    assert [fault.split(":")[0] for fault in faults] == [
        "tasks[0].notebook_task.notebook_path",
        "tasks[0].notebook_task.base_parameters.n",
        "run_name",
        "timeout_seconds",
        "tasks[0].task_key",
    ]


def test_the_error_names_the_endpoint() -> None:
    for build, endpoint in ((build_submit_run, "runs/submit"), (build_run_now, "run-now")):
        with pytest.raises(InvalidPayload) as caught:
            build({}, {}, {})
        assert caught.value.endpoint == endpoint
        assert len(caught.value.faults) == 1


# --- properties -----------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["tasks", "task_key", "notebook_task", "base_parameters", "notebook_params", "job_id", "run_name"]
)
NUMBERS = st.integers() | st.floats()
TEXTS = st.text(max_size=8) | st.sampled_from(["{{job.run_id}}", "{{ tasks.a.values.b }}"])
LIKE_JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.dates() | st.binary(max_size=2) | st.just("{{ prefect.x }}"),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS | TEXTS, below, max_size=4) | st.tuples(below),
)
GOOD = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=4),
)
QUICK = settings(deadline=None, max_examples=150)


def outcome(build: Any, json: Any, fields: dict[str, Any]) -> dict[str, Any] | tuple[str, ...]:
    """What was built, or the faults of the one error that is allowed."""
    try:
        built: dict[str, Any] = build(json, fields, {})
    except InvalidPayload as error:
        return error.faults
    return built


@QUICK
@given(json=st.dictionaries(KEYS, LIKE_JSON, max_size=4) | LIKE_JSON, fields=st.dictionaries(KEYS, LIKE_JSON))
def test_any_input_gives_json_or_one_error_and_stays_as_it_is(json: Any, fields: dict[str, Any]) -> None:
    before = copy.deepcopy((json, fields))
    placeholders(json, fields)
    for build in (build_submit_run, build_run_now):
        found = outcome(build, json, fields)
        assert found
        json_module.dumps(found, allow_nan=False)
    assert repr((json, fields)) == repr(before)  # by text: NaN differs from itself


@QUICK
@given(extra=st.dictionaries(st.sampled_from(["x", "y"]), GOOD), parameters=st.dictionaries(TEXTS, GOOD, max_size=4))
def test_building_again_changes_nothing(extra: dict[str, Any], parameters: dict[str, Any]) -> None:
    json = {**extra, "notebook_task": {**NOTEBOOK, "base_parameters": parameters}}
    built = build_submit_run(json, {}, {})
    assert build_submit_run(built, {}, {}) == built
    assert json_module.loads(json_module.dumps(built, allow_nan=False)) == built
    assert {key: built[key] for key in extra} == extra
    started = build_run_now({**extra, "notebook_params": parameters}, {"job_id": 1}, {})
    assert build_run_now(started, {}, {}) == started


@QUICK
@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_texts_of_databricks_are_never_altered(parameters: dict[str, str]) -> None:
    assert run_now(job_parameters=parameters)["job_parameters"] == parameters


def test_what_was_built_shares_nothing_with_the_input() -> None:
    json = {"notebook_task": {**NOTEBOOK, "base_parameters": {"a": "b"}}, "health": {"rules": []}}
    before = copy.deepcopy(json)
    built = submit(json)
    built["tasks"][0]["notebook_task"]["base_parameters"]["a"] = "changed"
    built["health"]["rules"].append("changed")
    assert json == before
