"""Which failed requests are sent again, and when."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from typing import Any

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from .._clock import Clock
from ..errors import DatabricksApiError, DatabricksConnectionError, InvalidResponse, SignInUnavailable

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_LONGEST_DELAY = 60.0
LONGEST_RETRY_AFTER = 600.0  # past that, the caller is told instead of being left to hang


def retrying(
    limit: int, delay: float, helps: Callable[[BaseException], bool], clock: Clock, logger: Any
) -> AsyncRetrying:
    """Make tries of one request.

    Args:
        limit: How many in all.
        delay: Seconds before the second one; doubles with each further one, with jitter.
        helps: Tells after which errors there is another one.
        clock: What to sleep by.
        logger: Where each retry is told.
    """
    backoff = wait_exponential(multiplier=delay, max=max(_LONGEST_DELAY, delay)) + wait_random(0, delay / 4)

    def wait(state: RetryCallState) -> float:
        return max(backoff(state), asked_to_wait(_error(state)) or 0.0)

    def tell(state: RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        logger.log(
            logging.WARNING, "%s Try %d of %d in %.1f s.", _error(state), state.attempt_number + 1, limit, seconds
        )

    return AsyncRetrying(
        stop=stop_after_attempt(limit),
        wait=wait,
        retry=retry_if_exception(helps),
        sleep=clock.sleep,
        before_sleep=tell,
        reraise=True,
    )


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the same request may well succeed a little later."""
    if (asked_to_wait(error) or 0.0) > LONGEST_RETRY_AFTER:
        return False
    if isinstance(error, DatabricksConnectionError):
        return not _is_permanent(error.__cause__)
    return isinstance(error, (DatabricksApiError, InvalidResponse)) and error.meaning.may_pass


def asked_to_wait(error: BaseException | None) -> float | None:
    """Seconds that the answer of Databricks, or of an issuer of tokens, asked to wait; None if it did not."""
    return error.retry_after if isinstance(error, (DatabricksApiError, SignInUnavailable)) else None


def passes(error: BaseException) -> bool:
    """Whether an error says nothing of what was asked for, but of the way to Databricks: it may pass by itself."""
    if isinstance(error, DatabricksApiError):
        return error.meaning.may_pass
    return isinstance(error, (DatabricksConnectionError, InvalidResponse))


def may_be_done(error: BaseException) -> bool:
    """Whether what was asked for may have been done although there was this error."""
    if isinstance(error, SignInUnavailable):
        return False
    if isinstance(error, DatabricksConnectionError):
        return not isinstance(error.__cause__, _NEVER_SENT)
    return isinstance(error, (DatabricksApiError, InvalidResponse)) and error.meaning.may_be_done


def connection_reason(error: httpx.HTTPError | TimeoutError, timeout_seconds: float) -> str:
    """Why there was no answer, in words; httpx's own message is often empty."""
    if isinstance(error, httpx.ConnectTimeout):
        return "the connection was not taken in time"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request itself is not valid HTTP"  # its own words may be a header, and that the token
    if isinstance(error, TimeoutError):
        return (
            f"nothing came within {timeout_seconds:g} s, or not all of it (request_timeout_seconds={timeout_seconds:g})"
        )
    if isinstance(error, httpx.TimeoutException):
        return f"nothing came within {timeout_seconds:g} s"
    return str(error) or type(error).__name__


def _is_permanent(error: BaseException | None) -> bool:
    """Whether it is the address or the certificate that is wrong."""
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)):
        return True
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
