"""What every task and flow does with the credentials and options that it is given."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .._prefect.logging import Logger
from ..credentials import DatabricksCredentials
from ..errors import InvalidCredentials
from ..hook import DatabricksHook
from ..options import check_options, option
from .fresh_credentials import refresh_of
from .saved_blocks import remember


def hook_for(credentials: DatabricksCredentials, options: Mapping[str, Any], logger: Logger) -> DatabricksHook:
    """The hook that a task or flow uses, with the retries it was asked for.

    Args:
        credentials: The workspace, and how to sign in.
        options: May have `databricks_retry_limit` and `databricks_retry_delay`.
        logger: Where retries are told.
    """
    remember(credentials)
    return DatabricksHook(
        credentials.host,
        credentials.get_auth(),
        retry_limit=option(options, "databricks_retry_limit"),
        retry_delay=option(options, "databricks_retry_delay"),
        timeout_seconds=credentials.request_timeout_seconds,
        requests_per_second=credentials.requests_per_second,
        shared=True,
        refresh=refresh_of(credentials, logger),
        logger=logger,
    )


def check_call(credentials: Any, options: Mapping[str, Any]) -> None:
    """Check what every task and flow is given, before anything is sent.

    Raises:
        InvalidCredentials: It is no `DatabricksCredentials` block.
        InvalidOption: Options that make no sense.
    """
    if not isinstance(credentials, DatabricksCredentials):
        hint = " Await `DatabricksCredentials.load(…)` in async code." if inspect.isawaitable(credentials) else ""
        raise InvalidCredentials(
            f"`databricks_credentials` must be a DatabricksCredentials block, not {type(credentials).__name__}."
            f"{hint or ' Give what `DatabricksCredentials.load(…)` gives.'}"
        )
    check_options(options)
