"""Suspended flow runs, with everything that can happen at once: nothing lost, doubled or left running."""

from __future__ import annotations

import pytest

from tests.chaos.suspended import FATES, SuspendedStorm


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_whatever_happens_to_100_suspended_flow_runs_each_comes_to_its_right_end() -> None:
    storm = SuspendedStorm(100, seed=3, tell=lambda _: None)
    assert storm.run() == []
    assert set(storm.met) >= set(FATES)
    assert storm.met["a watcher is killed"] > 3
