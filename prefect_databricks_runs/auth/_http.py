"""Tokens that are fetched over HTTP: from Databricks, Microsoft Entra ID, or the metadata service of a machine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio
import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from .._client.answers import description, json_of, retry_after_seconds
from .._client.bodies import UnusableBody, whole
from .._client.http import client_options, new_client
from .._client.retries import connection_reason
from .._client.secrets import Secrets
from .._client.tokens import FetchingAuth, Token, Tokens
from .._client.wire_logs import WireLogs
from .._fields import as_number, as_text
from .._runtime import of_process
from ..errors import SignInFailed, SignInUnavailable
from ._files import not_here

_TRY_SECONDS = 10.0
_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.5
_SAID_IN = ("error_description", "message", "errorSummary")  # of OAuth, of Azure, of the accounts of Databricks
_PASSING = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


class HttpAuth(FetchingAuth):
    """Fetches its token by HTTP requests, one after the other."""

    async def ask(
        self, method: str, url: str, *, advice: str, hide: tuple[str, ...] = (), direct: bool = False, **request: Any
    ) -> dict[str, Any]:
        """Return the JSON object that an issuer of tokens answers; it is asked up to three times.

        Args:
            method: `GET` or `POST`.
            url: Where to.
            advice: What the user can check if it refuses.
            hide: Secrets that are sent, other than those of this way to sign in.
            direct: Whether no proxy may stand in between.
            **request: The rest, as `httpx.AsyncClient.build_request` takes it.

        Raises:
            SignInFailed: It refused.
            SignInUnavailable: It did not answer, or not as an issuer of tokens does.
        """
        secrets = Secrets()
        secrets.learn(self)
        secrets.know(hide)
        of_process(WireLogs).look_for(secrets)
        issuer = Issuer(method, httpx.URL(url), advice)
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_exponential(multiplier=_FIRST_PAUSE_SECONDS),
            retry=retry_if_exception_type(SignInUnavailable),
            sleep=of_process(Tokens).clock.sleep,
            reraise=True,
        ):
            with attempt:
                return issuer.read(await issuer.answer(secrets, direct, url, request))
        raise AssertionError("unreachable: the last attempt returns or raises")


class Issuer:
    """Whoever issues tokens at one address, and the errors that it gives.

    Args:
        method: HTTP method of the request.
        url: Where to; only its host and path are shown.
        advice: What the user can check if it refuses.
    """

    def __init__(self, method: str, url: httpx.URL, advice: str) -> None:
        self._method, self._path, self._advice = method, url.path, advice
        self._host = f"{url.scheme}://{url.netloc.decode()}"

    async def answer(self, secrets: Secrets, direct: bool, url: str, request: Mapping[str, Any]) -> httpx.Response:
        """Send a request, and return its whole answer without the secrets."""
        options = client_options(self._host, _TRY_SECONDS)
        if direct:
            options["trust_env"] = False
        try:
            async with new_client(httpx.AsyncClient, **options) as client:
                with anyio.fail_after(_TRY_SECONDS):
                    sent = client.build_request(self._method, url, **request)
                    return secrets.removed_from_answer(await whole(await client.send(sent, stream=True)))
        except UnusableBody as error:
            raise self._unavailable(str(error)) from None
        except TimeoutError:
            raise self._unavailable(f"nothing came within {_TRY_SECONDS:g} s, or not all of it") from None
        except httpx.HTTPError as error:
            secrets.removed_from_error(error)
            raise self._unavailable(connection_reason(error, _TRY_SECONDS)) from None
        except Exception as error:  # `Location: javascript:1` is an InvalidURL, although no redirect is followed
            raise self._unavailable(f"something that cannot be sent or read ({type(error).__name__})") from None

    def read(self, response: httpx.Response) -> dict[str, Any]:
        """Return the JSON object of a good answer."""
        status, body = response.status_code, json_of(response)
        fields = body if isinstance(body, dict) else {}
        if response.is_success and fields:
            return fields
        said = next(filter(None, (as_text(fields.get(name)) for name in _SAID_IN)), "").split("\r\n")[0]
        code = next(filter(None, (as_text(fields.get(name)) for name in ("error", "errorCode", "error_code"))), "")
        if (
            httpx.codes.BAD_REQUEST <= status < httpx.codes.INTERNAL_SERVER_ERROR
            and status not in _PASSING
            and (fields or status in (httpx.codes.UNAUTHORIZED, httpx.codes.NOT_FOUND))
        ):
            source = f"{self._host}{self._path}"
            reason = said or f"it answered {status}"
            raise SignInFailed(reason, source=source, advice=self._advice, status_code=status, error_code=code)
        asked = retry_after_seconds(response.headers.get("retry-after"), of_process(Tokens).clock.time())
        # What a good answer says may be a token, in another form than the one that was asked for.
        is_page = "html" in response.headers.get("content-type", "")
        is_hidden = response.is_success and not is_page
        words = "no JSON object" if is_hidden else f"{code} {said}".strip() or description(response)
        raise self._unavailable(f"it answered {status}: {words}", asked)

    def _unavailable(self, reason: str, retry_after: float | None = None) -> SignInUnavailable:
        return SignInUnavailable(reason, host=self._host, method=self._method, path=self._path, retry_after=retry_after)


def address(text: str, source: str, **query: str) -> str:
    """Return an address that is read where the flow runs.

    Args:
        text: What is set there.
        source: What it is, for the message.
        **query: What is added to it.

    Raises:
        SignInFailed: It is none.
    """
    url: httpx.URL | None = None
    with suppress(httpx.InvalidURL):
        url = httpx.URL(text)
    if url is None or url.scheme not in ("http", "https") or not url.host:
        raise not_here("it is not an address", source)
    return str(url.copy_merge_params(query) if query else url)


def text_in(answer: Mapping[str, Any], key: str, source: str) -> str:
    """Return a text that an answer must have.

    Args:
        answer: The JSON object.
        key: Where in it.
        source: Who gave it, for the message.

    Raises:
        SignInFailed: It is missing, or not text.
    """
    value = answer.get(key)
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    raise SignInFailed(f"its answer has no `{key}`", source=source, advice="Check what answers at that address.")


def bearer(answer: Mapping[str, Any], source: str, **more: str) -> Token:
    """Return the token that an answer has, which is good for as long as the answer says.

    Args:
        answer: The JSON object, with `access_token`, and `expires_in` (seconds) or `expires_on` (seconds since 1970).
        source: Who gave it, for the message.
        **more: Headers that go with it.

    Raises:
        SignInFailed: It has none.
    """
    token = text_in(answer, "access_token", source)
    seconds = as_number(answer.get("expires_in"))  # Entra's first version, and Azure's metadata, give text
    if seconds is None and (end := as_number(answer.get("expires_on"))) is not None:
        seconds = end - of_process(Tokens).clock.time()
    return Token({"Authorization": f"Bearer {token}", **more}, seconds)
