"""A web server in a thread of its own, with its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import uvicorn
from starlette.types import ASGIApp

from .connection import Connection

T = TypeVar("T")

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
# How long requests that are under way are waited for.
STOP_SECONDS = 1
CALL_SECONDS = 10.0
_TICK_SECONDS = 1.0
_LOOK_SECONDS = 0.002


class ServerThread:
    """Serves an application on loopback until it is stopped.

    Args:
        port: the port; 0 = any free one.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int) -> None:
        # asyncio turns Nagle's algorithm off only where it sees that it is TCP; each answer would take 40 ms otherwise.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(
        self,
        make_app: Callable[[], ASGIApp],
        close: Callable[[], Awaitable[None]],
        certificate: Path | None = None,
    ) -> None:
        """Start to serve; return when requests are answered.

        Args:
            make_app: called in the event loop; returns the application.
            close: awaited in the event loop when no request is answered any more.
            certificate: a file with the server's key and certificate, for https; None = http.

        Raises:
            RuntimeError: the server did not start.
        """
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(make_app, close, certificate)), name="local-workspace", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._error:
            self.stop()
            raise RuntimeError(f"The local workspace did not start on port {self.port}") from self._error

    def stop(self) -> None:
        """Stop to serve; return when thread and socket are gone."""
        if self._server and self._loop:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._server.exit)
        if self._thread:
            self._thread.join()
        self._socket.close()

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns when called in the event loop; called right here once that has stopped.

        Raises:
            TimeoutError: the event loop did not get to it in 10 seconds.
        """
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            return function()

        async def called() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(CALL_SECONDS)

    async def _serve(
        self, make_app: Callable[[], ASGIApp], close: Callable[[], Awaitable[None]], certificate: Path | None
    ) -> None:
        try:
            self._loop = asyncio.get_running_loop()
            config = uvicorn.Config(
                make_app(),
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
                ssl_certfile=certificate,
            )
            self._server = _Server(config, self._ready)
            try:
                await self._server.serve([self._socket])
            finally:
                await close()
        except BaseException as error:
            self._error = error
            logger.exception("The server of the local workspace failed")
        finally:
            self._ready.set()


class _Server(uvicorn.Server):
    """A server that tells when it is ready, and stops when it is told to and not at its next tick."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready
        self._exit = asyncio.Event()

    def exit(self) -> None:
        """Lets it stop. Called in the event loop."""
        self.should_exit = True
        self._exit.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, without the tenths of a second that it always waits: tests start and stop many servers."""
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + STOP_SECONDS
        while (self.server_state.connections or self.server_state.tasks) and loop.time() < deadline:  # noqa: ASYNC110, uvicorn has no event for it
            await asyncio.sleep(_LOOK_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()

    async def main_loop(self) -> None:
        """Wait until it is to stop; every second, uvicorn renews the date in its answers."""
        while not await self.on_tick(0):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._exit.wait(), _TICK_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
