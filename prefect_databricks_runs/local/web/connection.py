"""One client's connection, as faults need it: they cut it, and wait for its end."""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

# On, with no time to linger: close() then sends a reset, and nothing of what was still to be sent.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_KEY = "connection"


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, which an application can get hold of: see `connection_of`."""

    lost: asyncio.Event

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the connection's end to wait for, and show it to the application. asyncio calls it for each client."""
        super().connection_made(transport)
        self.lost = asyncio.Event()
        # What uvicorn copies into the scope of each request.
        self.app_state = {**self.app_state, _KEY: self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Mark the connection as lost. asyncio calls it when the connection is gone."""
        super().connection_lost(exc)
        self.lost.set()

    def shutdown(self) -> None:
        """Close the connection, or let its request end first. The server calls it when it begins to stop."""
        super().shutdown()
        # By its own, TLS would wait until the client says goodbye too, and an idle client does not listen.
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.transport.abort()

    def leave_out_date(self) -> None:
        """Leave the `Date` of the answer to this request to the application, which has one."""
        self.cycle.default_headers = [each for each in self.cycle.default_headers if each[0] != b"date"]

    async def close(self) -> None:
        """Close the connection when all that was written is sent; return when it is gone."""
        self.transport.close()
        await self.lost.wait()

    async def reset(self) -> None:
        """Break the connection off with a TCP reset; return when it is gone."""
        if not self.lost.is_set():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()
        await self.lost.wait()


def connection_of(scope: Scope) -> Connection:
    """Return the connection on which a request came."""
    connection = scope["state"][_KEY]
    assert isinstance(connection, Connection)  # noqa: S101 - nothing else sets it
    return connection
