"""What it costs to watch suspended flow runs; `python -m tests.benchmarks.suspended` measures a thousand."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.benchmarks.suspended import Bench

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def test_a_watcher_is_small_asks_little_and_resumes_soon() -> None:
    with ExitStack() as stack:
        cost = Bench(stack, (20.0, 40.0)).watched(30, quiet_seconds=30, limit=600)
    assert cost.resumed == 30
    assert cost.megabytes < 200
    assert cost.prefect_a_minute < 40  # of 30 seconds; up to 30 in the long run
    assert cost.delay_median < 10
