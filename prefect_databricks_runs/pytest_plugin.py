"""The pytest plugin: the fixtures `databricks_workspace` and `databricks_credentials`, and a marker for their options.

pytest imports this module at every start, also where nobody tests Databricks: what is heavy is imported when used.
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
    """Make the marker known, and leave out a warning of Prefect's that the package knows of.

    Each call of a flow that has a parameter `json` warns; where warnings are errors, such a flow would fail.
    """
    config.addinivalue_line("filterwarnings", 'ignore:Field name "json".*shadows an attribute')
    config.addinivalue_line(
        "markers",
        f"{MARKER}(**options): the options of the LocalWorkspace that the fixture databricks_workspace starts.",
    )


@pytest.fixture
def databricks_workspace(request: pytest.FixtureRequest) -> Iterator[LocalWorkspace]:
    """Return a local Databricks workspace of the test's own, which has started; it stops when the test is over.

    Options of `LocalWorkspace` are given by `@pytest.mark.databricks_workspace(concurrency=2)`, on the test, its class
    or its module; the nearest one wins for each option.
    """
    from .local import LocalWorkspace

    with LocalWorkspace(**_options(request)) as workspace:
        yield workspace


@pytest.fixture
def databricks_credentials(databricks_workspace: LocalWorkspace) -> DatabricksCredentials:
    """Return credentials for `databricks_workspace`, which are not saved anywhere."""
    from ._prefect.compat import SecretStr
    from .credentials import DatabricksCredentials

    return DatabricksCredentials(host=databricks_workspace.url, token=SecretStr(databricks_workspace.token))


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):  # the nearest one first
        if marker.args:
            pytest.fail(f"The marker {MARKER} takes options by name, such as concurrency=2, not {marker.args[0]!r}.")
        options = {**marker.kwargs, **options}
    return options
