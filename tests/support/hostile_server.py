"""A server that answers what no client should have to read: without end, too much, or a little at a time."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.support.answers import RUN_ID

MB = 1024**2
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def dripped_body() -> Iterator[bytes]:
    yield HEAD + b"Content-Length: 100000\r\n\r\n"
    while True:
        yield b" "


def dripped_headers() -> Iterator[bytes]:
    yield HEAD
    while True:
        yield b"X-More: x\r\n"


def endless_1xx() -> Iterator[bytes]:
    while True:
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n"


@contextmanager
def served(parts: Callable[[], Iterator[bytes]], pause: float) -> Iterator[str]:
    """A server that sends parts of an answer, with a pause after each, for as long as somebody listens."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                with suppress(OSError):
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        client.recv(65536)
                        for part in parts():
                            client.sendall(part)
                            if stop.wait(pause):
                                return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def huge_body() -> Iterator[bytes]:
    yield HEAD + b"Content-Length: %d\r\n\r\n" % (500 * MB)
    yield from itertools.repeat(b" " * MB, 500)


def endless_body() -> Iterator[bytes]:
    yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"100000\r\n" + b" " * MB + b"\r\n"


def _encoded(encoding: bytes, content: bytes) -> bytes:
    return HEAD + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (encoding, len(content), content)


def _bomb() -> bytes:
    """Two megabytes that are two gigabytes: what follows a full flush can be repeated."""
    packer = zlib.compressobj(9, wbits=31)
    first, again = (packer.compress(b" " * 16 * MB) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 127


def gzip_bomb() -> Iterator[bytes]:
    yield _encoded(b"gzip", _bomb())


def gzip_bomb_in_gzip() -> Iterator[bytes]:
    """Some kilobytes that are two gigabytes, which would be decoded at once."""
    yield _encoded(b"gzip, gzip", gzip.compress(_bomb()))


def _pages(size: int) -> Callable[[], Iterator[bytes]]:
    numbers = itertools.count()

    def page() -> Iterator[bytes]:
        fields = b'{"run_id": %d, "next_page_token": "p%d", "state": {"life_cycle_state": "RUNNING"}, "run_name": "'
        body = fields % (RUN_ID, next(numbers)) + b"x" * size + b'"}'
        yield HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    return page


endless_pages, endless_large_pages = _pages(10), _pages(8 * MB)


def _many(unit: bytes, count: int) -> Iterator[bytes]:
    body = b'{"run_id": %d, "x": [' % RUN_ID + unit * count + b"0]}"
    yield _encoded(b"gzip", gzip.compress(body, 1))


def many_lists() -> Iterator[bytes]:
    """Few bytes on the wire, 60 MB decoded, and more than a gigabyte as objects of Python."""
    return _many(b"[],", 20 * MB)


def most_objects() -> Iterator[bytes]:
    """As many objects as an answer may have."""
    return _many(b'{"a":"%s"},' % (b"x" * 40), 999_000)


def most_numbers() -> Iterator[bytes]:
    return _many(b"0,", 30 * MB)
