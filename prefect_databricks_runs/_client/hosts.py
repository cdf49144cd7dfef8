"""Addresses of workspaces, as people paste them, and which of them are this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import parse_qsl, urlsplit

from ..errors import InvalidCredentials

EXAMPLE_HOST = "https://adb-1.2.azuredatabricks.net"
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_OF_DATABRICKS = re.compile(r"\.(databricks|azuredatabricks)\.|\.databricks\.azure\.")
_NO_ADDRESS = "what it is now is not one, and not shown, for it may be a token"


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


def fault_of_host(host: str | None, *, is_token: bool) -> str:
    """Return what is wrong with a block's address, or nothing.

    Args:
        host: As it was given; None is what an environment variable that is not set gives.
        is_token: Whether it looks like a token.
    """
    if not host:
        return f"DatabricksCredentials has no `host`. Give the address of the workspace, such as {EXAMPLE_HOST}."
    if is_token:
        return str(_not_an_address("it is a token, or as long as one"))
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
        InvalidCredentials: There is no host name in it, or it is plain `http` to another machine.
    """
    text = host.strip()
    if not text.isprintable():  # some of them would silently be left out, and what is left is another host
        raise _not_an_address("with no tab, line break or other control character in it")
    if "@" in text:
        raise _not_an_address("with no user or password in it")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_an_address(_NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not (_HOST_NAME.fullmatch(name) or _is_ip(name)):
        raise _not_an_address(_NO_ADDRESS)
    if port == 0:
        raise _not_an_address("with another port than 0")
    if parts.scheme == "http" and not is_loopback(name):
        raise InvalidCredentials(f"`host` is plain http, which would send the token in the clear. Use https://{name}.")
    if fault := _fault_of_name(name, parts.query):
        raise InvalidCredentials(fault)
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def _fault_of_name(name: str, query: str) -> str:
    """Return why a host is not one workspace's, or nothing."""
    first, _, domain = name.partition(".")
    is_of_all = domain == "databricks.com" or (domain.startswith("azuredatabricks.") and not first.startswith("adb-"))
    if is_of_all and any(key == "o" for key, _ in parse_qsl(query)):
        return (
            f"`host` with `?o=` is an address of several workspaces, and {name} alone names none. Give the address of "
            f"the workspace itself, such as {EXAMPLE_HOST}. A workspace admin knows it."
        )
    if first == "accounts" and _OF_DATABRICKS.search(name):
        return f"`host` is the account console, which runs no jobs. Give a workspace's address, such as {EXAMPLE_HOST}."
    return ""


def _not_an_address(what: str) -> InvalidCredentials:
    return InvalidCredentials(f"`host` must be the address of a workspace, such as {EXAMPLE_HOST}; {what}.")


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
