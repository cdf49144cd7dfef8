from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client

if TYPE_CHECKING:
    from tests.local.sdk import SdkTime


@pytest.fixture(scope="session")
def shared_workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(login="someone", password="a-password") as workspace:
        yield workspace


@pytest.fixture(scope="session")
def client(shared_workspace: LocalWorkspace) -> Iterator[Client]:
    client = Client(shared_workspace)
    yield client
    client.close()


@pytest.fixture
def sdk_time(monkeypatch: pytest.MonkeyPatch) -> SdkTime:
    """The time of databricks-sdk, which reads nothing of the machine's own settings either."""
    from tests.local.sdk import SdkTime, forget_environment  # slow to import, and most tests here do without

    forget_environment(monkeypatch)
    return SdkTime.installed(monkeypatch)
