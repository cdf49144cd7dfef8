"""Check the credentials and options of a task or flow, and make its hook."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from .._prefect.logging import Logger, run_logger
from .._runtime import of_process
from ..credentials import DatabricksCredentials
from ..errors import InvalidCredentials
from ..hook import DatabricksHook
from ..options import RequestOptions, options_of
from .fresh_credentials import refresh_of
from .saved_blocks import UsedCredentials

O_co = TypeVar("O_co", bound=RequestOptions, covariant=True)


@dataclass(frozen=True)
class Call(Generic[O_co]):
    """One call of a task or flow, with the credentials, options and hook that its parts share.

    Attributes:
        credentials: The workspace, and how to sign in.
        options: All options of the task or flow.
        logger: The logger of the flow run or task run.
    """

    credentials: DatabricksCredentials
    options: O_co
    logger: Logger

    @property
    def host(self) -> str:
        """The workspace's address."""
        return self.credentials.host

    @cached_property
    def hook(self) -> DatabricksHook:
        """The hook, with the retries of the call."""
        return DatabricksHook(
            self.host,
            self.credentials.get_auth(),
            retry_limit=self.options["databricks_retry_limit"],
            retry_delay=self.options["databricks_retry_delay"],
            timeout_seconds=self.credentials.request_timeout_seconds,
            requests_per_second=self.credentials.requests_per_second,
            shared=True,
            refresh=refresh_of(self.credentials, self.logger),
            logger=self.logger,
        )

    @cached_property
    def polling_hook(self) -> DatabricksHook:
        """The same hook without retries: the retry of a poll is the next poll."""
        return self.hook.trying_once()


def called_with(credentials: Any, parameters: Mapping[str, Any], options: type[O_co]) -> Call[O_co]:
    """Check the parameters of a task or flow before anything is sent, and remember the credentials.

    Args:
        credentials: The value passed as the block.
        parameters: All other parameters.
        options: The type of the options.

    Raises:
        InvalidCredentials: The value is not a `DatabricksCredentials` block.
        InvalidOption: An option has a wrong value.
    """
    if not isinstance(credentials, DatabricksCredentials):
        hint = " Await `DatabricksCredentials.load(…)` in async code." if inspect.isawaitable(credentials) else ""
        raise InvalidCredentials(
            f"`databricks_credentials` must be a DatabricksCredentials block, not {type(credentials).__name__}."
            f"{hint or ' Pass the result of `DatabricksCredentials.load(…)`.'}"
        )
    call = Call(credentials, options_of(parameters, options), run_logger())
    of_process(UsedCredentials).remember(credentials)
    return call


def plain_call(credentials: DatabricksCredentials, logger: Logger) -> Call[RequestOptions]:
    """Make a call without options, such as that of a command.

    Args:
        credentials: The workspace, and how to sign in.
        logger: The log for retries.
    """
    return Call(credentials, options_of({}, RequestOptions), logger)
