"""What is read from Prefect: how a flow run has ended, which watchers there are, and what the server can do."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import StateType

from prefect_databricks_runs._start.pause_key import PauseKey
from prefect_databricks_runs._suspend.obstacles import _release
from prefect_databricks_runs._suspend.watcher_pages import is_watched, page_metadata
from prefect_databricks_runs._watcher.scan import key_at_the_end

KEY = PauseKey("https://a", UUID(int=7), run_ids=(7,))


def a_state(kind: str, number: int, key: str | None) -> SimpleNamespace:
    details = SimpleNamespace(pause_key=key if kind == "PAUSED" else None)
    at = datetime(2026, 11, 28, tzinfo=timezone.utc) + timedelta(seconds=number)
    return SimpleNamespace(type=StateType(kind), timestamp=at, state_details=details)


class Client:
    """Prefect's, with the states of one flow run and the pages of watchers."""

    def __init__(self, states: str = "", key: str | None = None, pages: Any = ()) -> None:
        self._states = [a_state(kind, number, key) for number, kind in enumerate(states.split())]
        self._pages = list(pages)

    async def read_flow_run_states(self, _flow_run_id: UUID) -> list[Any]:
        return self._states[::-1]

    async def read_artifacts(self, **_filters: Any) -> list[Any]:
        return self._pages


@pytest.mark.parametrize(
    ("states", "is_ours"),
    [
        ("RUNNING PAUSED CANCELLED", True),
        ("RUNNING PAUSED CANCELLING CANCELLED", True),
        ("RUNNING PAUSED FAILED", True),
        ("RUNNING PAUSED CRASHED", True),
        ("RUNNING PAUSED SCHEDULED CANCELLED", True),
        ("RUNNING PAUSED SCHEDULED PENDING CANCELLED", True),
        ("RUNNING PAUSED SCHEDULED PENDING CRASHED", False),
        ("RUNNING PAUSED SCHEDULED PENDING RUNNING CANCELLED", False),
        ("RUNNING PAUSED SCHEDULED PENDING RUNNING FAILED", False),
        ("RUNNING PAUSED COMPLETED FAILED", False),
        ("RUNNING FAILED", False),
        ("", False),
    ],
)
def test_a_flow_run_has_ended_without_a_process_if_none_ran_since_it_was_suspended(states: str, is_ours: bool) -> None:
    found = asyncio.run(key_at_the_end(Client(states, str(KEY)), uuid4()))
    assert found == (KEY if is_ours else None)


def test_a_flow_run_that_someone_else_has_suspended_is_not_ours() -> None:
    assert asyncio.run(key_at_the_end(Client("RUNNING PAUSED CANCELLED", "approve"), uuid4())) is None


def a_page(block_ids: Any, seen_seconds: float, age: float) -> SimpleNamespace:
    updated = datetime.now(timezone.utc) - timedelta(seconds=age)
    return SimpleNamespace(metadata_=page_metadata(block_ids, seen_seconds), updated=updated)


@pytest.mark.parametrize(
    ("page", "counts"),
    [
        (partial(a_page, None, 120, 5), True),
        (partial(a_page, None, 120, 125), False),
        (partial(a_page, [KEY.block_id], 120, 5), True),
        (partial(a_page, [uuid4() for _ in range(40)] + [KEY.block_id], 120, 5), True),
        (partial(a_page, [uuid4()], 120, 5), False),
        (partial(a_page, [], 120, 5), False),
        (partial(a_page, None, 2 * 3600, 3000), True),
        (lambda: SimpleNamespace(metadata_=None, updated=None), False),
        (lambda: SimpleNamespace(metadata_={"seen_for_seconds": "1e999"}, updated=datetime.now(timezone.utc)), False),
    ],
)
def test_a_flow_run_counts_on_a_watcher_with_its_block_that_was_seen_lately(page: Any, counts: bool) -> None:
    assert asyncio.run(is_watched(Client(pages=[page()]), KEY.block_id)) is counts


def test_what_a_page_says_of_its_blocks_fits_what_prefect_keeps() -> None:
    assert all(len(value) <= 500 for value in page_metadata([uuid4() for _ in range(40)], 120).values())


@pytest.mark.parametrize(
    ("version", "release"),
    [("3.9.1", (3, 9)), ("3.8.0.dev1+4", (3, 8)), ("2.20.26", (2, 20)), ("3.10.0", (3, 10)), ("?", ())],
)
def test_a_release_is_compared_as_numbers(version: str, release: tuple[int, ...]) -> None:
    assert _release(version) == release
