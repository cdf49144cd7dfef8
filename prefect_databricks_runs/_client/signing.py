"""The common parts of every way to sign in: signing headers that are never pickled, and secrets to hide."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import httpx

_SECRET = frozenset({b"authorization", b"x-databricks-azure-sp-management-token", b"x-databricks-gcp-sa-access-token"})
_SIGNED_FOR = "prefect_databricks_runs.signed_for"  # the extension of a request that holds the host it was signed for


class SignedHeaders(httpx.Headers):
    """Request headers that are pickled without the signing headers. Errors of httpx keep their request."""

    def __reduce__(self) -> tuple[type[httpx.Headers], tuple[list[tuple[bytes, bytes]]]]:
        """Pickle as plain headers, without the secret ones."""
        return httpx.Headers, ([each for each in self.raw if each[0].lower() not in _SECRET],)

    def __deepcopy__(self, _memo: object) -> SignedHeaders:
        """Copy all headers: code that copies a request in this process wants to send it."""
        return SignedHeaders(self)

    def __copy__(self) -> SignedHeaders:
        """Copy all headers."""
        return SignedHeaders(self)


def hide_in_pickles(request: httpx.Request) -> None:
    """Keep the signing headers out of pickles of a request; an event hook of clients, for redirects too."""
    signed_for = request.extensions.get(_SIGNED_FOR)
    if signed_for and signed_for != _origin(request.url):
        # A redirect to another host. httpx itself removes only `Authorization`.
        for name in _SECRET - {b"authorization"}:
            request.headers.pop(name.decode(), None)
    request.headers = SignedHeaders(request.headers)


async def ahide_in_pickles(request: httpx.Request) -> None:
    """Do the same as `hide_in_pickles`, as an event hook of async clients."""
    hide_in_pickles(request)


def signed(request: httpx.Request, headers: Mapping[str, str]) -> Generator[httpx.Request, httpx.Response, None]:
    """Send a request with its signing headers, and keep them out of every pickle."""
    request.headers.update(headers)
    request.extensions[_SIGNED_FOR] = _origin(request.url)
    hide_in_pickles(request)
    hide_redirect_in_pickles((yield request))


def hide_redirect_in_pickles(response: httpx.Response) -> None:
    """Keep the signing headers out of pickles of the redirect that an answer leads to, if it was not followed."""
    if response.next_request:
        hide_in_pickles(response.next_request)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@runtime_checkable
class KnowsItsSecrets(Protocol):
    """A way to sign in that reports its secrets, so that they can be removed from answers of Databricks."""

    def secrets(self) -> Sequence[str]:
        """Return every current secret, and everything sent that holds a secret in another form."""
        ...


def secrets_of(auth: httpx.Auth) -> Sequence[str]:
    """Return the current secrets of a way to sign in; none if it does not report them."""
    return tuple(auth.secrets()) if isinstance(auth, KnowsItsSecrets) else ()
