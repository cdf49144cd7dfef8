"""JSON Web Tokens: signed claims that only their maker can make."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

_HEADER = {"alg": "HS256", "typ": "JWT"}


class WebTokens:
    """Sign tokens, and read tokens that were signed here.

    The signature is an HMAC with a key that exists only in this object. Databricks takes tokens with RS256 and ES256,
    whose signature everyone can check; here, the object that signs is also the object that checks.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a token with these claims."""
        content = f"{_encoded(json.dumps(_HEADER).encode())}.{_encoded(json.dumps(dict(claims)).encode())}"
        return f"{content}.{self._signature(content)}"

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token; None when it was not signed here."""
        content, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8"), self._signature(content).encode()):
            return None
        try:
            claims = json.loads(_decoded(content.partition(".")[2]))
        except (binascii.Error, ValueError):
            return None
        return claims if isinstance(claims, dict) else None

    def _signature(self, content: str) -> str:
        return _encoded(hmac.digest(self._key, content.encode("utf-8"), hashlib.sha256))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
