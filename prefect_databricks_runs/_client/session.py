"""Send one signed request to a workspace, and sign in again if the workspace no longer knows the caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import anyio
import httpx

from .._clock import Clock
from .._runtime import of_loop, of_process
from ..errors import (
    DatabricksConnectionError,
    DatabricksError,
    InvalidResponse,
    RateLimited,
    SignInFailed,
    Unauthenticated,
)
from .answers import answered_at, read_answer
from .bodies import UnusableBody, whole
from .connections import STATUS, Access, Connections
from .http import time_limits
from .pace import pace_of
from .retries import connection_reason
from .secrets import Secrets
from .tokens import FetchingAuth
from .wire_logs import WireLogs

Refresh = Callable[[], Awaitable[httpx.Auth | None]]

_SAVE_IT = " Save the credentials block again under the same name, and the waits that use it continue."


class Answered(NamedTuple):
    """The facts about an answer in addition to its JSON.

    Attributes:
        at: Seconds since 1970-01-01 UTC by the clock of Databricks, without a fraction; None if the answer has no date.
        size: Its size in bytes, decoded.
    """

    at: float | None
    size: int


class Session:
    """Send each request to one workspace once, or twice if the first was not accepted.

    Args:
        host: The workspace's address.
        auth: How to sign in.
        timeout_seconds: How long to wait for an answer.
        shared: Whether to share connections, and what is known, with other sessions of this event loop.
        transport: Where requests go instead of the network.
        refresh: Returns the current way to sign in, or None if it is not known.
        pause: Seconds before an unauthenticated request is sent again with the same way to sign in.
        requests_per_second: The limit for all sessions that share it; None for no limit.
        clock: The time.
        logger: The log for unauthenticated requests.
    """

    def __init__(
        self,
        host: str,
        auth: httpx.Auth,
        *,
        timeout_seconds: float,
        shared: bool,
        transport: httpx.AsyncBaseTransport | None,
        refresh: Refresh | None,
        pause: float,
        requests_per_second: float | None,
        clock: Clock,
        logger: Any,
    ) -> None:
        self._host, self._auth, self._timeout_seconds = host, auth, timeout_seconds
        self._is_shared, self._transport = shared, transport
        self._own = Connections()
        self._accesses: dict[httpx.Auth, Access] = {}
        self._secrets = Secrets()
        of_process(WireLogs).look_for(self._secrets)
        self._refresh, self._pause = refresh, pause
        self._requests_per_second = requests_per_second
        self._clock, self._logger = clock, logger
        self._said = False

    async def aclose(self) -> None:
        """Close the client of a session that has its own."""
        await self._own.aclose()

    @property
    def was_let_in(self) -> bool:
        """Whether the workspace has accepted these credentials before."""
        return any(access.was_let_in for access in self._accesses.values())

    async def send(
        self, method: str, path: str, json: Any, params: Any, *, lane: str | None = None
    ) -> tuple[dict[str, Any], Answered]:
        """Send a request; if the workspace does not know the caller, sign in again and send it once more.

        Args:
            method: HTTP method.
            path: Path on the host.
            json: The body.
            params: The query.
            lane: The lane to wait in; None for a request that must not wait.

        Returns:
            The answer's JSON, and what else is known of it.

        Raises:
            DatabricksApiError: Databricks answered with an error.
            DatabricksConnectionError: There was no answer.
            InvalidResponse: The answer is not an answer of the Jobs API.
        """
        try:
            return await self._send_with_its_token(lane, method, path, json, params)
        except Unauthenticated as error:
            await self._sign_in_again(error)
            return await self._send_in_turn(lane, method, path, json, params)

    async def sign_in(self) -> None:
        """Get the token for the next request, unless none has to be fetched.

        Raises:
            DatabricksError: There is no token.
        """
        try:
            await self._fetch()
        except Unauthenticated as error:
            await self._sign_in_again(error)
            await self._fetch()

    async def until_free(self, lanes: Iterable[str]) -> None:
        """Wait until no request waits in these lanes."""
        if self._requests_per_second is not None:
            pace = pace_of(self._host, self._requests_per_second, self._clock)
            for lane in lanes:
                await pace.until_free(lane)

    async def _send_with_its_token(self, lane: str | None, *request: Any) -> tuple[dict[str, Any], Answered]:
        """Send a request; once more with another token if a fetched token was refused before it expired."""
        try:
            return await self._send_in_turn(lane, *request)
        except SignInFailed:
            raise
        except Unauthenticated:
            if not isinstance(self._auth, FetchingAuth):
                raise
            return await self._send_in_turn(lane, *request)

    async def _send_in_turn(self, lane: str | None, *request: Any) -> tuple[dict[str, Any], Answered]:
        if self._requests_per_second is None:
            return await self._send_once(*request)
        await self._fetch()  # before its turn; otherwise all who wait for a token would send at once
        pace = pace_of(self._host, self._requests_per_second, self._clock)
        if lane is not None:
            await pace.turn(lane)
        try:
            answer = await self._send_once(*request)
        except RateLimited as error:
            pace.slow_down(error.retry_after)
            raise
        pace.went_well()
        return answer

    async def _fetch(self) -> None:
        if isinstance(self._auth, FetchingAuth):
            await self._auth.atoken()

    async def _send_once(self, method: str, path: str, json: Any, params: Any) -> tuple[dict[str, Any], Answered]:
        auth = self._auth
        token = await auth.atoken() if isinstance(auth, FetchingAuth) else None
        self._secrets.learn(auth)
        response = await self._answer(token or auth, method, path, json, params)
        try:
            response = self._secrets.removed_from_answer(response)  # from here on it is safe to show
            now, advice = self._clock.time(), getattr(auth, "advice", "")
            answer = read_answer(response, host=self._host, method=method, path=path, now=now, advice=advice)
        except Unauthenticated:
            if token and isinstance(auth, FetchingAuth):
                auth.forget(token)
            raise
        except DatabricksError:
            raise
        except Exception as error:  # anything else means that the answer cannot be read
            raise self._unreadable(error, method, path, response.status_code) from error
        self._connections().let_in(self._host, self._access(auth))
        self._said = False
        return answer, Answered(answered_at(response), len(response.content))

    async def _answer(self, auth: httpx.Auth, method: str, path: str, json: Any, params: Any) -> httpx.Response:
        """Return the whole answer to a request, within a deadline and a size limit."""
        limits = time_limits(self._timeout_seconds)
        request: httpx.Request | None = None
        try:
            client = self._client()
            request = client.build_request(method, path, json=json, params=params, timeout=limits)
            with anyio.fail_after(self._timeout_seconds):
                return await whole(await client.send(request, auth=auth, stream=True))
        except UnusableBody as error:
            status = _status_of(request)
            raise InvalidResponse(str(error), host=self._host, method=method, path=path, status_code=status) from None
        except (httpx.HTTPError, TimeoutError) as error:
            if isinstance(error, httpx.HTTPError):
                self._secrets.removed_from_error(error)
            reason = connection_reason(error, self._timeout_seconds)
            raise DatabricksConnectionError(reason, host=self._host, method=method, path=path) from error
        except Exception as error:
            status = _status_of(request)
            if not status:  # no answer yet: the request itself is at fault
                raise
            # `Location: javascript:1` is an InvalidURL, although no redirect is followed.
            raise self._unreadable(error, method, path, status) from error

    def _unreadable(self, error: Exception, method: str, path: str, status: int) -> InvalidResponse:
        reason = f"an unreadable answer ({type(error).__name__})"
        return InvalidResponse(reason, host=self._host, method=method, path=path, status_code=status)

    async def _sign_in_again(self, error: Unauthenticated) -> None:
        fresh = await self._refresh() if self._refresh else None
        if fresh is not None and fresh != self._auth:
            self._report_new(fresh, error)
            self._auth = fresh
            return
        if not self._said:  # a wait polls for as long as an outage may last
            self._said = True
            advice = _SAVE_IT if self._refresh else ""
            self._logger.warning("%s Retrying once in %.1f s.%s", error, self._pause, advice)
        await self._clock.sleep(self._pause)

    def _report_new(self, fresh: httpx.Auth, error: Unauthenticated) -> None:
        """Log that there is a new way to sign in: once in each flow run, although each session finds it separately."""
        flow_run_id = str((getattr(self._logger, "extra", None) or {}).get("flow_run_id"))
        said_in = self._access(fresh).said_in
        if flow_run_id not in said_in:
            said_in.append(flow_run_id)
            self._logger.info("%s The credentials block has changed; retrying with the new credentials.", error)

    def _access(self, auth: httpx.Auth) -> Access:
        if auth not in self._accesses:
            self._accesses[auth] = self._connections().access(self._host, auth)
        return self._accesses[auth]

    def _connections(self) -> Connections:
        return of_loop(Connections) if self._is_shared else self._own

    def _client(self) -> httpx.AsyncClient:
        return self._connections().client(self._host, self._transport)


def _status_of(request: httpx.Request | None) -> int:
    """Return the status of the answer to a request; 0 if there is none yet."""
    return request.extensions.get(STATUS, 0) if request else 0
