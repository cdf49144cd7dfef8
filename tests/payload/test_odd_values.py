"""Values that cannot be shown: a parameter that is given one is refused by us, or does not need to show it."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from prefect_databricks_runs import (
    DatabricksCredentials,
    DatabricksError,
    InvalidOption,
    InvalidPayload,
    run_now,
    run_now_and_wait,
    submit_run,
    submit_run_and_wait,
    wait_for_run,
    wait_for_runs,
)

pytestmark = pytest.mark.usefixtures("prefect_server")


class Silent:
    """Nothing can be said of it."""

    def __repr__(self) -> str:
        raise RuntimeError("not ours")

    __str__ = __repr__


class SilentText(str):
    __slots__ = ()

    def __repr__(self) -> str:
        raise RuntimeError("not ours")


class SilentNumber(int):
    def __repr__(self) -> str:
        raise RuntimeError("not ours")

    __str__ = __repr__


def deep() -> Any:
    value: Any = {}
    for _ in range(3000):
        value = {"a": value}
    return value


ODD = {"deep": deep, "silent": Silent, "text": lambda: SilentText("\ud800"), "number": lambda: SilentNumber(-7)}
DOORS = {
    "submit_run": (submit_run, {"notebook_task": {"notebook_path": "/n"}}),
    "run_now": (run_now, {"job_id": 1}),
    "wait_for_runs": (wait_for_runs, {"run_ids": [1]}),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("door", DOORS)
def test_no_value_that_cannot_be_shown_is_an_error_of_another(
    databricks: DatabricksCredentials, odd: str, door: str
) -> None:
    function, others = DOORS[door]
    foreign = []
    for name in list(inspect.signature(function.fn).parameters)[1:]:
        try:
            function.fn(databricks, **{**others, name: ODD[odd]()})
        except DatabricksError:
            pass
        except Exception as error:
            foreign.append(f"{name}: {type(error).__name__}")
    assert not foreign


@pytest.mark.parametrize("flow", [wait_for_run, wait_for_runs, submit_run_and_wait, run_now_and_wait])
def test_a_flows_parameter_that_cannot_be_shown_is_named(databricks: DatabricksCredentials, flow: Any) -> None:
    needed = {"wait-for-run": {"run_id": 1}, "wait-for-runs": {"run_ids": [1]}}.get(flow.name, {})
    with pytest.raises(InvalidOption, match="`polling_period_seconds` must be .*; it is <Silent without a repr>"):
        flow(databricks, **needed, polling_period_seconds=Silent())


def test_a_job_name_that_cannot_be_shown_is_refused(databricks: DatabricksCredentials) -> None:
    with pytest.raises(InvalidPayload, match="must be the name of a job, not <Silent without a repr>"):
        run_now.fn(databricks, job_name=Silent())
    with pytest.raises(InvalidPayload, match="must be the name of a job, not <dict without a repr>"):
        run_now.fn(databricks, job_name=deep())


def test_texts_and_numbers_of_any_class_are_sent_as_what_they_are(databricks: DatabricksCredentials) -> None:
    with pytest.raises(InvalidPayload, match="timeout_seconds: -7 is negative"):
        submit_run.fn(databricks, notebook_task={"notebook_path": "/n"}, timeout_seconds=SilentNumber(-7))
