"""Reading bodies: what is tolerated, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs.local.errors import ApiError
from prefect_databricks_runs.local.schema import BOOLEAN, INTEGER, STRING, ListOf, MapOf, Object, read

BODY = Object({"n": INTEGER, "flag": BOOLEAN, "names": ListOf(STRING), "map": MapOf(STRING), "inner": Object()})


@pytest.mark.parametrize("given", [7, "7", 7.0])
def test_integers_may_come_as_text_or_whole_floats(given: Any) -> None:
    assert read({"n": given}, BODY) == {"n": 7}


@pytest.mark.parametrize(("given", "expected"), [("true", True), ("False", False), (True, True)])
def test_booleans_may_come_as_words(given: Any, expected: bool) -> None:
    assert read({"flag": given}, BODY) == {"flag": expected}


def test_null_means_not_there_and_unknown_fields_pass() -> None:
    assert read({"n": None, "new_field": [1], "map": {"a": "b", "c": None}}, BODY) == {
        "new_field": [1],
        "map": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"n": "x"}, "Expected integer for field n, found STRING"),
        ({"n": True}, "Expected integer for field n, found BOOLEAN"),
        ({"n": 1.5}, "Expected integer for field n, found NUMBER"),
        ({"n": 2**63}, "Expected integer for field n, found NUMBER"),
        ({"flag": 1}, "Expected boolean for field flag, found NUMBER"),
        ({"names": "x"}, "Expected array for field names, found STRING"),
        ({"names": ["a", 1]}, "Expected string for field names[1], found NUMBER"),
        ({"names": [None]}, "Expected string for field names[0], found NULL"),
        ({"map": {"a": 1}}, "Expected string for field map.a, found NUMBER"),
        ({"inner": []}, "Expected object for field inner, found ARRAY"),
    ],
)
def test_a_wrong_type_is_named_with_its_field(body: dict[str, Any], told: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(body, BODY)
    assert caught.value.message == f"Could not parse request object: {told}"
    assert (caught.value.status, caught.value.error_code) == (400, "MALFORMED_REQUEST")


def test_a_missing_field_is_named_with_its_place() -> None:
    with pytest.raises(ApiError, match=r"Missing required field: tasks\[1\].key"):
        read(
            {"tasks": [{"key": "a"}, {"other": 1}]},
            Object({"tasks": ListOf(Object({"key": STRING}, required=("key",)))}),
        )


def test_what_came_is_not_changed() -> None:
    body = {"n": "7", "map": {"a": None}}
    read(body, BODY)
    assert body == {"n": "7", "map": {"a": None}}
