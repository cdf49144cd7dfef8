"""What every way to sign in has in common: headers that sign a request and are never pickled, and secrets to hide."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import httpx

_SECRET = frozenset({b"authorization", b"x-databricks-azure-sp-management-token", b"x-databricks-gcp-sa-access-token"})
_SIGNED_FOR = "prefect_databricks_runs.signed_for"  # the extension of a request that has the host it was signed for


class SignedHeaders(httpx.Headers):
    """Headers of a request that are pickled without those that sign it: errors of httpx keep their request."""

    def __reduce__(self) -> tuple[type[httpx.Headers], tuple[list[tuple[bytes, bytes]]]]:
        """Pickle as plain headers, with all that is not secret."""
        return httpx.Headers, ([each for each in self.raw if each[0].lower() not in _SECRET],)

    def __deepcopy__(self, _memo: object) -> SignedHeaders:
        """Copy all of them: who copies a request in this process wants to send it."""
        return SignedHeaders(self)

    def __copy__(self) -> SignedHeaders:
        """Copy all of them."""
        return SignedHeaders(self)


def hide_in_pickles(request: httpx.Request) -> None:
    """Let a request be pickled without the headers that sign it; an event hook of clients, for redirects too."""
    signed_for = request.extensions.get(_SIGNED_FOR)
    if signed_for and signed_for != _origin(request.url):
        # A redirect to another host, of which httpx itself takes `Authorization` only.
        for name in _SECRET - {b"authorization"}:
            request.headers.pop(name.decode(), None)
    request.headers = SignedHeaders(request.headers)


async def ahide_in_pickles(request: httpx.Request) -> None:
    """Do as `hide_in_pickles` does, as an event hook of async clients."""
    hide_in_pickles(request)


def signed(request: httpx.Request, headers: Mapping[str, str]) -> Generator[httpx.Request, httpx.Response, None]:
    """Send a request with the headers that sign it, and let nothing that is kept of it be pickled with them."""
    request.headers.update(headers)
    request.extensions[_SIGNED_FOR] = _origin(request.url)
    hide_in_pickles(request)
    hide_redirect_in_pickles((yield request))


def hide_redirect_in_pickles(response: httpx.Response) -> None:
    """Let the request be pickled without what signs it that an answer leads to, where that was not followed."""
    if response.next_request:
        hide_in_pickles(response.next_request)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@runtime_checkable
class KnowsItsSecrets(Protocol):
    """A way to sign in that says what must not be shown of it, so that it is taken out of what Databricks answers."""

    def secrets(self) -> Sequence[str]:
        """Return every secret that it has now, and what it sends that holds one in another form."""
        ...


def secrets_of(auth: httpx.Auth) -> Sequence[str]:
    """Return the secrets that a way to sign in has now; none if it does not say."""
    return tuple(auth.secrets()) if isinstance(auth, KnowsItsSecrets) else ()
