"""Addresses of workspaces as people paste them, and which of them are this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qsl, urlsplit

from ..errors import InvalidCredentials

EXAMPLE_HOST = "https://adb-1.2.azuredatabricks.net"
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_OF_DATABRICKS = re.compile(r"\.(databricks|azuredatabricks)\.|\.databricks\.azure\.")
_NO_ADDRESS = "the current value is not an address, and is not shown because it may be a token"


def is_loopback(name: str) -> bool:
    """Return whether a host is this machine without asking a resolver: a loopback address, or `localhost` itself.

    Names below `localhost` do not count: many resolvers ask other servers for them.

    Args:
        name: The host without a port, and an IPv6 address without brackets.
    """
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def fault_of_host(host: str | None, *, is_token: bool) -> str:
    """Return the fault of a block's address; empty if there is none.

    Args:
        host: The address; None if it comes from an environment variable that is not set.
        is_token: Whether the address looks like a token.
    """
    if not host:
        return f"DatabricksCredentials has no `host`. Set it to the address of the workspace, such as {EXAMPLE_HOST}."
    if is_token:
        return str(_not_an_address("the current value is a token, or as long as one"))
    try:
        normalize_host(host)
    except InvalidCredentials as error:
        return str(error)
    return ""


def normalize_host(host: str) -> str:
    """Turn an address as people paste it into `https://name[:port]`, in lower case.

    Args:
        host: With or without `https://`, path, query or trailing slash.

    Raises:
        InvalidCredentials: It has no host name, or it is plain `http` to another machine.
    """
    text = host.strip()
    if not text.isprintable():  # urlsplit would silently drop some of them, and the rest is another host
        raise _not_an_address("remove tabs, line breaks and other control characters")
    if "@" in text:
        raise _not_an_address("remove the user and password")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_an_address(_NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not (_HOST_NAME.fullmatch(name) or _is_ip(name)):
        raise _not_an_address(_NO_ADDRESS)
    if port == 0:
        raise _not_an_address("use a port other than 0")
    if parts.scheme == "http" and not is_loopback(name):
        raise InvalidCredentials(f"`host` is plain http, which would send the token in the clear. Use https://{name}.")
    if fault := _fault_of_name(name, parts.query):
        raise InvalidCredentials(fault)
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def _fault_of_name(name: str, query: str) -> str:
    """Return why a host is not the address of one workspace; empty if it is."""
    first, _, domain = name.partition(".")
    is_of_all = domain == "databricks.com" or (domain.startswith("azuredatabricks.") and not first.startswith("adb-"))
    if is_of_all and any(key == "o" for key, _ in parse_qsl(query)):
        return (
            f"`host` with `?o=` is an address of several workspaces, and {name} alone does not identify one. Use the "
            f"address of the workspace itself, such as {EXAMPLE_HOST}. A workspace admin knows it."
        )
    if first == "accounts" and _OF_DATABRICKS.search(name):
        return f"`host` is the account console, which runs no jobs. Use a workspace's address, such as {EXAMPLE_HOST}."
    return ""


def _not_an_address(what: str) -> InvalidCredentials:
    return InvalidCredentials(f"`host` must be the address of a workspace, such as {EXAMPLE_HOST}; {what}.")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
