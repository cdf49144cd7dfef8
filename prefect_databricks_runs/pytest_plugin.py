"""The pytest plugin: the fixtures `databricks_workspace` and `databricks_credentials`, and a marker for their options.

pytest imports this module at every start, even if no test uses Databricks, so heavy imports are made on use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .credentials import DatabricksCredentials
    from .local import LocalWorkspace

MARKER = "databricks_workspace"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and ignore a warning of Prefect that this package causes on purpose.

    Each call of a flow that has a parameter `json` warns. If warnings are errors, such a flow would fail.
    """
    config.addinivalue_line("filterwarnings", 'ignore:Field name "json".*shadows an attribute')
    config.addinivalue_line(
        "markers",
        f"{MARKER}(**options): the options of the LocalWorkspace that the fixture databricks_workspace starts.",
    )


@pytest.fixture
def databricks_workspace(request: pytest.FixtureRequest) -> Iterator[LocalWorkspace]:
    """Return a local Databricks workspace for one test; it stops when the test ends.

    Set options of `LocalWorkspace` with `@pytest.mark.databricks_workspace(concurrency=2)`, on the test, its class or
    its module. The nearest one applies for each option.
    """
    from .local import LocalWorkspace

    with LocalWorkspace(**_options(request)) as workspace:
        yield workspace


@pytest.fixture
def databricks_credentials(databricks_workspace: LocalWorkspace) -> DatabricksCredentials:
    """Return credentials for `databricks_workspace`; they are not saved."""
    from ._prefect.compat import SecretStr
    from .credentials import DatabricksCredentials

    return DatabricksCredentials(host=databricks_workspace.url, token=SecretStr(databricks_workspace.token))


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):  # the nearest one first
        if marker.args:
            pytest.fail(f"The marker {MARKER} takes named options, such as concurrency=2, not {marker.args[0]!r}.")
        options = {**marker.kwargs, **options}
    return options
