"""The address that a client used, which is not always the one that the workspace has."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_ABSOLUTE_FORM = re.compile(rb"(https?)://(?:[^/@]*@)?([^/@]*)(.*)", re.IGNORECASE | re.DOTALL)


class OriginForm:
    """A wrapper in which an application sees each request as if its target was the path alone.

    A client that uses the workspace as an HTTP proxy sends `POST http://anything.local/api/… HTTP/1.1`. That is how a
    client without a way to name the port can be brought here, with `HTTP_PROXY`.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        match = _ABSOLUTE_FORM.fullmatch(scope.get("raw_path") or b"")
        await self._app({**scope, **_origin_form(scope, match)} if match else scope, receive, send)


def _origin_form(scope: Scope, match: re.Match[bytes]) -> Scope:
    """Return the changes to the scope; the target's host replaces the header, as HTTP demands."""
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
        request: the client's request.
        otherwise: the answer when the request does not tell.
    """
    host = request.headers.get("host")
    return f"{request.scope['scheme']}://{host}" if host else otherwise
