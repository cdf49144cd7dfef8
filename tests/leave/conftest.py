"""What the tests with real workers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.leave.children import Child
from tests.leave.going import Deployments
from tests.support.prefect_api import PrefectApi


@pytest.fixture(scope="module")
def deployments(prefect_server: PrefectServer) -> Iterator[Deployments]:
    """Workers, `serve` processes and their flow runs, until the end of the module."""
    with Deployments(prefect_server.api_url, PrefectApi(prefect_server)) as deployments:
        yield deployments


@pytest.fixture(scope="module")
def worker(deployments: Deployments) -> Child:
    """A worker for the tests that leave it as it is."""
    return deployments.worker()
