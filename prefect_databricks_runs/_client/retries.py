"""Decide which failed requests are sent again, and when."""

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
LONGEST_RETRY_AFTER = 600.0  # above that, the caller gets the error instead of hanging


def retrying(
    limit: int, delay: float, helps: Callable[[BaseException], bool], clock: Clock, logger: Any
) -> AsyncRetrying:
    """Return the attempts of one request.

    Args:
        limit: The number of attempts.
        delay: Seconds before the second attempt; doubles with each further one, with jitter.
        helps: Returns whether to try again after an error. Not asked if the answer wants a wait of more than 600 s.
        clock: The clock to sleep by.
        logger: The log for each retry.
    """
    backoff = wait_exponential(multiplier=delay, max=max(_LONGEST_DELAY, delay)) + wait_random(0, delay / 4)

    def wait(state: RetryCallState) -> float:
        return max(backoff(state), asked_to_wait(_error(state)) or 0.0)

    def is_tried_again(error: BaseException) -> bool:
        return (asked_to_wait(error) or 0.0) <= LONGEST_RETRY_AFTER and helps(error)

    def report(state: RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        logger.log(
            logging.WARNING, "%s Try %d of %d in %.1f s.", _error(state), state.attempt_number + 1, limit, seconds
        )

    return AsyncRetrying(
        stop=stop_after_attempt(limit),
        wait=wait,
        retry=retry_if_exception(is_tried_again),
        sleep=clock.sleep,
        before_sleep=report,
        reraise=True,
    )


def is_worth_retrying(error: BaseException) -> bool:
    """Return whether the same request may succeed a little later."""
    if isinstance(error, DatabricksConnectionError):
        return not _is_permanent(error.__cause__)
    return isinstance(error, (DatabricksApiError, InvalidResponse)) and error.meaning.may_pass


def asked_to_wait(error: BaseException | None) -> float | None:
    """Return the seconds to wait that an answer of Databricks or of a token issuer asked for; None if it did not."""
    return error.retry_after if isinstance(error, (DatabricksApiError, SignInUnavailable)) else None


def passes(error: BaseException) -> bool:
    """Return whether an error concerns only the way to Databricks, not the request itself, and may pass on its own."""
    if isinstance(error, DatabricksApiError):
        return error.meaning.may_pass
    return isinstance(error, (DatabricksConnectionError, InvalidResponse))


def may_be_done(error: BaseException) -> bool:
    """Return whether Databricks may have done what was asked for in spite of this error."""
    if isinstance(error, SignInUnavailable):
        return False
    if isinstance(error, DatabricksConnectionError):
        return not isinstance(error.__cause__, _NEVER_SENT)
    return isinstance(error, (DatabricksApiError, InvalidResponse)) and error.meaning.may_be_done


def connection_reason(error: httpx.HTTPError | TimeoutError, timeout_seconds: float) -> str:
    """Explain why there was no answer; httpx's own message is often empty."""
    if isinstance(error, httpx.ConnectTimeout):
        return "the connection was not accepted in time"
    if isinstance(error, httpx.LocalProtocolError):
        return "the request itself is not valid HTTP"  # httpx's message may show a header, and so the token
    if isinstance(error, TimeoutError):
        return f"no complete answer within {timeout_seconds:g} s (request_timeout_seconds={timeout_seconds:g})"
    if isinstance(error, httpx.TimeoutException):
        return f"no data within {timeout_seconds:g} s"
    return str(error) or type(error).__name__


def _is_permanent(error: BaseException | None) -> bool:
    """Return whether the address or the certificate is wrong."""
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)):
        return True
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
