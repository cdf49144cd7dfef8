from __future__ import annotations

from collections.abc import Iterator

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client


@pytest.fixture(scope="session")
def shared_workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(login="someone", password="a-password") as workspace:
        yield workspace


@pytest.fixture(scope="session")
def client(shared_workspace: LocalWorkspace) -> Iterator[Client]:
    client = Client(shared_workspace)
    yield client
    client.close()
