"""Find where credentials are read: the environment variables of Databricks, or one profile of the tools' file.

All values come from one place. Nothing here raises, as in `_environment`.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._text import quoted
from ._fields import is_token

# The SDK's names as keys of a profile, with their variables. The first variable that is set counts.
VARIABLES = {
    "host": ("DATABRICKS_HOST",),
    "auth_type": ("DATABRICKS_AUTH_TYPE",),
    "token": ("DATABRICKS_TOKEN",),
    "username": ("DATABRICKS_USERNAME",),
    "password": ("DATABRICKS_PASSWORD",),
    "client_id": ("DATABRICKS_CLIENT_ID",),
    "client_secret": ("DATABRICKS_CLIENT_SECRET",),
    "oidc_token_env": ("DATABRICKS_OIDC_TOKEN_ENV",),
    "oidc_token_filepath": ("DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"),
    "token_audience": ("DATABRICKS_TOKEN_AUDIENCE",),
    "azure_client_id": ("ARM_CLIENT_ID",),
    "azure_client_secret": ("ARM_CLIENT_SECRET",),
    "azure_tenant_id": ("ARM_TENANT_ID",),
    "azure_use_msi": ("ARM_USE_MSI",),
    "azure_workspace_resource_id": ("DATABRICKS_AZURE_RESOURCE_ID",),
    "databricks_cli_path": ("DATABRICKS_CLI_PATH",),
    "metadata_service_url": ("DATABRICKS_METADATA_SERVICE_URL",),
    "google_credentials": ("GOOGLE_CREDENTIALS",),
    "google_service_account": ("DATABRICKS_GOOGLE_SERVICE_ACCOUNT",),
}
PROFILE = "DATABRICKS_CONFIG_PROFILE"
RUNTIME = "DATABRICKS_RUNTIME_VERSION"
FILE = "DATABRICKS_CONFIG_FILE"
_SETTINGS = "__settings__"
_DEFAULT = "DEFAULT"
_MOST_BYTES = 1_000_000
_FALSE = ("0", "f", "false", "n", "no", "off")
HOW = (
    "Set DATABRICKS_HOST and DATABRICKS_TOKEN, or DATABRICKS_HOST, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, "
    "or run `databricks auth login`."
)
IN_DATABRICKS = (
    f"This process runs inside Databricks ({RUNTIME} is set), and the sign-in of a notebook is not available to it. "
    "Set DATABRICKS_HOST, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, for example from a secret scope, or pass "
    "`host` and `token` to DatabricksCredentials."
)


@dataclass(frozen=True)
class Place:
    """The one source of all values.

    Attributes:
        profile: The profile's name; empty for the environment.
        values: The values that are set there, by the SDK's names.
    """

    profile: str
    values: dict[str, str] = field(repr=False)

    def __str__(self) -> str:
        return f"the profile {shown(self.profile)} of {config_file()}" if self.profile else "the environment"

    def named(self, keys: Sequence[str]) -> str:
        """Return the names of keys as this source calls them."""
        return " and ".join(f"`{key}`" if self.profile else VARIABLES[key][0] for key in keys)


def place_of(profile: Any) -> tuple[Place, str]:
    """Return the one source whose values count, and the fault; empty if there is none.

    Args:
        profile: A profile of the file; None for the profile in `DATABRICKS_CONFIG_PROFILE`, else the environment if it
            has `DATABRICKS_HOST`, else the default profile.
    """
    if not isinstance(profile, (str, type(None))):
        return Place("", {}), f"`profile` must be a string, not {type(profile).__name__}."
    asked = (profile or "").strip() or variable(PROFILE)
    if asked:
        values, _, fault = read_profile(asked)
        return Place(asked, _set(values)), f"No credentials found: {fault}." if fault else ""
    if variable(*VARIABLES["host"]):
        return Place("", _set({key: variable(*names) for key, names in VARIABLES.items()})), ""
    values, name, fault = read_profile("")
    if not fault:
        return Place(name, _set(values)), ""
    if variable(RUNTIME):
        return Place("", {}), f"No credentials found: DATABRICKS_HOST is not set. {IN_DATABRICKS}"
    return Place("", {}), f"No credentials found: DATABRICKS_HOST is not set, and {fault}. {HOW}"


def _set(values: dict[str, str]) -> dict[str, str]:
    """Return the known values that are set."""
    found = {key: values[key].strip() for key in VARIABLES if values.get(key, "").strip()}
    if found.get("azure_use_msi", "").lower() in _FALSE:
        del found["azure_use_msi"]
    return found


def looked_at(profile: str | None = None) -> str:
    """Return where `of_environment` reads and which names are set there, without values.

    Args:
        profile: As in `of_environment`.
    """
    place, fault = place_of(profile)
    return "" if fault else f"{place} ({place.named(list(place.values)).replace(' and ', ', ')})"


def variable(*names: str) -> str:
    """Return the first environment variable that is set; empty if none is set.

    Args:
        *names: Their names.
    """
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), "")


def config_file() -> Path:
    """Return the path of the file: `DATABRICKS_CONFIG_FILE`, or `~/.databrickscfg`."""
    path = Path(os.environ.get(FILE, "").strip() or "~/.databrickscfg")
    try:
        return path.expanduser()
    except RuntimeError:  # no home directory
        return path


def read_profile(name: str) -> tuple[dict[str, str], str, str]:
    """Return the values of a profile, its name, and the fault; empty if there is none. Never raise.

    A profile has its own values only, and none of the section `DEFAULT`.

    Args:
        name: The profile; empty for the default one.
    """
    parser, fault = _file()
    default = parser.get(_SETTINGS, "default_profile", fallback="").strip()
    found = name or default or _DEFAULT
    if not fault and found == _SETTINGS:
        fault = f"{_SETTINGS} is not a profile; it holds the settings of {config_file()}"
    if not fault and not parser.has_section(found):
        fault = f"{config_file()} has no profile {found if found == _DEFAULT else shown(found)}"
    return ({}, name, fault) if fault else (dict(parser.items(found)), found, "")


def _file() -> tuple[configparser.ConfigParser, str]:
    """Return the profiles of the file, and the fault; empty if there is none."""
    path = config_file()
    parser = configparser.ConfigParser(interpolation=None, default_section="__none__", strict=False)
    try:
        if not path.is_file():
            return parser, f"{path} is not a file" if path.exists() else f"{path} does not exist"
        if path.stat().st_size > _MOST_BYTES:
            return parser, f"{path} has more than {_MOST_BYTES} bytes"
        parser.read_string(path.read_text("utf-8-sig"))
    except OSError as error:
        return parser, f"{path} cannot be read ({error.strerror or type(error).__name__})"
    except (configparser.Error, ValueError):  # its message may show a line of the file with a secret
        return parser, f"{path} is not a file of profiles"
    return parser, ""


def shown(name: str) -> str:
    """Return a profile's name in quotes, unless it looks like a misplaced token.

    Args:
        name: The name.
    """
    return "(not shown: it looks like a token)" if is_token(name, None) else quoted(name)
