"""The HTTP side of `identities`: what was asked, and a handler that hands it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request to a party: its form, or where it has none its query."""

    party: str
    method: str
    path: str
    fields: dict[str, str] = field(repr=False)


@dataclass
class Failure:
    """What the next `times` answers of a party are; without a status the connection ends without an answer."""

    status: int | None
    times: int
    body: bytes | None


Answer = Callable[[Asked, Mapping[str, str]], tuple[int | None, bytes]]


def handler(party_of: Callable[[str, str], str], answer: Answer) -> type[BaseHTTPRequestHandler]:
    """Return what serves: `party_of` names the party by method and path, `answer` returns status and body."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            url = urlsplit(self.path)
            fields = dict(parse_qsl(body or url.query))
            asked = Asked(party_of(self.command, url.path), self.command, url.path, fields)
            status, content = answer(asked, self.headers)
            if status is None:
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
