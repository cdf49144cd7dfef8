"""URLs of Prefect."""

from __future__ import annotations

import re

import httpx
from prefect.settings import PREFECT_API_URL

_SIGN_IN = re.compile(r"(?<=//)[^/?#]*@")  # the login and password in a URL


def without_sign_in(url: str) -> str:
    """Return a URL that is safe to show: without a login and password before its host."""
    return _SIGN_IN.sub("", url)


def no_answer_of_prefect(error: httpx.HTTPError) -> str:
    """Return a message that Prefect's API did not answer, and what to check.

    Args:
        error: The error of Prefect's client.
    """
    url = without_sign_in(PREFECT_API_URL.value() or "") or "of this machine (PREFECT_API_URL is not set)"
    return (
        f"Could not read flow runs and blocks from the Prefect API {url}: {without_sign_in(str(error) or repr(error))}."
        " Check PREFECT_API_URL, and that the server is running."
    )
