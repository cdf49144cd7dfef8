"""Fetch tokens over HTTP: from Databricks, Microsoft Entra ID, or the metadata service of a machine."""

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
_SAID_IN = ("error_description", "message", "errorSummary")  # of OAuth, Azure, and the accounts of Databricks
_PASSING = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS})


class HttpAuth(FetchingAuth):
    """Fetch a token by HTTP requests, one after the other."""

    async def ask(
        self, method: str, url: str, *, advice: str, hide: tuple[str, ...] = (), direct: bool = False, **request: Any
    ) -> dict[str, Any]:
        """Return the JSON object that a token issuer answers, after up to three attempts.

        Args:
            method: `GET` or `POST`.
            url: The address.
            advice: What to check if the issuer refuses.
            hide: Secrets in the request, in addition to those of this way to sign in.
            direct: Whether to bypass any proxy.
            **request: More parameters of `httpx.AsyncClient.build_request`.

        Raises:
            SignInFailed: The issuer refused.
            SignInUnavailable: The issuer did not answer, or not like a token issuer.
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
    """A token issuer at one address, and its errors.

    Args:
        method: HTTP method of the request.
        url: The address; only its host and path are shown.
        advice: What to check if the issuer refuses.
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
            raise self._unavailable(f"no complete answer within {_TRY_SECONDS:g} s") from None
        except httpx.HTTPError as error:
            secrets.removed_from_error(error)
            raise self._unavailable(connection_reason(error, _TRY_SECONDS)) from None
        except Exception as error:  # `Location: javascript:1` is an InvalidURL, although no redirect is followed
            raise self._unavailable(f"the request or its answer is unreadable ({type(error).__name__})") from None

    def read(self, response: httpx.Response) -> dict[str, Any]:
        """Return the JSON object of a successful answer."""
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
        # The message of a successful answer may be a token, in another form than the requested one.
        is_page = "html" in response.headers.get("content-type", "")
        is_hidden = response.is_success and not is_page
        words = "not a JSON object" if is_hidden else f"{code} {said}".strip() or description(response)
        raise self._unavailable(f"it answered {status}: {words}", asked)

    def _unavailable(self, reason: str, retry_after: float | None = None) -> SignInUnavailable:
        return SignInUnavailable(reason, host=self._host, method=self._method, path=self._path, retry_after=retry_after)


def address(text: str, source: str, **query: str) -> str:
    """Return an address that is set where the flow runs.

    Args:
        text: The value.
        source: The name of its source, for the message.
        **query: Parameters to add.

    Raises:
        SignInFailed: The value is not an address.
    """
    url: httpx.URL | None = None
    with suppress(httpx.InvalidURL):
        url = httpx.URL(text)
    if url is None or url.scheme not in ("http", "https") or not url.host:
        raise not_here("it is not a valid address", source)
    return str(url.copy_merge_params(query) if query else url)


def text_in(answer: Mapping[str, Any], key: str, source: str) -> str:
    """Return a string that an answer must have.

    Args:
        answer: The JSON object.
        key: Its key.
        source: The issuer, for the message.

    Raises:
        SignInFailed: The key is missing, or is not a string.
    """
    value = answer.get(key)
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    raise SignInFailed(f"its answer has no `{key}`", source=source, advice="Check what answers at that address.")


def bearer(answer: Mapping[str, Any], source: str, **more: str) -> Token:
    """Return the token in an answer, valid for as long as the answer says.

    Args:
        answer: The JSON object, with `access_token`, and `expires_in` (seconds) or `expires_on` (seconds since 1970).
        source: The issuer, for the message.
        **more: More headers to send with the token.

    Raises:
        SignInFailed: The answer has no token.
    """
    token = text_in(answer, "access_token", source)
    seconds = as_number(answer.get("expires_in"))  # a string in the first version of Entra and in Azure's metadata
    if seconds is None and (end := as_number(answer.get("expires_on"))) is not None:
        seconds = end - of_process(Tokens).clock.time()
    return Token({"Authorization": f"Bearer {token}", **more}, seconds)
