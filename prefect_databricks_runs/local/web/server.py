"""A web server in its own thread, with its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path
from typing import TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from .connection import Connection

T = TypeVar("T")

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
# The time that active requests have to end.
STOP_SECONDS = 1
CALL_SECONDS = 10.0
_DATE_SECONDS = 1.0
_LOOK_SECONDS = 0.002
# Longer than clients keep a connection without requests: 5 s in httpx, as uvicorn would. A request that is sent just
# when the server closes its connection gets no answer.
_IDLE_SECONDS = 120


class ServerThread:
    """A thread that serves an application on loopback until it is stopped.

    Args:
        port: The port; 0 = any free one.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, port: int) -> None:
        # asyncio turns Nagle's algorithm off only for an explicit TCP socket; with it, each answer would take 40 ms.
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
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(
        self,
        make_app: Callable[[], ASGIApp],
        close: Callable[[], Awaitable[None]],
        certificate: Path | None = None,
    ) -> None:
        """Start the server; return when requests are answered.

        Args:
            make_app: Called in the event loop; returns the application.
            close: Awaited in the event loop after the last request.
            certificate: A file with the server's key and certificate, for https; None = http.

        Raises:
            RuntimeError: The server did not start.
        """
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(make_app, close, certificate)), name="local-workspace", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._error:
            self.stop()
            raise RuntimeError(f"The local workspace did not start on port {self.port}") from self._error

    def stop(self) -> None:
        """Stop the server; return when the thread has ended and the socket is closed."""
        if self._stop and self._loop:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread:
            self._thread.join()
        self._socket.close()

    def call(self, function: Callable[[], T]) -> T:
        """Call `function` in the event loop, or in this thread once the loop has stopped, and return its result.

        Raises:
            TimeoutError: The event loop did not call it within 10 seconds.
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
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            config = uvicorn.Config(
                make_app(),
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_IDLE_SECONDS,
                ssl_certfile=certificate,
            )
            config.load()
            try:
                await self._answer(config, self._stop)
            finally:
                await close()
        except BaseException as error:
            self._error = error
            logger.exception("The server of the local workspace failed")
        finally:
            self._ready.set()

    async def _answer(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        """Answer requests until `stop` is set, and then end the active requests.

        It uses the protocol of uvicorn, but not `uvicorn.Server`, which checks only every tenth of a second whether to
        stop, and then waits another tenth. Tests start and stop many servers.
        """
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(config, state, {}), sock=self._socket, ssl=config.ssl, backlog=config.backlog
        )
        try:
            while not stop.is_set():
                state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
                self._ready.set()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(stop.wait(), _DATE_SECONDS)
        finally:
            server.close()
            await _end(state)


async def _end(state: ServerState) -> None:
    """Wait one second for active requests to end, and then cancel them."""
    for connection in list(state.connections):
        connection.shutdown()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STOP_SECONDS
    while (state.connections or state.tasks) and loop.time() < deadline:  # noqa: ASYNC110, uvicorn has no event for it
        await asyncio.sleep(_LOOK_SECONDS)
    for task in state.tasks:
        task.cancel()
