"""What the tests with real workers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.leaving.going import Deployments
from tests.prefect_api import PrefectApi


@pytest.fixture(scope="module")
def deployments(prefect_server: PrefectServer) -> Iterator[Deployments]:
    """Workers, `serve` processes and their flow runs, for the tests of one module."""
    with Deployments(prefect_server.api_url, PrefectApi(prefect_server)) as deployments:
        yield deployments
