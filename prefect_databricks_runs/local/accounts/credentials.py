"""Read credentials from the wire, and compare them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac


def same(given: str, wanted: str) -> bool:
    """Return whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8"), wanted.encode("utf-8"))


def fingerprint(token: str) -> bytes:
    """Return the key by which a token is looked up: the time of a lookup must not reveal other tokens."""
    return hashlib.sha256(token.encode("utf-8")).digest()


def split(authorization: str | None) -> tuple[str, str]:
    """Return the scheme, in lower case, and the credential of an `Authorization` header; both empty without one."""
    scheme, _, credential = (authorization or "").partition(" ")
    return scheme.lower(), credential.strip()


def login_and_password(credential: str) -> tuple[str, str] | None:
    """Return the login and password of a `Basic` credential; None when it cannot be read."""
    try:
        login, _, password = base64.b64decode(credential, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return login, password
