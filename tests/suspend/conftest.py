"""A place for flow runs that are suspended, with a watcher that does not take its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from prefect_databricks_runs._suspend import suspended_wait
from prefect_databricks_runs._watcher import blocks, watcher
from tests.suspend.place import Place


@pytest.fixture
def place(prefect_server, prefect_api, monkeypatch) -> Iterator[Place]:
    monkeypatch.setattr(watcher, "_SHORTEST_PERIOD", 0.3)
    monkeypatch.setattr(watcher, "_PERIOD_A_PAGE", 0.0)
    monkeypatch.setattr(watcher, "_SWEEP_SECONDS", 1.0)
    monkeypatch.setattr(blocks, "_READ_AGAIN", 1.0)
    monkeypatch.setattr(suspended_wait, "_PAUSE", 1.0)
    with ExitStack() as stack:
        yield Place(stack, prefect_api)
