"""The checks and the local workspace agree: what one refuses the other names, and what is valid passes both."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_databricks_runs._payload.build import run_now_template, submit_run_template
from prefect_databricks_runs._payload.hints import hints_of
from prefect_databricks_runs.errors import InvalidPayload
from prefect_databricks_runs.local.bodies import bodies
from prefect_databricks_runs.local.bodies.checks import check_settings, check_submission
from prefect_databricks_runs.local.bodies.old_form import read_settings
from prefect_databricks_runs.local.web.errors import ApiError
from tests.local import test_checks, test_run_now_checks
from tests.local.valid_tasks import VALID_TASKS
from tests.support import api_bodies

# What the local workspace refuses and nothing here names, by a part of its message, and why.
NOT_NAMED = {
    "The task z in only": "the tasks of the job are not known before the request",
    "The task ++a in only": "the same",
    "must not leave the workspace": "it is not known what Databricks does with `..` in a path",
    "description must not be longer than 4096 bytes": "it is not known that Databricks refuses it of a submitted run",
}


def cases(test: Any) -> list[Any]:
    """The cases that a test of the local workspace is run with."""
    return [case for mark in test.pytestmark if mark.name == "parametrize" for case in mark.args[1]]


def named(body: dict[str, Any], endpoint: str = "runs/submit") -> list[str]:
    """What is said of a body: its faults, or the warnings."""
    template = (submit_run_template if endpoint == "runs/submit" else run_now_template)(body, {})
    try:
        return [hint.as_warning() for hint in hints_of(template.fill({}), endpoint)]
    except InvalidPayload as error:
        return list(error.faults)


BODIES_REFUSED = [
    *(
        ("runs/submit", {"tasks": tasks}, told)
        for tasks, told in cases(test_checks.test_a_broken_rule_of_tasks_is_named)
    ),
    *(
        ("runs/submit", {"tasks": [test_checks.TASK], **job}, told)
        for job, told in cases(test_checks.test_a_broken_rule_of_a_job_is_named)
    ),
    *(("runs/submit", body, "Shared job cluster feature") for body in test_checks.SHARED_CLUSTERS),
    *(
        ("run-now", {"job_id": 1, **body}, told)
        for body, told in cases(test_run_now_checks.test_run_now_parameters_that_break_a_rule_are_refused)
    ),
]


@pytest.mark.parametrize(("endpoint", "body", "told"), BODIES_REFUSED, ids=[each[2] for each in BODIES_REFUSED])
def test_what_the_local_workspace_refuses_is_named_or_has_a_reason(
    endpoint: str, body: dict[str, Any], told: str
) -> None:
    reason = next((reason for part, reason in NOT_NAMED.items() if part in told), "")
    assert bool(named(body, endpoint)) is not bool(reason)


def refusal(body: dict[str, Any], endpoint: str) -> ApiError | None:
    """The answer of the local workspace to a body that it does not take."""
    kind, check = (bodies.SUBMIT, check_submission) if endpoint == "runs/submit" else (bodies.CREATE, check_settings)
    try:
        check(read_settings(body, kind, "2.2"), "2.2")
    except ApiError as error:
        return error
    return None


BODIES = {"runs/submit": api_bodies.submissions(), "create": api_bodies.jobs()}
often = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@often
@given(api_bodies.submissions())
def test_a_submission_that_the_shape_says_is_valid_is_sent_without_a_word_and_taken(body: dict[str, Any]) -> None:
    assert named(body) == []
    assert refusal(submit_run_template(body, {}).fill({}), "runs/submit") is None


@often
@given(api_bodies.jobs())
def test_a_job_that_the_shape_says_is_valid_is_taken(body: dict[str, Any]) -> None:
    assert refusal(body, "create") is None


@pytest.mark.parametrize("kind", VALID_TASKS)
def test_the_checks_refuse_nothing_that_the_local_workspace_takes(kind: str) -> None:
    task = {"task_key": "a", **VALID_TASKS[kind]}
    assert refusal({"tasks": [task]}, "runs/submit") is None
    submit_run_template({"tasks": [task]}, {}).fill({})


def shown(path: Sequence[Any]) -> str:
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")


def is_turned_into_text(path: Sequence[Any], value: Any) -> bool:
    """Whether the client makes text of whatever is at a place."""
    return path[-1] in (api_bodies.MAP_KEY, "inputs", "left", "right") or (
        isinstance(path[-1], int) and isinstance(value, str)
    )


@pytest.mark.parametrize("endpoint", BODIES)
@often
@given(st.data())
def test_a_body_that_is_broken_in_one_place_is_refused_with_its_path(endpoint: str, data: Any) -> None:
    body = data.draw(BODIES[endpoint])
    path = data.draw(st.sampled_from(list(api_bodies.places(body))))
    error = refusal(api_bodies.broken(body, path), endpoint)
    assert error
    assert (error.status, error.error_code) == (400, "MALFORMED_REQUEST")
    assert f" for field {shown(path)}, found " in error.message


@often
@given(api_bodies.submissions(), st.data())
def test_a_body_that_is_broken_in_one_place_has_a_fault_or_a_warning_there(body: dict[str, Any], data: Any) -> None:
    values = {path: functools.reduce(operator.getitem, path, body) for path in api_bodies.places(body)}
    paths = [path for path, value in values.items() if not is_turned_into_text(path, value)]
    path = data.draw(st.sampled_from(paths))
    says = " ".join(named(api_bodies.broken(body, path)))
    # `rules[0]` in health, or health.rules[0]
    assert [each for each in path if str(each) not in says] == [], (shown(path), says)


# What the checks refuse and the local workspace takes, by a part of the fault, and why.
TAKEN = {
    "there is no task": "the endpoint refuses it, see `test_a_broken_rule_of_tasks_is_named`",
    "idempotency_token: has 0 characters": "Databricks may read it as none, and then two requests start two runs",
    "must be an object, not a list": "Databricks reads a list of keys and values as a map, which nobody writes",
}


@often
@given(api_bodies.submissions(), st.sampled_from(["", [], {}, None, -1, "x y", True, ["a"], {"a": 1}]), st.data())
def test_what_the_checks_refuse_the_local_workspace_refuses(body: dict[str, Any], value: Any, data: Any) -> None:
    body = deepcopy(body)
    *outer, key = data.draw(st.sampled_from(list(api_bodies.places(body))))
    functools.reduce(operator.getitem, outer, body)[key] = value
    try:
        submit_run_template(body, {}).fill({})
    except InvalidPayload as error:
        if not any(part in fault for part in TAKEN for fault in error.faults):
            assert refusal({"tasks": [], **body}, "runs/submit")
