"""Asking Databricks to cancel runs: however that goes, the log says what becomes of each of them."""

from __future__ import annotations

import logging

import anyio
import pytest

from prefect_databricks_runs._leave import leaving

pytestmark = pytest.mark.anyio


class Hanging:
    """A workspace that never answers to a request to cancel."""

    async def cancel_run(self, _run_id: int) -> None:
        await anyio.sleep_forever()


@pytest.mark.parametrize("number", [1, 3])
async def test_a_request_to_cancel_that_is_not_answered_is_told_of_each_run(number: int, monkeypatch, caplog) -> None:
    monkeypatch.setattr(leaving, "CANCEL_SECONDS", 0.05)
    run_ids = list(range(1, number + 1))
    assert await leaving.cancel_all(Hanging(), run_ids, logging.getLogger("tests.cancelling"), "of a test") == []
    for run_id in run_ids:
        assert f"Could not cancel Databricks run {run_id}, which may still be active." in caplog.text


async def test_of_more_runs_than_are_asked_at_once_those_that_were_not_reached_in_time_are_named(
    monkeypatch, caplog
) -> None:
    monkeypatch.setattr(leaving, "CANCEL_ALL_SECONDS", 0.05)
    run_ids = list(range(1, leaving._AT_ONCE + 2))
    assert await leaving.cancel_all(Hanging(), run_ids, logging.getLogger("tests.cancelling"), "of a test") == []
    named = ", ".join(map(str, run_ids))
    assert f"could not be cancelled in time and may still be active: {named}" in caplog.text
