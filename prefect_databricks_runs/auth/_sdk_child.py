"""Ask databricks-sdk how to sign in, in its own process: `python -m prefect_databricks_runs.auth._sdk_child`."""

from __future__ import annotations

import configparser
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENVIRONMENT = "environment"
_FILE = "DATABRICKS_CONFIG_FILE"
_PROFILE = "DATABRICKS_CONFIG_PROFILE"
_INSTALL = "Install it where the flow runs: pip install 'prefect-databricks-runs[sdk]'"
_NOTHING_SENT = "Nothing was sent."


def main() -> None:
    """Read the question from stdin, and write the headers of a request to stdout."""
    asked = json.load(sys.stdin)
    json.dump(answer_to(asked["host"], asked["profile"]), sys.stdout)


def answer_to(host: str, profile: str) -> dict[str, Any]:
    """Return the headers that sign a request, and how long they are valid; or the fault and the advice.

    Args:
        host: The workspace's address.
        profile: The profile's name, or `environment`.
    """
    environment = profile == ENVIRONMENT
    named = os.environ.get("DATABRICKS_HOST", "").strip() if environment else _host_of(profile)
    if named is None:
        return {"error": f"the profile does not exist in {_file()}", "advice": _NOTHING_SENT}
    if not named:  # otherwise its credentials would be sent to any workspace that a block names
        where = "DATABRICKS_HOST is not set" if environment else "it has no `host`"
        return {"error": where, "advice": f"Set it to the address of the credentials block. {_NOTHING_SENT}"}
    if _name(named) != _name(host):
        return {
            "error": f"it is for {_name(named)}, but the credentials block is for {_name(host)}",
            "advice": _NOTHING_SENT,
        }
    try:
        from databricks.sdk.core import Config
    except ImportError:
        return {"error": "databricks-sdk is not installed", "advice": _INSTALL}
    for attribute in Config.attributes():  # or the SDK would mix the profile with the environment
        for name in (attribute.env, *getattr(attribute, "env_aliases", ())):
            if name and name != _FILE and (not environment or name == _PROFILE):
                os.environ.pop(name, None)
    options: dict[str, Any] = {"host": host} if environment else {"profile": profile}
    try:
        config = Config(**options, retry_timeout_seconds=20, http_timeout_seconds=10)
        return {"headers": config.authenticate(), **_end_of(config)}
    except Exception as error:  # the SDK masks secrets in its messages
        return {"error": str(error)[:400], "advice": "Try `databricks auth describe` where the flow runs."}


def _end_of(config: Any) -> dict[str, float]:
    try:
        expiry = config.oauth_token().expiry
        return {"expires_on": expiry.timestamp()} if expiry else {}
    except Exception:  # a personal token does not expire, and some ways do not report it
        return {}


def _file() -> Path:
    return Path(os.environ.get(_FILE) or "~/.databrickscfg").expanduser()


def _host_of(profile: str) -> str | None:
    """Return the address in a profile, or None if the profile does not exist."""
    parser = configparser.ConfigParser(interpolation=None, default_section="__none__")
    try:
        parser.read(_file(), "utf-8")
    except (configparser.Error, ValueError):
        return None
    return parser.get(profile, "host", fallback="") if parser.has_section(profile) else None


def _name(host: str) -> str:
    parts = urlsplit(host if "://" in host else f"https://{host}")
    return parts.netloc.lower()


if __name__ == "__main__":
    main()
