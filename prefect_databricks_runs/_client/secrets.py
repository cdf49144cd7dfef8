"""Remove a session's secrets from answers: some error pages repeat a request with its headers."""

from __future__ import annotations

import base64
import html
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote

import httpx

from .bodies import text_of, with_body
from .signing import secrets_of

REMOVED = "***"
SHORTEST = 8  # a shorter one may be an ordinary word; removing it would garble other text
_KEPT = 4  # the newest ways to sign in: an answer may repeat a replaced token for a while
_ESCAPES = re.compile(r"(?:\\+u[0-9a-fA-F]{4})+")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


class Secrets:
    """The secrets of one session, in every form in which an answer may repeat them: plain, escaped, quoted, base64.

    Each answer is searched for every form. Only an answer with a secret has its JSON read and cleaned.
    """

    def __init__(self) -> None:
        self._known: deque[tuple[str, ...]] = deque(maxlen=_KEPT)
        self._plain: tuple[str, ...] = ()
        self._base64: tuple[str, ...] = ()

    def learn(self, auth: httpx.Auth) -> None:
        """Add the secrets that a way to sign in has now."""
        self._learn(secrets_of(auth))

    def know(self, secrets: Iterable[str]) -> None:
        """Add these secrets."""
        self._learn(secrets)

    def are_in(self, text: str) -> bool:
        """Return whether a string contains a secret."""
        return any(self._is_in(each) for each in _readings(text))

    def removed_from(self, text: str) -> str:
        """Return a string without the secrets."""
        for reading in _readings(text):
            if self._is_in(reading):
                return self.removed_from(self._replaced(reading))  # it is shorter now, so this ends
        return text

    def removed_from_json(self, value: Any) -> Any:
        """Return JSON without the secrets in its strings and keys."""
        if isinstance(value, str):
            return self.removed_from(value)
        if isinstance(value, list):
            return [self.removed_from_json(each) for each in value]
        if isinstance(value, dict):
            return {self.removed_from(key): self.removed_from_json(each) for key, each in value.items()}
        return value

    def removed_from_answer(self, response: httpx.Response) -> httpx.Response:
        """Return a fully read answer without the secrets in its headers and body."""
        self._learn_header(response)
        text = response.content.decode(json.detect_encoding(response.content), "replace")
        if response.charset_encoding and not self.are_in(text):
            text = text_of(response)
        if not (self.are_in(text) or any(map(self.are_in, response.headers.values()))):
            return response
        headers = httpx.Headers([(name, self.removed_from(value)) for name, value in response.headers.multi_items()])
        headers["Content-Type"] = headers.get("content-type", "").partition(";")[0]  # the body is UTF-8 now
        content = self._removed_from_body(text).encode("utf-8", "replace")
        return with_body(response, headers, content)

    def removed_from_error(self, error: BaseException) -> None:
        """Remove the secrets from the message of an exception, and from its causes and contexts."""
        each: BaseException | None = error
        while each is not None:
            if any(isinstance(value, (str, bytes)) and self.are_in(_text(value)) for value in each.args):
                each.args = tuple(
                    self.removed_from(_text(value)) if isinstance(value, (str, bytes)) else value for value in each.args
                )
                each.__traceback__ = None  # the variables of its frames hold what was read
            each = each.__cause__ or each.__context__

    def _removed_from_body(self, text: str) -> str:
        try:
            return json.dumps(self.removed_from_json(json.loads(text)))
        except (ValueError, RecursionError):
            return self.removed_from(text)

    def _learn(self, secrets: Iterable[str]) -> None:
        known = tuple(secrets)
        if known in self._known:
            return
        self._known.append(known)
        long = {each for every in self._known for each in every if len(each) >= SHORTEST}
        # The longest first, so that no part is left of a form that contains another.
        self._plain = tuple(sorted({form for each in long for form in _plain_forms(each)}, key=len, reverse=True))
        self._base64 = tuple({form for each in long for form in _base64_forms(each)})

    def _learn_header(self, response: httpx.Response) -> None:
        """Add the `Authorization` header that was sent: an `httpx.Auth` of the caller does not report its secrets."""
        try:
            value = response.request.headers.get("Authorization")
        except RuntimeError:  # an answer without a request, from a test
            return
        scheme, _, rest = (value or "").partition(" ")
        secret = rest or scheme
        if not secret or any(secret in each for each in self._known):
            return
        found = [secret]
        if scheme.lower() == "basic":
            with suppress(ValueError):  # not base64, or not text
                found.append(base64.b64decode(secret).decode().partition(":")[2])
        self._learn(found)

    def _is_in(self, text: str) -> bool:
        return any(form in text for form in self._plain) or any(form in text for form in self._base64)

    def _replaced(self, text: str) -> str:
        for form in self._plain:
            text = text.replace(form, REMOVED)
        for form in self._base64:
            while (start := text.find(form)) >= 0:
                end = start + len(form)
                # The characters around it belong to the same base64, and hold the first or last letter of the secret.
                while start and text[start - 1] in _BASE64:
                    start -= 1
                while end < len(text) and text[end] in _BASE64:
                    end += 1
                text = text[:start] + REMOVED + text[end:].lstrip("=")
        return text


def _readings(text: str) -> Iterator[str]:
    """Return a string, and the string without the escapes of JSON, HTML and URLs, which may be nested."""
    yield text
    if "\\" not in text and "%" not in text and "&" not in text:
        return
    if "\\u" in text:
        text = _ESCAPES.sub(_unescaped, text)
    yield unquote(html.unescape(text.replace("\\", "")))


def _unescaped(match: re.Match[str]) -> str:
    return bytes.fromhex(re.sub(r"\\+u", "", match[0])).decode("utf-16-be", "replace")


def _plain_forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1]}
    # Without any escapes.
    return forms | {each.replace("\\", "") for each in (secret, json.dumps(secret, ensure_ascii=False)[1:-1])}


def _base64_forms(secret: str) -> set[str]:
    """Return the base64 of a secret at any position in a longer string, such as `login:password`."""
    data = secret.encode()
    found = set()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + data).decode()
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6  # only the letters of the secret itself
        found |= {text[first:last], text[first:last].translate(str.maketrans("+/", "-_"))}
    return found


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
