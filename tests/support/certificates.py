"""The certificates that every HTTP client trusts, read once for a process of tests."""

from __future__ import annotations

import os
import ssl
from functools import cache, wraps
from typing import Any

import certifi

_create = ssl.create_default_context
# As httpx finds them; a test that names others has them read.
_ALWAYS_TRUSTED = {certifi.where(), os.environ.get("SSL_CERT_FILE")}


def read_once() -> None:
    """Let all clients of httpx share one context: to read the certificates takes 30 ms, and a test has several."""
    ssl.create_default_context = _context


@wraps(_create)
def _context(*purpose: Any, **certificates: Any) -> ssl.SSLContext:
    if not purpose and certificates.keys() == {"cafile"} and certificates["cafile"] in _ALWAYS_TRUSTED:
        return _shared(certificates["cafile"])
    return _create(*purpose, **certificates)


@cache
def _shared(file: str) -> ssl.SSLContext:
    return _create(cafile=file)
