"""Each field is a parameter, for Prefect as for people; the twins have the same ones."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from typing import Annotated, Any

import pytest
from prefect import Flow, flow
from prefect.utilities.callables import parameter_docstrings, parameter_schema
from prefect.utilities.schema_tools.validation import validate
from typing_extensions import TypedDict, Unpack

import prefect_databricks_runs as package
from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._prefect import docstrings, signature
from prefect_databricks_runs._prefect.signature import Default, defaults_of, named_parameters
from prefect_databricks_runs.errors import InvalidOption
from prefect_databricks_runs.fields import RunNowFields, SubmitRunFields
from prefect_databricks_runs.options import WaitOptions

TWINS = [
    (package.submit_run, package.asubmit_run),
    (package.run_now, package.arun_now),
    (package.wait_for_run, package.await_for_run),
    (package.submit_run_and_wait, package.asubmit_run_and_wait),
    (package.run_now_and_wait, package.arun_now_and_wait),
]


class Fields(TypedDict, total=False):
    name: str | None
    period: Annotated[float, Default(30.0)]


@named_parameters
def example(first: int, json: object = None, **fields: Unpack[Fields]) -> str:
    return f"{first} {json} {fields}"


def test_fields_are_shown_as_parameters_with_their_defaults() -> None:
    parameters = inspect.signature(example).parameters
    assert [(name, each.default) for name, each in parameters.items()][1:] == [
        ("json", None),
        ("name", None),
        ("period", 30.0),
    ]
    assert parameters["period"].annotation is float
    assert parameters["name"].kind is inspect.Parameter.KEYWORD_ONLY


def test_a_plain_call_gets_what_it_is_given() -> None:
    assert example(1, name="a") == "1 None {'name': 'a'}"


def test_a_function_without_fields_is_refused() -> None:
    with pytest.raises(TypeError, match="does not end with"):
        named_parameters(lambda first, **rest: None)


MISSPELT = [
    (
        package.submit_run,
        "notebok_task",
        "`notebok_task` is not a parameter of submit_run. Did you mean `notebook_task`?",
    ),
    (
        package.submit_run,
        "colour",
        "`colour` is not a parameter of submit_run. Pass a field of the request that has no",
    ),
    (package.wait_for_run, "poling_period_seconds", "wait_for_run. Did you mean `polling_period_seconds`?"),
    (package.wait_for_run, "colour", "The parameters are databricks_credentials, run_id, "),
]


@pytest.mark.parametrize(("call", "name", "says"), MISSPELT)
def test_a_misspelt_parameter_is_one_short_error_with_the_one_that_was_meant(call, name, says) -> None:
    with pytest.raises(InvalidOption) as caught:
        call(None, run_id=1, **{name: 1}) if call is package.wait_for_run else call(None, **{name: 1})
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.usefixtures("prefect_server")
def test_a_misspelt_parameter_is_found_in_an_async_and_in_a_submitted_call_too() -> None:
    @flow
    def parent() -> None:
        package.submit_run.submit(None, notebok_task={})

    @flow
    async def async_parent() -> None:
        await package.asubmit_run_and_wait(None, notebok_task={})

    with pytest.raises(InvalidOption, match="Did you mean `notebook_task`"):
        parent()
    with pytest.raises(InvalidOption, match="Did you mean `notebook_task`"):
        asyncio.run(async_parent())


def test_a_missing_parameter_is_one_short_error() -> None:
    with pytest.raises(
        InvalidOption, match=r"wait_for_run cannot be called like this: missing a required argument: 'run_id'\."
    ):
        package.wait_for_run(None)


@pytest.mark.parametrize(("plain", "twin"), TWINS, ids=lambda each: each.name)
def test_twins_have_the_same_parameters(plain, twin) -> None:
    assert inspect.signature(plain.fn) == inspect.signature(twin.fn)
    assert not inspect.iscoroutinefunction(plain.fn)
    assert inspect.iscoroutinefunction(twin.fn)
    assert twin.fn.__name__ == ("await_for_run" if plain.fn.__name__ == "wait_for_run" else f"a{plain.fn.__name__}")


@pytest.mark.parametrize(
    ("function", "fields"),
    [
        (package.submit_run, SubmitRunFields),
        (package.submit_run_and_wait, SubmitRunFields),
        (package.run_now, RunNowFields),
        (package.run_now_and_wait, RunNowFields),
        (package.wait_for_run, WaitOptions),
        (package.submit_run_and_wait, WaitOptions),
        (package.run_now_and_wait, WaitOptions),
    ],
    ids=lambda each: getattr(each, "name", None) or each.__name__,
)
def test_every_field_of_the_endpoint_is_a_parameter(function, fields) -> None:
    assert set(fields.__annotations__) <= set(inspect.signature(function.fn).parameters)


@pytest.mark.parametrize("each", [flow for flow, _ in TWINS[2:]], ids=lambda each: each.name)
def test_the_deployment_form_knows_every_parameter(each) -> None:
    properties = each.parameters.properties
    assert set(properties) == set(inspect.signature(each.fn).parameters)
    assert each.parameters.required[0] == "databricks_credentials"
    assert "databricks-runs-credentials" in str(each.parameters.definitions)


def test_the_defaults_are_those_of_the_issue() -> None:
    defaults = defaults_of(WaitOptions)
    assert defaults["polling_period_seconds"] == 30
    assert defaults["databricks_retry_limit"] == 3
    assert defaults["databricks_retry_delay"] == 1


def test_what_starts_or_polls_is_never_cached() -> None:
    for each in (package.submit_run, package.asubmit_run, package.run_now, package.arun_now):
        assert each.persist_result is False


def test_the_public_names_are_sorted_and_there() -> None:
    names = package.__all__
    assert names == sorted(names)
    assert all(hasattr(package, name) for name in names)


def test_the_version_is_a_string_that_prefect_can_put_on_the_block() -> None:
    assert package.__version__.count(".") == 2
    assert pickle.loads(pickle.dumps(package.__version__)) == package.__version__


def test_the_defaults_of_options_are_worked_out_once(monkeypatch) -> None:
    resolved: list[type] = []
    resolve = signature.get_type_hints

    def count(fields: type, **more: Any) -> Any:
        resolved.append(fields)
        return resolve(fields, **more)

    monkeypatch.setattr(signature, "get_type_hints", count)
    signature.defaults_of.cache_clear()
    for _ in range(3):
        assert signature.defaults_of(WaitOptions)["fetch_output"] is True
    assert resolved == [WaitOptions]


CALLS = [*(each for pair in TWINS for each in pair), package.wait_for_runs, package.await_for_runs]


@pytest.mark.parametrize("each", CALLS, ids=lambda each: each.fn.__name__)
def test_every_parameter_is_described_in_help_and_in_a_form(each) -> None:
    parameters = list(inspect.signature(each.fn).parameters)
    described = parameter_docstrings(inspect.getdoc(each.fn))
    assert list(described) == parameters
    assert all(described.values())
    assert "**parameters" not in inspect.getdoc(each)
    if isinstance(each, Flow):
        shown = {name: field.get("description") for name, field in each.parameters.properties.items()}
        assert shown == described


def test_a_description_is_that_beside_the_field() -> None:
    shown = package.wait_for_run.parameters.properties["fetch_output"]["description"]
    assert shown == "Whether to fetch every task's output. Outputs of failed tasks are always fetched."


def test_what_is_given_by_name_stands_in_the_order_of_its_use() -> None:
    names = list(inspect.signature(package.run_now_and_wait.fn).parameters)
    assert names[:5] == ["databricks_credentials", "json", "job_name", "job_id", "job_parameters"]
    assert names[-2:] == ["databricks_retry_limit", "databricks_retry_delay"]


@pytest.mark.parametrize("each", [each for each in CALLS if isinstance(each, Flow)], ids=lambda each: each.fn.__name__)
def test_a_parameter_that_may_be_none_is_one_field_of_a_form_and_not_two_tabs(each) -> None:
    assert not [name for name, field in each.parameters.properties.items() if "anyOf" in field]


@pytest.mark.parametrize("each", [each for each in CALLS if isinstance(each, Flow)], ids=lambda each: each.fn.__name__)
def test_none_is_accepted_by_the_server_and_by_the_flow(each) -> None:
    may_be_none = {name for name, each in inspect.signature(each.fn).parameters.items() if each.default is None}
    assert may_be_none
    nothing = dict.fromkeys(may_be_none)
    validate(nothing, dict(parameter_schema(each.fn)), preprocess=True, ignore_required=True)
    required = {"databricks_credentials": DatabricksCredentials(host="https://x.net", token="dapi-1")}
    runs = {"run_id": 1, "run_ids": [1]}
    required |= {name: runs[name] for name in runs.keys() & each.parameters.properties.keys()}
    validated = each.validate_parameters({**required, **nothing})
    assert {name: validated[name] for name in may_be_none} == nothing


def test_a_deployments_page_shows_the_summary_alone() -> None:
    assert package.arun_now_and_wait.description == (
        "Async twin of `run_now_and_wait`: the same parameters, result and errors."
    )
    assert "Args:" not in package.wait_for_run.description
    assert package.wait_for_run.with_options(description="Mine.").description == "Mine."


def test_where_the_source_is_not_installed_there_are_no_descriptions(monkeypatch) -> None:
    def gone(_module: object) -> str:
        raise OSError("source code not available")

    monkeypatch.setattr(inspect, "getsource", gone)
    docstrings._docs_of_module.cache_clear()
    assert docstrings.field_docs(WaitOptions) == {}
    docstrings._docs_of_module.cache_clear()
