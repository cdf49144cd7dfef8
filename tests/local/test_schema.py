"""Reading bodies: what is tolerated, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs.local.bodies.schema import (
    BOOLEAN,
    INT32,
    INTEGER,
    MAX_DEPTH,
    STRING,
    Choice,
    ListOf,
    MapOf,
    Object,
    read,
)
from prefect_databricks_runs.local.web.errors import ApiError

BODY = Object(
    {
        "n": INTEGER,
        "small": INT32,
        "flag": BOOLEAN,
        "names": ListOf(STRING),
        "map": MapOf(STRING),
        "inner": Object(),
        "word": Choice(("UP", "DOWN")),
    }
)
DEEP_BODY = Object({"list": ListOf(Object({"inner": BODY}))})


@pytest.mark.parametrize("given", [7, "7", 7.0, "7.0", "+7", "70e-1"])
def test_integers_may_come_as_text_or_whole_floats(given: Any) -> None:
    assert read({"n": given}, BODY) == {"n": 7}


def test_a_large_integer_is_not_rounded() -> None:
    assert read({"n": str(2**63 - 1)}, BODY) == {"n": 2**63 - 1}


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
        ({"n": -(2**63) - 1}, "Expected integer for field n, found NUMBER"),
        ({"n": "9" * 5000}, "Expected integer for field n, found STRING"),
        ({"n": "1e9999"}, "Expected integer for field n, found STRING"),
        ({"n": "1_0"}, "Expected integer for field n, found STRING"),
        ({"n": "²"}, "Expected integer for field n, found STRING"),
        ({"n": ""}, "Expected integer for field n, found STRING"),
        ({"small": 2**31}, "Expected integer for field small, found NUMBER"),
        ({"flag": 1}, "Expected boolean for field flag, found NUMBER"),
        ({"names": "x"}, "Expected array for field names, found STRING"),
        ({"names": ["a", 1]}, "Expected string for field names[1], found NUMBER"),
        ({"names": [None]}, "Expected string for field names[0], found NULL"),
        ({"map": {"a": 1}}, "Expected string for field map.a, found NUMBER"),
        ({"map": "x"}, "Expected object for field map, found STRING"),
        ({"map": [{"key": 1, "value": "x"}]}, "Expected string for field map.key, found NUMBER"),
        ({"word": 1}, "Expected string for field word, found NUMBER"),
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


def test_tolerance_reaches_every_depth() -> None:
    body = {"list": [{"inner": {"n": "7", "flag": "TRUE", "names": None, "unknown": {"a": None}}}]}
    assert read(body, DEEP_BODY) == {"list": [{"inner": {"n": 7, "flag": True, "unknown": {"a": None}}}]}


def test_a_map_may_come_as_a_list_of_keys_and_values() -> None:
    body = {"map": [{"key": "a", "value": "b"}, {"key": "c", "value": "d"}]}
    assert read(body, BODY) == {"map": {"a": "b", "c": "d"}}


def test_a_word_that_is_no_choice_is_named_with_those_that_are() -> None:
    with pytest.raises(ApiError, match="word must be one of UP, DOWN, it is up"):
        read({"word": "up"}, BODY)


@pytest.mark.parametrize("kind", [list, dict])
def test_what_is_nested_too_deeply_is_refused(kind: type) -> None:
    def nested(depth: int) -> Any:
        value: Any = kind()
        for _ in range(depth - 2):
            value = [value] if kind is list else {"a": value}
        return {"unknown": value}

    assert read(nested(MAX_DEPTH), BODY) == nested(MAX_DEPTH)
    with pytest.raises(ApiError, match="more than 100 levels deep"):
        read(nested(MAX_DEPTH + 1), BODY)
