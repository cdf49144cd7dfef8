"""What the sessions of one event loop share: connections to workspaces, and who was let in."""

from __future__ import annotations

from collections import deque
from http.cookiejar import CookieJar
from typing import Any
from weakref import WeakValueDictionary

import httpx

from .http import CONNECT_SECONDS, client_options, new_client

STATUS = "prefect_databricks_runs.status"  # the extension of a request that has the status of its answer
_FLOW_RUNS = 100


class _NoCookies(CookieJar):
    """Keeps no cookie: requests sign in differently, so an answer to one must not leave a cookie for another.

    It does not read them either. Of a cookie that it cannot read, Python's jar warns, with all of the cookie.
    """

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep nothing."""


async def _note_status(response: httpx.Response) -> None:
    """Note in a request that it is being answered, before httpx looks at what the answer says."""
    response.request.extensions[STATUS] = response.status_code


class Access:
    """One way to sign in to one workspace.

    Attributes:
        was_let_in: Whether the workspace has let it in before: that it is refused now may pass.
        said_in: The flow runs in whose logs it was said that it is new, the last of them.
    """

    def __init__(self) -> None:
        self.was_let_in = False
        self.said_in: deque[str] = deque(maxlen=_FLOW_RUNS)


class Connections:
    """The clients of one event loop: one a workspace, whoever signs in, so that none is left behind by an old token."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        # As long as a session has it, and the last one of each workspace: who waits goes on where another has started.
        self._accesses: WeakValueDictionary[tuple[str, httpx.Auth], Access] = WeakValueDictionary()
        self._last: dict[str, Access] = {}

    def client(self, host: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
        """Return the client for a workspace, without a way to sign in.

        Args:
            host: The workspace's address.
            transport: Where its requests go instead of the network; that of the first call holds.
        """
        client = self._clients.get(host)
        if client is None:
            options = client_options(host, CONNECT_SECONDS)
            options |= {"transport": transport, "cookies": _NoCookies(), "event_hooks": {"response": [_note_status]}}
            client = new_client(httpx.AsyncClient, **options)
            self._clients[host] = client
        return client

    def access(self, host: str, auth: httpx.Auth) -> Access:
        """Return what is known of one way to sign in.

        Args:
            host: The workspace's address.
            auth: How to sign in.
        """
        access = self._accesses.get((host, auth))
        if access is None:
            access = self._accesses[host, auth] = Access()
        return access

    def let_in(self, host: str, access: Access) -> None:
        """Note that a workspace has let somebody in.

        Args:
            host: The workspace's address.
            access: How it was signed in.
        """
        access.was_let_in = True
        self._last[host] = access

    async def aclose(self) -> None:
        """Close all clients; they are made anew where they are needed again."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()
