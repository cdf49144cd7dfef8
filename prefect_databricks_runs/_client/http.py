"""The setup of every HTTP client of this package."""

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
CONNECT_SECONDS = 10.0  # a host that does not accept a connection in this time is down

USER_AGENT = (
    f"PrefectDatabricksRuns_prefect-databricks-runs/{__version__} "
    f"prefect/{prefect.__version__} python/{platform.python_version()}"
)


def client_options(host: str, timeout_seconds: float) -> dict[str, Any]:
    """Return the options for `httpx.Client` or `httpx.AsyncClient`.

    Args:
        host: The workspace's address, normalized.
        timeout_seconds: How long to wait for an answer.
    """
    options: dict[str, Any] = {
        "base_url": host,
        "headers": {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": ACCEPT_ENCODING},
        "timeout": time_limits(timeout_seconds),
    }
    if is_loopback(urlsplit(host).hostname or ""):
        # A proxy would read the token, which plain http is allowed to carry here. SSL_CERT_FILE and SSL_CERT_DIR of the
        # environment still apply.
        options |= {"trust_env": False, "verify": httpx.create_ssl_context(trust_env=True)}
    return options


def new_client(kind: type[AnyClient], **options: Any) -> AnyClient:
    """Make an HTTP client that uses the proxy of the environment, if any.

    Args:
        kind: The client's class.
        options: The options of the client.

    Raises:
        httpx.UnsupportedProtocol: The environment names a proxy that cannot be used. The message says what to do, and
            does not show the proxy's address, which may have a password in it.
    """
    try:
        return kind(**options)
    except (ImportError, ValueError) as error:
        fault = _proxy_fault(needs_package=isinstance(error, ImportError))
        if fault is None:
            raise
    raise httpx.UnsupportedProtocol(fault)  # out here, without a context that may show the address


def _proxy_fault(*, needs_package: bool) -> str | None:
    names = [
        name
        for name in sorted(os.environ)
        if name.upper() in _PROXY_VARIABLES and not os.environ[name].lower().startswith(("http://", "https://"))
    ]
    if not names:
        return None
    if needs_package:
        return f"{' and '.join(names)} names a SOCKS proxy, which needs another package: `pip install 'httpx[socks]'`"
    return f"{' and '.join(names)} must name a proxy by an address that begins with http://, https:// or socks5://"


def time_limits(timeout_seconds: float) -> httpx.Timeout:
    """Return the time limits of a request, with a shorter one for connecting.

    Args:
        timeout_seconds: How long to wait for an answer.
    """
    return httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
