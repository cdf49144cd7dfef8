"""URLs of Prefect's."""

from __future__ import annotations

import re

import httpx
from prefect.settings import PREFECT_API_URL

_SIGN_IN = re.compile(r"(?<=//)[^/?#]*@")  # login and password in a URL


def without_sign_in(url: str) -> str:
    """Return a URL as everybody may see it: without the login and password that may stand before its host."""
    return _SIGN_IN.sub("", url)


def no_answer_of_prefect(error: httpx.HTTPError) -> str:
    """Say that Prefect's API could not be asked, and what to check.

    Args:
        error: Of Prefect's client.
    """
    url = without_sign_in(PREFECT_API_URL.value() or "") or "of this machine, as PREFECT_API_URL is not set,"
    return (
        f"The Prefect API {url} could not be asked for flow runs and blocks: {str(error) or repr(error)}."
        " Check PREFECT_API_URL, and that the server runs."
    )
