"""How every HTTP client of this package is set up."""

from __future__ import annotations

import os
import platform
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import prefect

from .._version import __version__
from .bodies import ACCEPT_ENCODING
from .hosts import is_loopback

AnyClient = TypeVar("AnyClient", httpx.Client, httpx.AsyncClient)

_PROXY_VARIABLES = ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
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


def new_client(kind: type[AnyClient], **options: Any) -> AnyClient:
    """Make an HTTP client, which reads from the environment whether there is a proxy.

    Args:
        kind: The client's class.
        options: What to give to it.

    Raises:
        httpx.UnsupportedProtocol: The environment names a proxy that cannot be used; says how to get around that, and
            nothing of the proxy's address, which may have a password in it.
    """
    try:
        return kind(**options)
    except (ImportError, ValueError) as error:
        fault = _proxy_fault(needs_package=isinstance(error, ImportError))
        if fault is None:
            raise
    raise httpx.UnsupportedProtocol(fault)  # here, where there is no context: its words may have the address


def _proxy_fault(*, needs_package: bool) -> str | None:
    names = [
        name
        for name in sorted(os.environ)
        if name.upper() in _PROXY_VARIABLES and not os.environ[name].lower().startswith(("http://", "https://"))
    ]
    if not names:
        return None
    if needs_package:
        return f"{' and '.join(names)} names a SOCKS proxy, which needs a package: `pip install 'httpx[socks]'`"
    return f"{' and '.join(names)} must name a proxy by an address that begins with http://, https:// or socks5://"


def time_limits(timeout_seconds: float) -> httpx.Timeout:
    """Return the time that a request may take, with less for its connection.

    Args:
        timeout_seconds: How long to wait for an answer.
    """
    return httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
