"""Connections and accepted credentials, shared by the sessions of one event loop."""

from __future__ import annotations

from collections import deque
from http.cookiejar import CookieJar
from typing import Any
from weakref import WeakValueDictionary

import httpx

from .http import CONNECT_SECONDS, client_options, new_client

STATUS = "prefect_databricks_runs.status"  # the extension of a request that holds the status of its answer
_FLOW_RUNS = 100


class _NoCookies(CookieJar):
    """Keep no cookie: requests sign in differently, so an answer to one must not leave a cookie for another.

    Do not read cookies either: Python's jar warns of a cookie that it cannot read, and prints the whole cookie.
    """

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep nothing."""


async def _note_status(response: httpx.Response) -> None:
    """Note in a request that its answer has begun, before httpx looks at the answer."""
    response.request.extensions[STATUS] = response.status_code


class Access:
    """One way to sign in to one workspace.

    Attributes:
        was_let_in: Whether the workspace has accepted it before. If so, a refusal may pass.
        said_in: The last flow runs whose logs already say that it is new.
    """

    def __init__(self) -> None:
        self.was_let_in = False
        self.said_in: deque[str] = deque(maxlen=_FLOW_RUNS)


class Connections:
    """The clients of one event loop: one for each workspace, shared by all credentials."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        # Kept while a session uses it. The last one of each workspace stays: a wait may continue in a new session.
        self._accesses: WeakValueDictionary[tuple[str, httpx.Auth], Access] = WeakValueDictionary()
        self._last: dict[str, Access] = {}

    def client(self, host: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
        """Return the client for a workspace, without a way to sign in.

        Args:
            host: The workspace's address.
            transport: Where its requests go instead of the network; the transport of the first call stays.
        """
        client = self._clients.get(host)
        if client is None:
            options = client_options(host, CONNECT_SECONDS)
            options |= {"transport": transport, "cookies": _NoCookies(), "event_hooks": {"response": [_note_status]}}
            client = new_client(httpx.AsyncClient, **options)
            self._clients[host] = client
        return client

    def access(self, host: str, auth: httpx.Auth) -> Access:
        """Return the shared record of one way to sign in.

        Args:
            host: The workspace's address.
            auth: How to sign in.
        """
        access = self._accesses.get((host, auth))
        if access is None:
            access = self._accesses[host, auth] = Access()
        return access

    def let_in(self, host: str, access: Access) -> None:
        """Note that a workspace has accepted a way to sign in.

        Args:
            host: The workspace's address.
            access: The record of the way to sign in.
        """
        access.was_let_in = True
        self._last[host] = access

    async def aclose(self) -> None:
        """Close all clients. New ones are made when they are needed."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()
