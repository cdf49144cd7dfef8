"""The address by which a client reached the workspace, which may differ from the workspace's own address."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_ABSOLUTE_FORM = re.compile(rb"(https?)://(?:[^/@]*@)?([^/@]*)(.*)", re.IGNORECASE | re.DOTALL)


class OriginForm:
    """A wrapper that shows each request to an application as if its target were only a path.

    A client that uses the workspace as an HTTP proxy sends `POST http://anything.local/api/… HTTP/1.1`. With
    `HTTP_PROXY`, you can direct a client here that cannot name a port.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        match = _ABSOLUTE_FORM.fullmatch(scope.get("raw_path") or b"")
        await self._app({**scope, **_origin_form(scope, match)} if match else scope, receive, send)


def _origin_form(scope: Scope, match: re.Match[bytes]) -> Scope:
    """Return the changes to the scope. The target's host replaces the header, as HTTP requires."""
    scheme, host, path = match.groups()
    path = path or b"/"
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {
        "scheme": scheme.decode("ascii").lower(),
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "headers": [(b"host", host), *headers],
    }


def address(request: Request, otherwise: str) -> str:
    """Return the address by which the client reached the workspace, such as `http://127.0.0.1:8765`.

    Args:
        request: The client's request.
        otherwise: The address to return for a request without a `Host` header.
    """
    host = request.headers.get("host")
    return f"{request.scope['scheme']}://{host}" if host else otherwise
