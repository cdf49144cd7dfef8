"""Tokens that expire: fetched when needed, once for all users, and dropped when they are refused.

They are kept here only, by the way to sign in that they belong to; never in a block, a pickle or a file.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import anyio
import httpx

from .._clock import Clock, SystemClock
from .._prefect import portal
from .._runtime import of_process
from ..errors import DatabricksError
from .answers import refuses_token
from .signing import hide_redirect_in_pickles, signed

_USABLE_SECONDS = 40.0  # Databricks refuses a token 30 s before it expires
# A token is renewed this long before it expires, while it still works, so that a short outage goes unnoticed.
_EARLY_SECONDS = 300.0
_BACK_OFF_SECONDS = 30.0
# A token this young is not refused for its age, so another token would be refused too.
_YOUNG_SECONDS = 2.0
_KEPT = 32


@dataclass(frozen=True, eq=False)
class Token(httpx.Auth):
    """The headers that sign requests until they expire.

    Attributes:
        headers: The headers, all of them secret.
        seconds: How long they are valid from the time of the request; None for until they are refused.
    """

    headers: Mapping[str, str] = field(repr=False)
    seconds: float | None = None

    def secrets(self) -> Sequence[str]:
        """Return the values of the headers, without the scheme."""
        return tuple(
            value.removeprefix("Bearer ") for name, value in self.headers.items() if not name.endswith("-Resource-Id")
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the headers."""
        return signed(request, self.headers)


class Held:
    """The token of one way to sign in, in this process, and the result of the last attempt to fetch one.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self.pid = os.getpid()
        self.token: Token | None = None
        self._clock = clock
        self._asked = (0.0, 0.0)
        self._error: DatabricksError | None = None
        self._failures = 0
        self._not_before = self._tired_until = float("-inf")
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, anyio.Lock] = WeakKeyDictionary()

    async def get(self, fetch: Callable[[], Awaitable[Token]]) -> Token:
        """Return a token that Databricks accepts: the current one, or a new one.

        Args:
            fetch: Fetches a token.

        Raises:
            DatabricksError: There is no token.
        """
        lock = self._locks.setdefault(asyncio.get_running_loop(), anyio.Lock())
        token, failures = self.token, self._failures
        may_be_left = lock.locked() or self._clock.monotonic() < self._not_before
        if token and (self._is_fresh(token) or (may_be_left and self._is_usable(token))):
            return token
        async with lock:
            token = self.token
            if token and self._is_fresh(token):
                return token
            is_shared = self._failures != failures  # all who wait for one attempt share its result
            if self._error and (is_shared or self._clock.monotonic() < self._tired_until):
                return self._usable_or(self._error)
            asked = self._clock.monotonic(), self._clock.time()
            try:
                self.token = token = await fetch()
            except DatabricksError as error:
                self._error = copy(error)  # without its frames, whose variables hold secrets
                self._failures += 1
                # An attempt that hangs blocks all who need a token, so the next one waits for as long as it took.
                self._tired_until = 2 * self._clock.monotonic() - asked[0]
            else:
                self._asked, self._error = asked, None
                return token
            self._not_before = self._clock.monotonic() + _BACK_OFF_SECONDS
            return self._usable_or(self._error)

    def ends_at(self) -> float | None:
        """Return when the token expires, in seconds since 1970; None if there is none or its expiry is not known."""
        seconds = self.token.seconds if self.token else None
        return None if seconds is None else self._asked[1] + seconds

    def forget(self, token: Token) -> None:
        """Fetch another token next time, because this one was refused, unless it was already replaced or is new."""
        if self.token is token and self._age() > min(_YOUNG_SECONDS, (token.seconds or _EARLY_SECONDS) / 4):
            self.token = None

    def _usable_or(self, error: DatabricksError) -> Token:
        if self.token and self._is_usable(self.token):
            return self.token
        raise copy(error)  # a copy for each: the caller adds the effect of its own request

    def _is_fresh(self, token: Token) -> bool:
        return token.seconds is None or token.seconds - self._age() > min(_EARLY_SECONDS, token.seconds / 2)

    def _is_usable(self, token: Token) -> bool:
        return token.seconds is None or token.seconds - self._age() > min(_USABLE_SECONDS, token.seconds / 4)

    def _age(self) -> float:
        # By both clocks: one stops while a laptop sleeps, and people set the other one.
        return max(self._clock.monotonic() - self._asked[0], self._clock.time() - self._asked[1])


class Tokens:
    """The tokens of this process while something signs in with them, and the most recent ones.

    Attributes:
        clock: The time.
    """

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()
        self._held: WeakValueDictionary[Any, Held] = WeakValueDictionary()
        self._last: deque[Held] = deque(maxlen=_KEPT)

    def of(self, way: Any) -> Held:
        """Return the token of a way to sign in; a forked process starts without any.

        Args:
            way: The identity of the way to sign in.
        """
        held = self._held.get(way)
        if held is None or held.pid != os.getpid():
            held = self._held[way] = Held(self.clock)
            self._last.append(held)
        return held


class FetchingAuth(httpx.Auth):
    """Sign with a token that must be fetched. Subclasses are frozen dataclasses; equal ones share their token.

    Attributes:
        advice: What to check if Databricks refuses a token that was just fetched.
    """

    advice = "The token is new: check that the workspace knows this identity, as a user or a service principal."

    @abstractmethod
    async def afetch(self) -> Token:
        """Fetch a token.

        Raises:
            SignInFailed: The issuer refused, or something that is needed is missing.
            SignInUnavailable: The issuer did not answer, or answered without a token.
        """

    @abstractmethod
    def own_secrets(self) -> Sequence[str]:
        """Return the secrets used to sign in."""

    async def atoken(self) -> Token:
        """Return a token that Databricks accepts; fetch one if needed."""
        return await self._held().get(self.afetch)

    def token(self) -> Token:
        """Return a token that Databricks accepts; fetch one if needed. For sync code."""
        return portal.call(self.atoken)

    def ends_at(self) -> float | None:
        """Return when the current token expires, in seconds since 1970; None if that is not known."""
        return self._held().ends_at()

    def forget(self, token: Token) -> None:
        """Fetch another token next time, because this one was refused."""
        self._held().forget(token)

    def secrets(self) -> Sequence[str]:
        """Return the secrets used to sign in, and those of the token."""
        token = self._held().token
        return (*self.own_secrets(), *(token.secrets() if token else ()))

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign a request; sign once more with another token if this one is refused."""
        for is_last in (False, True):
            token = self.token()
            response = yield next(token.auth_flow(request))
            hide_redirect_in_pickles(response)
            if is_last or not _may_refuse(response):
                return
            response.read()
            if not refuses_token(response):
                return
            self.forget(token)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign a request; sign once more with another token if this one is refused."""
        for is_last in (False, True):
            token = await self.atoken()
            response = yield next(token.auth_flow(request))
            hide_redirect_in_pickles(response)
            if is_last or not _may_refuse(response):
                return
            await response.aread()
            if not refuses_token(response):
                return
            self.forget(token)

    def _held(self) -> Held:
        held: Held | None = vars(self).get("_token")
        if held is None or held.pid != os.getpid():
            held = of_process(Tokens).of((type(self), *self._values()))
            object.__setattr__(self, "_token", held)
        return held

    def _values(self) -> tuple[Any, ...]:
        own: Any = self
        return tuple(getattr(self, each.name) for each in fields(own) if each.compare)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the token."""
        return {name: value for name, value in vars(self).items() if name != "_token"}


def _may_refuse(response: httpx.Response) -> bool:
    return response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
