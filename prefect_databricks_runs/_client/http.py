"""How every HTTP client of this package is set up."""

from __future__ import annotations

import ipaddress
import platform
from typing import Any
from urllib.parse import urlsplit

import httpx
import prefect

from .._version import __version__
from .bodies import ACCEPT_ENCODING

CONNECT_SECONDS = 10.0  # a host that does not take a connection in this time is down, whatever the request

USER_AGENT = (
    f"PrefectDatabricksRuns_prefect-databricks-runs/{__version__} "
    f"prefect/{prefect.__version__} python/{platform.python_version()}"
)


def client_options(host: str, timeout_seconds: float) -> dict[str, Any]:
    """Return what to give to `httpx.Client` or `httpx.AsyncClient`.

    Args:
        host: The workspace's address, normalised.
        timeout_seconds: How long to wait for an answer.
    """
    options: dict[str, Any] = {
        "base_url": host,
        "headers": {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": ACCEPT_ENCODING},
        "timeout": time_limits(timeout_seconds),
    }
    if is_loopback(urlsplit(host).hostname or ""):
        # A proxy would read the token that plain http is allowed for here. What else the environment has to say, which
        # is SSL_CERT_FILE and SSL_CERT_DIR, holds as ever.
        options |= {"trust_env": False, "verify": httpx.create_ssl_context(trust_env=True)}
    return options


def is_loopback(name: str) -> bool:
    """Return whether a host is this machine, whatever a resolver says: an address, or `localhost` itself.

    Names below `localhost` are not: many resolvers ask others where they are.

    Args:
        name: The host, without a port, and an IPv6 address without brackets.
    """
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def time_limits(timeout_seconds: float) -> httpx.Timeout:
    """Return the time that a request may take, with less for its connection.

    Args:
        timeout_seconds: How long to wait for an answer.
    """
    return httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
