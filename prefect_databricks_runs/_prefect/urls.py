"""URLs of Prefect's."""

from __future__ import annotations

import re

_SIGN_IN = re.compile(r"(?<=//)[^/?#]*@")  # login and password in a URL


def without_sign_in(url: str) -> str:
    """Return a URL as everybody may see it: without the login and password that may stand before its host."""
    return _SIGN_IN.sub("", url)
