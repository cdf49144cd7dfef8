"""The file of profiles that the tools of Databricks share, `~/.databrickscfg`."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

from .._text import quoted
from ._fields import is_token

FILE = "DATABRICKS_CONFIG_FILE"
_SETTINGS = "__settings__"
_DEFAULT = "DEFAULT"
_MOST_BYTES = 1_000_000


def config_file() -> Path:
    """Return where the file is: `DATABRICKS_CONFIG_FILE`, or `~/.databrickscfg`."""
    path = Path(os.environ.get(FILE, "").strip() or "~/.databrickscfg")
    try:
        return path.expanduser()
    except RuntimeError:  # there is no home
        return path


def read_profile(name: str) -> tuple[dict[str, str], str, str]:
    """Return what a profile has, its name, and why there is none, or nothing. Nothing is raised.

    A profile has what stands in it, and nothing of the section `DEFAULT`.

    Args:
        name: The profile; empty for the default one.
    """
    path = config_file()
    parser = configparser.ConfigParser(interpolation=None, default_section="__none__", strict=False)
    try:
        if not path.is_file():
            return {}, name, f"{path} does not exist" if not path.exists() else f"{path} is not a file"
        if path.stat().st_size > _MOST_BYTES:
            return {}, name, f"{path} has more than {_MOST_BYTES} bytes"
        parser.read_string(path.read_text("utf-8-sig"))
    except OSError as error:
        return {}, name, f"{path} cannot be read ({error.strerror or type(error).__name__})"
    except (configparser.Error, ValueError):  # its words may be a line of the file, and that a secret
        return {}, name, f"{path} is not a file of profiles"
    default = parser.get(_SETTINGS, "default_profile", fallback="").strip()
    found = name or default or _DEFAULT
    if found == _SETTINGS:
        return {}, name, f"{_SETTINGS} is not a profile, but has the settings of {path}"
    if not parser.has_section(found):
        return {}, name, f"{path} has no profile {found if found == _DEFAULT else shown(found)}"
    return dict(parser.items(found)), found, ""


def shown(name: str) -> str:
    """Return a profile's name in quotes, unless it looks like a token in the wrong place.

    Args:
        name: The name.
    """
    return "(not shown: it looks like a token)" if is_token(name, None) else quoted(name)
