"""Requests to the Jobs API of one workspace: each is tried again if that helps, and lists are read page by page."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from copy import copy
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

import httpx
from typing_extensions import Self

from .._clock import Clock, SystemClock
from .._fields import as_mappings, as_text
from .._text import safe_repr
from ..errors import DatabricksError, InvalidResponse, Unauthenticated
from .bodies import MAX_BYTES_OF_PAGES
from .retries import is_worth_retrying, may_be_done, passes, retrying
from .session import Answered, Refresh, Session

T = TypeVar("T")

_JOBS = "/api/2.2/jobs"
CANCEL = "runs/cancel"
_LOGGER = "prefect_databricks_runs.hook"


class Requests:
    """Sends requests to one workspace. `DatabricksHook` documents the arguments."""

    def __init__(
        self,
        host: str,
        auth: httpx.Auth,
        *,
        retry_limit: int = 3,
        retry_delay: float = 1.0,
        timeout_seconds: float = 60.0,
        requests_per_second: float | None = None,
        shared: bool = False,
        refresh: Refresh | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
    ) -> None:
        if retry_limit < 1:
            raise ValueError(
                f"databricks_retry_limit is the number of tries in all and must be at least 1, not {retry_limit}."
            )
        if retry_delay < 0:
            raise ValueError(f"databricks_retry_delay is in seconds and must not be negative, not {retry_delay}.")
        self.host = host
        self.clock = clock or SystemClock()
        self._retry_limit, self._retry_delay = retry_limit, retry_delay
        self._logger = logger or logging.getLogger(_LOGGER)
        self._session = Session(
            host,
            auth,
            timeout_seconds=timeout_seconds,
            shared=shared,
            transport=transport,
            refresh=refresh,
            pause=retry_delay,
            requests_per_second=requests_per_second,
            clock=self.clock,
            logger=self._logger,
        )

    async def __aenter__(self) -> Self:
        """Use the hook for a while; the end closes the client of a hook that has its own."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.aclose()

    def trying_once(self) -> Self:
        """Return a hook that sends each request once, on the same connections and with the same shared knowledge."""
        hook = copy(self)
        hook._retry_limit = 1
        return hook

    def may_pass(self, error: DatabricksError) -> bool:
        """Return whether an error concerns the way to Databricks and not the request, so that it may pass on its own.

        A refused token counts only if it was accepted before: someone may change the token first, and the block a
        little later.
        """
        return passes(error) or self._was_good(error)

    async def until_free(self, *endpoints: str) -> None:
        """Wait until no other request to these endpoints waits; see `requests_per_second`."""
        await self._session.until_free(endpoints)

    async def sign_in(self) -> None:
        """Get the token for the next request, if one has to be fetched; retry if that helps.

        Raises:
            SignInFailed: The issuer refused, or something that is needed is missing.
            SignInUnavailable: The issuer did not answer, or answered without a token.
        """
        async for attempt in retrying(self._retry_limit, self._retry_delay, self._helps, self.clock, self._logger):
            with attempt:
                await self._session.sign_in()

    async def _pages(
        self,
        endpoint: str,
        params: Mapping[str, Any],
        read: Callable[[dict[str, Any]], T],
        most: int,
        *,
        are_kept: bool = False,
    ) -> AsyncIterator[T]:
        """Read each page with `read`; too many pages or too many bytes are an error.

        Args:
            endpoint: The endpoint with pages.
            params: The query.
            read: Reads one page.
            most: The highest number of pages.
            are_kept: Whether all pages are kept, so that one size limit applies to all of them.
        """

        def with_token(page: dict[str, Any]) -> tuple[T, str]:
            return read(page), as_text(page.get("next_page_token"))

        tokens: set[str] = set()
        token, size = "", 0
        for _ in range(most):
            (page, token), answered = await self._exchange(
                "GET", endpoint, with_token, params={**params, "page_token": token or None}
            )
            size += answered.size
            if are_kept and size > MAX_BYTES_OF_PAGES:
                raise self._unusable("GET", endpoint, f"pages of more than {MAX_BYTES_OF_PAGES // 1024**2} MB")
            yield page
            if not token:
                return
            if token in tokens:
                raise self._unusable("GET", endpoint, "the same page twice")
            tokens.add(token)
        raise self._unusable("GET", endpoint, f"more than {most} pages")

    async def request(
        self,
        method: str,
        endpoint: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request to the Jobs API, retry if that helps, and return its answer.

        Args:
            method: `GET`, `POST` or `PUT`.
            endpoint: Path below `/api/2.2/jobs/`, or a whole path, which begins with a slash.
            json: The body of a POST.
            params: The query; None values are left out.

        Raises:
            DatabricksApiError: Databricks answered with an error.
            DatabricksConnectionError: There was no answer.
            InvalidResponse: The answer is not an answer of the Jobs API.
        """
        answer, _ = await self._exchange(method, endpoint, dict, json, params)
        return answer

    async def _exchange(
        self, method: str, endpoint: str, read: Callable[[dict[str, Any]], T], json: Any = None, params: Any = None
    ) -> tuple[T, Answered]:
        """Send a request as `request` does; return what `read` finds in the answer, and the facts about the answer."""
        query = {key: value for key, value in (params or {}).items() if value is not None}
        path = _path(endpoint)
        lane = None if endpoint == CANCEL else endpoint
        failures: list[DatabricksError] = []
        async for attempt in retrying(self._retry_limit, self._retry_delay, self._helps, self.clock, self._logger):
            with attempt:
                try:
                    answer, answered = await self._session.send(method, path, json, query, lane=lane)
                    return self._read(method, endpoint, partial(read, answer)), answered
                except DatabricksError as error:
                    failures.append(error)
                    error.outcome_unknown = method == "POST" and any(map(may_be_done, failures))
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _helps(self, error: BaseException) -> bool:
        """Return whether to send the same request again."""
        return is_worth_retrying(error) or self._was_good(error)

    def _was_good(self, error: BaseException) -> bool:
        return isinstance(error, Unauthenticated) and self._session.was_let_in

    def _read(self, method: str, endpoint: str, reader: Callable[[], T]) -> T:
        try:
            return reader()
        except DatabricksError:
            raise
        except Exception as error:  # anything else means that the answer cannot be read
            raise self._unusable(method, endpoint, f"JSON without a required value ({safe_repr(error)})") from error

    def _unusable(self, method: str, endpoint: str, reason: str) -> InvalidResponse:
        return InvalidResponse(reason, host=self.host, method=method, path=_path(endpoint), status_code=200)


def _path(endpoint: str) -> str:
    return endpoint if endpoint.startswith("/") else f"{_JOBS}/{endpoint}"


def items(page: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """Return the entries of a list in an answer.

    Args:
        page: The answer.
        name: The list.

    Raises:
        TypeError: It is not a list.
    """
    if not isinstance(page.get(name, []), (list, type(None))):
        raise TypeError(f"`{name}` that is not a list")
    return as_mappings(page.get(name))
