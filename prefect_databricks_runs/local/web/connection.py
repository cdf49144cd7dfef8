"""The connection of one client. Faults cut it, and wait for its end."""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

# SO_LINGER on, with no time: close() then sends a reset, and drops the data that was not sent yet.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_KEY = "connection"


class Connection(H11Protocol):
    """The HTTP/1.1 protocol of uvicorn, which an application can find with `connection_of`."""

    lost: asyncio.Event

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make the event `lost`, and pass the connection to the application. asyncio calls it for each client."""
        super().connection_made(transport)
        self.lost = asyncio.Event()
        # uvicorn copies it into the scope of each request.
        self.app_state = {**self.app_state, _KEY: self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Mark the connection as lost. asyncio calls it when the connection has closed."""
        super().connection_lost(exc)
        self.lost.set()

    def shutdown(self) -> None:
        """Close the connection, after its active request if it has one. The server calls it when it begins to stop."""
        super().shutdown()
        # Without this, TLS waits until the client closes the connection too, and an idle client does not.
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.transport.abort()

    def leave_out_date(self) -> None:
        """Do not add a `Date` to the answer to this request, which has one."""
        self.cycle.default_headers = [each for each in self.cycle.default_headers if each[0] != b"date"]

    async def close(self) -> None:
        """Close the connection when everything is sent; return when it has closed."""
        self.transport.close()
        await self.lost.wait()

    async def reset(self) -> None:
        """Break the connection with a TCP reset; return when it has closed."""
        if not self.lost.is_set():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()
        await self.lost.wait()


def connection_of(scope: Scope) -> Connection:
    """Return the connection of a request."""
    connection = scope["state"][_KEY]
    assert isinstance(connection, Connection)  # noqa: S101 - nothing else sets it
    return connection
