"""The first promise, with everything that can go wrong at once: a run is never lost, doubled or orphaned."""

from __future__ import annotations

import pytest

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.chaos.faults import kinds
from tests.chaos.storm import Storm


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_whatever_goes_wrong_each_of_200_flows_has_its_own_run_and_nobody_has_another(
    prefect_server: PrefectServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """200 runs are asked for, by flows of every shape, while every fault meets every call by chance.

    Exactly 200 are made. Those that are given up are cancelled, the others end well, none is left going, and each flow
    gets the result of its own run.
    """
    report = Storm(200, seed=5, api_url=prefect_server.api_url, tell=lambda _: None).run()
    with capsys.disabled():
        print(f"\n{report}")
    assert report.wrong == []
    assert report.numbers["Databricks runs made"] == 200
    assert {kind for kind in kinds() if not report.met(kind)} == set()
