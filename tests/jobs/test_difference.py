"""Every difference of settings that the shape of the API knows is seen, and what Databricks fills in never is one."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs._jobs.difference import changes_of
from prefect_databricks_runs._jobs.masking import shown
from prefect_databricks_runs._payload.api import JOB, Field, fields_of, values_of
from prefect_databricks_runs.local.api.job_answers import settings_with_defaults
from tests.jobs.bodies import RICH, Path, at, leaves

KEYS = {"task_key", "job_cluster_key", "environment_key", "environment_variables_key", "name"}
# What a reset leaves as it is where it is not given, or what says whether a job may be changed at all.
KEPT = {"run_as", "format", "deployment", "edit_mode"}
DEFAULTS = {"UNPAUSED", "ALL_SUCCESS", "GIT"}


def whole(name: str, depth: int = 0) -> dict[str, Any]:
    """An object of the API with all its fields, none of them with what holds by default."""
    return {key: value(field, key, depth) for key, field in fields_of(name).items() if depth < 8 or field.is_needed}


def value(field: Field, key: str, depth: int) -> Any:
    one = scalar(field, key) if not fields_of(field.kind) else None if depth > 4 else whole(field.kind, depth + 1)
    return {"of_the_user": one} if field.container == "{" else [one] if field.container == "[" else one


def scalar(field: Field, key: str) -> Any:
    choices = [each for each in values_of(field.kind) if each not in DEFAULTS]
    return choices[0] if choices else {"int": 7, "float": 2.5, "bool": True}.get(field.kind, f"the {key}")


def edited(path: Path, new: Any) -> dict[str, Any]:
    """All settings with another value in a place; without it, for None."""
    body = deepcopy(WHOLE)
    around = at(body, path[:-1])
    if new is None:
        del around[path[-1]]
    else:
        around[path[-1]] = new
    return body


WHOLE = whole(JOB)
LEAVES = list(leaves(WHOLE))
REMOVABLE = [path for path in LEAVES if isinstance(path[-1], str) and path[-1] not in KEYS and path[0] not in KEPT]


def other(old: Any) -> Any:
    return not old if isinstance(old, bool) else old + 1 if isinstance(old, (int, float)) else f"{old} too"


def test_the_whole_shape_is_compared() -> None:
    assert len(LEAVES) > 500
    assert changes_of(WHOLE, deepcopy(WHOLE), is_other=False) == []


@given(st.sampled_from(LEAVES))
@settings(max_examples=100)
def test_any_setting_that_is_changed_is_the_one_difference(path: Path) -> None:
    changes = changes_of(WHOLE, edited(path, other(at(WHOLE, path))), is_other=False)
    if path[-1] in KEYS:  # another name: one is gone, another one is new
        assert {each.sign for each in changes} <= {"+", "-", "~"}
        assert changes
    else:
        (change,) = changes
        assert change.sign == "~"
        named = next(key for key in reversed(path) if isinstance(key, str))
        assert str(named) in change.path


@given(st.sampled_from(REMOVABLE))
@settings(max_examples=100)
def test_any_setting_that_is_added_or_removed_is_the_one_difference(path: Path) -> None:
    """Removed in the code or added in the workspace, and the other way round."""
    without = edited(path, None)
    (removed,) = changes_of(without, WHOLE, is_other=False)
    (added,) = changes_of(WHOLE, without, is_other=False)
    assert (removed.sign, added.sign) == ("-", "+")
    assert removed.path == added.path
    assert removed.path.endswith(str(path[-1]))


@given(st.data())
@settings(max_examples=100)
def test_what_databricks_fills_in_is_never_a_difference(data: st.DataObject) -> None:
    body = deepcopy(RICH)
    for place in data.draw(st.sets(st.sampled_from(sorted(set(body) - {"name"})), max_size=10)):
        del body[place]
    for task in body.get("tasks", ()):
        for place in data.draw(st.sets(st.sampled_from(sorted(task)), max_size=4)) - {"task_key"}:
            del task[place]
    assert changes_of(body, settings_with_defaults(body), is_other=False) == []


@pytest.mark.parametrize(
    "there",
    [
        {"queue": {"enabled": True}},
        {"email_notifications": {"no_alert_for_skipped_runs": False}},
        {"notification_settings": {}},
        {"run_as": {"user_name": "someone"}},
        {"format": "MULTI_TASK", "max_concurrent_runs": 1, "timeout_seconds": 0},
        {"new_in_the_api": {"enabled": True}},
        {"tasks": [{"task_key": "a", "max_retries": 0, "run_if": "ALL_SUCCESS", "disabled": False}]},
    ],
    ids=lambda there: next(iter(there)),
)
def test_what_says_nothing_is_no_difference(there) -> None:
    assert changes_of({"tasks": [{"task_key": "a"}]}, {"tasks": [{"task_key": "a"}], **there}, is_other=False) == []


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ({"queue": {"enabled": True}}, {}),
        ({"timeout_seconds": "60"}, {"timeout_seconds": 60}),
        ({"email_notifications": {}, "tags": {}}, {}),
        ({"max_concurrent_runs": 1}, {}),
        (
            {"tasks": [{"task_key": "a", "depends_on": [{"task_key": "c"}, {"task_key": "b"}]}, {"task_key": "b"}]},
            {"tasks": [{"task_key": "b"}, {"task_key": "a", "depends_on": [{"task_key": "b"}, {"task_key": "c"}]}]},
        ),
    ],
)
def test_another_way_to_say_the_same_is_no_difference(wanted, there) -> None:
    assert changes_of(wanted, there, is_other=True) == []


def test_a_queue_that_was_turned_off_is_a_difference() -> None:
    (change,) = changes_of({}, {"queue": {"enabled": False}}, is_other=False)
    assert str(change) == '- queue: {"enabled": false}'


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "task",
    [
        {"notebook_task": {"base_parameters": {"db_password": SECRET}}},
        {"spark_python_task": {"parameters": ["--token", SECRET]}},
        {"spark_python_task": {"parameters": [f"--api-key={SECRET}"]}},
        {"new_cluster": {"spark_conf": {"fs.azure.account.key.x": SECRET}}},
        {"new_cluster": {"spark_env_vars": {"ANYTHING": SECRET}}},
        {"new_cluster": {"docker_image": {"basic_auth": {"username": SECRET, "password": SECRET}}}},
        {"libraries": [{"pypi": {"package": "x", "repo": f"https://me:{SECRET}@example.com/simple"}}]},
        {"notebook_task": {"base_parameters": {"settings": json.dumps({"client_secret": SECRET})}}},
        {"notebook_task": {"base_parameters": {"url": f"jdbc:x;user=me;password={SECRET};ssl=true"}}},
        {"notebook_task": {"base_parameters": {"x": f"pwd={SECRET},{SECRET}"}}},
        {"spark_python_task": {"parameters": ["--header", f"Authorization: Bearer {SECRET}"]}},
        {"sql_task": {"parameters": {"to": f"https://hooks.slack.com/services/T0/B0/{SECRET}"}}},
        {"sql_task": {"parameters": {"from": f"https://a.blob.core.windows.net/c?sv=1&sig={SECRET}%3D&se=2"}}},
        {"run_job_task": {"job_parameters": {"api_token": SECRET}}},
        {"notebook_task": {"base_parameters": {"x": f"dapi{'0123456789abcdef' * 2}"}}},
    ],
    ids=lambda task: str(next(iter(task))),
)
def test_no_secret_is_in_a_difference(task) -> None:
    secrets = (SECRET, "0123456789abcdef")
    full, bare = {"tasks": [{"task_key": "a", **task}]}, {"tasks": [{"task_key": "a"}]}
    changed = json.loads(json.dumps(full).replace(SECRET, f"{SECRET}-old"))
    for wanted, there in ((full, bare), (bare, full), (full, changed), (full, {}), ({}, full)):
        for change in changes_of(wanted, there, is_other=False):
            assert not any(each in f"{change} {change!r}" for each in secrets), str(change)


@pytest.mark.parametrize("there", [{}, {"parameters": []}, {"parameters": [{"name": "api_token", "default": "old"}]}])
def test_the_default_of_a_parameter_whose_name_says_that_it_is_a_secret_is_not_shown(there) -> None:
    wanted = {"parameters": [{"name": "api_token", "default": SECRET}]}
    for each in (*changes_of(wanted, there, is_other=False), *changes_of(there, wanted, is_other=False)):
        assert "***" in str(each)
        assert SECRET not in str(each)


def test_a_task_whose_key_sounds_like_a_secret_is_shown_as_any_other() -> None:
    wanted, there = ({"tasks": [{"task_key": "refresh_token", "max_retries": number}]} for number in (3, 1))
    (change,) = changes_of(wanted, there, is_other=False)
    assert str(change) == "~ tasks[refresh_token].max_retries: 1 -> 3"


def test_long_values_are_cut_and_short_ones_are_shown_as_they_are() -> None:
    assert shown({"a": [1, "x"]}) == '{"a": [1, "x"]}'
    assert len(shown("x" * 100_000)) < 300
