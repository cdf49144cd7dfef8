"""Stands between flows and a real Prefect server: counts what they ask, and fails as a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from tests.support.connections import SHORTLY

T = TypeVar("T")

_CALL_SECONDS = 60
_NOT_PASSED_ON = ("connection", "content-encoding", "content-length", "transfer-encoding", "host")
_DATA_OPCODES = (1, 2)


@dataclass(frozen=True)
class Call:
    """One request, and what it was answered: None when it was not."""

    method: str
    path: str
    status: int | None


@dataclass
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    head: bytes
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True)
class Trouble:
    """What goes wrong: it is slow, answers an error instead of asking the server, or asks it and loses the answer."""

    delay: float = 0.0
    status: int | None = None
    loses_answers: bool = False
    of: str = ""

    def meets(self, request: Request) -> bool:
        return self.of in request.target


@dataclass
class PrefectProxy:
    """An HTTP proxy for one Prefect server, on a port of its own; a context manager."""

    server_api_url: str
    calls: list[Call] = field(default_factory=list)
    websocket_messages: int = 0

    def __enter__(self) -> PrefectProxy:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server_url = urlsplit(self.server_api_url)
        self._connections: set[asyncio.StreamWriter] = set()
        self._trouble = Trouble()
        self._port = 0
        self._do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def api_url(self) -> str:
        """What `PREFECT_API_URL` has to be to come by here."""
        return f"http://127.0.0.1:{self._port}{self._server_url.path}"

    def slow(self, seconds: float) -> None:
        """From now on each answer takes so long."""
        self._do(self._set(Trouble(delay=seconds)))

    def answer(self, status: int) -> None:
        """From now on answer this, and ask the server nothing."""
        self._do(self._set(Trouble(status=status)))

    def lose_answers(self, of: str = "") -> None:
        """From now on the server does what it is asked, and the connection breaks before the answer.

        With `of`, that happens only to requests that have this in their path.
        """
        self._do(self._set(Trouble(loses_answers=True, of=of)))

    def refuse(self) -> None:
        """From now on nothing listens here, and what was connected is not any more."""
        self._do(self._stop_listening())

    def heal(self) -> None:
        """From now on all is well; what waits is answered."""
        self._do(self._set(Trouble()))

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_SECONDS)

    async def _open(self) -> None:
        self._upstream = httpx.AsyncClient(timeout=_CALL_SECONDS, limits=SHORTLY)
        self._over = asyncio.Event()
        await self._listen()

    async def _close(self) -> None:
        await self._stop_listening()
        self._over.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._upstream.aclose()

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        self._listener.close()
        for writer in self._connections:
            writer.transport.abort()

    async def _set(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._over.set()
        self._over = asyncio.Event()
        if not self._listener.is_serving():
            await self._listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while True:
                request = await _read(reader)
                if request.header("upgrade").lower() == "websocket" and not self._trouble.status:
                    await self._pipe(request, reader, writer)
                    return
                await self._answer(request, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # one of the two sides has left, or we do
        finally:
            self._connections.discard(writer)
            writer.transport.abort()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        trouble = self._trouble if self._trouble.meets(request) else Trouble()
        if trouble.delay:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._over.wait(), trouble.delay)
        if trouble.status:
            response = httpx.Response(trouble.status, json={"detail": "The proxy was told so."})
        else:
            response = await self._ask(request)
        answered = None if trouble.loses_answers else response.status_code
        self.calls.append(Call(request.method, urlsplit(request.target).path, answered))
        if trouble.loses_answers:
            raise ConnectionResetError
        writer.write(_bytes(response))
        await writer.drain()

    async def _ask(self, request: Request) -> httpx.Response:
        url = f"{self._server_url.scheme}://{self._server_url.netloc}{request.target}"
        headers = [(key, value) for key, value in request.headers if key not in _NOT_PASSED_ON]
        return await self._upstream.request(request.method, url, headers=headers, content=request.body)

    async def _pipe(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a websocket through as it is, and count what the client sends."""
        address = self._server_url.hostname, self._server_url.port
        server_reader, server_writer = await asyncio.open_connection(*address)
        self._connections.add(server_writer)
        server_writer.write(request.head)
        back = asyncio.ensure_future(_copy(server_reader, writer))
        try:
            await self._count_messages(reader, server_writer)
        finally:
            back.cancel()
            self._connections.discard(server_writer)
            server_writer.transport.abort()

    async def _count_messages(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(2)
            extended = await reader.readexactly({126: 2, 127: 8}.get(head[1] & 0x7F, 0))
            length = int.from_bytes(extended, "big") if extended else head[1] & 0x7F
            masked = await reader.readexactly(length + 4)  # what a client sends is always masked
            self.websocket_messages += (head[0] & 0x0F) in _DATA_OPCODES
            writer.write(head + extended + masked)
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    parts = [line.partition(":") for line in lines]
    request = Request(method, target, [(name.lower(), value.strip()) for name, _, value in parts], head)
    request.body = await reader.readexactly(int(request.header("content-length") or 0))
    return request


def _bytes(response: httpx.Response) -> bytes:
    headers = [(key, value) for key, value in response.headers.items() if key not in _NOT_PASSED_ON]
    has_no_body = response.status_code in (204, 304)
    headers += [] if has_no_body else [("content-length", str(len(response.content)))]
    lines = [
        f"HTTP/1.1 {response.status_code} {response.reason_phrase}",
        *(f"{key}: {value}" for key, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.content


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()
