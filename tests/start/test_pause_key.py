"""What a suspended flow run carries: written and read without loss, and read as the text of others."""

from __future__ import annotations

import json
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs._start.pause_key import PREFIX, PauseKey, UnreadableKey, fault_of, keys_in, read_key

BLOCK = UUID(int=7)
run_ids = st.lists(st.integers(1, 2**63 - 1), unique=True, max_size=20).map(tuple)
seconds = st.floats(0.001, 1e10)
keys = st.builds(
    PauseKey,
    host=st.text(min_size=1, max_size=100),
    block_id=st.uuids(),
    run_ids=run_ids.filter(bool),
    started=run_ids,
    is_of_many=st.booleans(),
    until=st.none() | seconds,
    wakes_at=st.sampled_from(["all", "failure"]),
    fails_on_task_failures=st.booleans(),
    polling_period_seconds=seconds,
    max_drawn=st.integers(0, 10**6),
    number=st.integers(0, 10**6),
    wait=st.integers(0, 10**6),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def a_key(**fields: object) -> PauseKey:
    return PauseKey(**{"host": "https://a", "block_id": BLOCK, "run_ids": (7,), **fields})


@given(keys)
def test_a_key_is_read_as_it_was_written(key: PauseKey) -> None:
    assert read_key(str(key)) == key


@pytest.mark.parametrize("other", [None, "", "approve", "databricks-run", "{}", "4085b371-81d5-4b60-998a-9589be5905a5"])
def test_a_key_of_somebody_else_is_not_ours(other: str | None) -> None:
    assert read_key(other) is None


@given(st.text() | json_values.map(json.dumps))
def test_whatever_follows_our_word_is_a_key_or_cannot_be_read(text: str) -> None:
    with suppress(UnreadableKey):
        assert isinstance(read_key(PREFIX + text), PauseKey)


@given(st.sampled_from(sorted(PauseKey.__dataclass_fields__)), json_values)
def test_a_field_of_another_type_or_range_is_never_taken(name: str, value: object) -> None:
    fields = {**json.loads(str(a_key())[len(PREFIX) :]), name: value}
    with suppress(UnreadableKey):
        key = read_key(PREFIX + json.dumps(fields))
        read = getattr(key, name)
        assert is_the_same(name, read, value)


def is_the_same(name: str, read: object, value: object) -> bool:
    """Whether a field was read as the JSON says it."""
    if isinstance(read, UUID):
        return str(read) == value
    return read == (tuple(value) if name in LISTS else value)


LISTS = ("run_ids", "started")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[" * 100_000, "not JSON"),
        ("x" * 1_100_000, "characters"),
        ('{"version":2}', "another release"),
        ("[]", "another release"),
    ],
    ids=["deep", "huge", "newer", "no object"],
)
def test_what_is_wrong_with_a_key_is_said_without_the_key(text: str, fault: str) -> None:
    with pytest.raises(UnreadableKey, match=fault) as caught:
        read_key(PREFIX + text)
    assert len(str(caught.value)) < 100


def test_a_key_that_nobody_could_read_is_found_before_it_is_written() -> None:
    assert fault_of(a_key()) == ""
    assert fault_of(a_key(run_ids=tuple(range(1, 10_002)))) == "it is wrong in run_ids"
    assert "characters" in fault_of(a_key(host="h" * 1_000_000))


def test_a_field_that_a_later_release_adds_is_left_out() -> None:
    fields = {**json.loads(str(a_key())[len(PREFIX) :]), "more": 1}
    assert read_key(PREFIX + json.dumps(fields)) == a_key()


def test_a_second_wait_for_the_same_runs_has_its_own_time() -> None:
    first = a_key(until=100.0)
    assert a_key(until=150.0).after([first]).until == 100.0
    assert a_key(until=150.0, wait=1).after([first]).until == 150.0
    assert a_key(until=190.0, wait=1).after([first, a_key(until=150.0, wait=1, number=1)]).until == 150.0


def test_the_keys_of_an_attempt_are_read_in_order_and_others_are_left_out() -> None:
    first, second = a_key(number=0), a_key(number=1, run_ids=(8,))
    assert keys_in({str(second), "approve", PREFIX + "{", str(first)}) == [first, second]
    assert keys_in(None) == []


def test_a_key_that_fired_is_not_fired_again() -> None:
    first = a_key()
    assert str(a_key().after([first])) != str(first)


def test_the_time_of_a_wait_is_counted_from_its_first_suspension() -> None:
    first, of_others = a_key(until=100.0), a_key(until=50.0, run_ids=(8,))
    assert a_key(until=900.0).after([first, of_others]).until == 100.0
    assert a_key(until=900.0).after([of_others]).until == 900.0
    assert a_key(until=None).after([first]).until is None


def test_all_runs_of_a_key_are_those_waited_for_and_those_started() -> None:
    assert a_key(run_ids=(7, 8), started=(8, 9)).all_run_ids == (7, 8, 9)
