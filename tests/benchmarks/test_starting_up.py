"""Importing this package is cheap beside Prefect, and `submit_run` sends at once; the numbers are in the benchmark."""

from __future__ import annotations

import statistics
import sys

import pytest

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.benchmarks.starting_up import OURS, heavy_of, imported, wire

pytestmark = pytest.mark.long

PREFECTS_OWN = 2  # the first statements import Prefect


def test_nothing_heavy_is_imported() -> None:
    """Neither pandas nor databricks-sdk, and not our own command line and local workspace."""
    ours = imported(sys.executable)[PREFECTS_OWN:]
    modules = [module for _, _, modules in ours for module in modules]
    assert "prefect_databricks_runs.flows" in modules
    assert heavy_of(modules) == []


def test_importing_all_public_names_takes_little_beside_prefect() -> None:
    shares, megabytes = [], []
    for _ in range(3):
        steps = imported(sys.executable)
        prefect, ours = steps[:PREFECTS_OWN], steps[PREFECTS_OWN:]
        shares.append(sum(step[0] for step in ours) / sum(step[0] for step in prefect))
        megabytes.append(sum(step[1] for step in ours))
    assert statistics.median(shares) < 1
    assert statistics.median(megabytes) < 15


def test_importing_the_package_itself_imports_none_of_it() -> None:
    modules = imported(sys.executable)[OURS.index("import prefect_databricks_runs")][2]
    assert modules == [
        "prefect_databricks_runs",
        "prefect_databricks_runs._lazy",
        "prefect_databricks_runs._version",
    ]


def test_submit_run_takes_little_longer_than_prefect_takes_to_begin_a_task(prefect_server: PrefectServer) -> None:
    way = wire(20, prefect_server.api_url)
    assert way.median < 10 * way.empty_task
