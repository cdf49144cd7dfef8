"""Credentials of the place where a script runs: the environment variables of Databricks, or one profile of its file.

The two are never mixed: all values are of the environment, or all are of the profile. Nothing here raises, and no value
leaves this module in plain: a traceback may be shown with the variables of its frames.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ._databricks import is_azure
from ._fields import hidden
from ._profiles import config_file, read_profile, shown
from .sign_in import FIELDS, OwnCommand

# The SDK's names of what may be set, as keys of a profile, and its variables. The first variable that is set counts.
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
_RUNTIME = "DATABRICKS_RUNTIME_VERSION"
_ENVIRONMENT = "environment"
_AZURE_DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_AZURE_DEVOPS = ("SYSTEM_ACCESSTOKEN", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
_AKS = ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")
_FALSE = ("0", "f", "false", "n", "no", "off")
_HOW = (
    "Set DATABRICKS_HOST and DATABRICKS_TOKEN, or DATABRICKS_HOST, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, "
    "or run `databricks auth login`."
)
_IN_DATABRICKS = (
    f"This process runs inside Databricks ({_RUNTIME} is set), and the sign-in of a notebook is not available to it. "
    "Set DATABRICKS_HOST, DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, for example from a secret scope, or pass "
    "`host` and `token` to DatabricksCredentials."
)


@dataclass(frozen=True)
class _Way:
    """A way to sign in, by the SDK's name for it.

    Attributes:
        auth_type: The name.
        needs: What must be set.
        around: Environment variables that a platform, or the user, must have set.
        kind: What is set for it. Two complete ways of different kinds contradict each other.
        is_ours: Whether this package signs in so itself; else databricks-sdk does.
    """

    auth_type: str
    needs: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    kind: str = ""
    is_ours: bool = True


# In the order of the SDK, with the managed identity where the SDK for Go has it. The two programs come last: whether
# they know a user shows only when they are run.
_WAYS = (
    _Way("pat", ("token",), kind="pat"),
    _Way("basic", ("username", "password"), kind="basic"),
    _Way("metadata-service", ("metadata_service_url",), kind="metadata-service", is_ours=False),
    _Way("oauth-m2m", ("client_id", "client_secret"), kind="oauth"),
    _Way("env-oidc"),
    _Way("file-oidc", ("oidc_token_filepath",), kind="oauth"),
    _Way("github-oidc", ("client_id",), _GITHUB, kind="oauth"),
    _Way("azure-msi", ("azure_use_msi",), kind="azure"),
    _Way("azure-client-secret", ("azure_client_id", "azure_client_secret", "azure_tenant_id"), kind="azure"),
    _Way("github-oidc-azure", ("azure_client_id",), _GITHUB, kind="azure", is_ours=False),
    _Way("azure-devops-oidc", ("client_id",), _AZURE_DEVOPS, kind="oauth"),
    _Way("google-credentials", ("google_credentials",), kind="google", is_ours=False),
    _Way("google-id", ("google_service_account",), kind="google", is_ours=False),
    _Way("azure-workload-identity", (), _AKS),
    _Way("azure-cli"),
    _Way("databricks-cli"),
)
_BY_NAME = {way.auth_type: way for way in (*_WAYS, _Way("model-serving", is_ours=False))}
_OF_A_NOTEBOOK = ("runtime", "runtime-oauth")


@dataclass(frozen=True)
class _Place:
    """Where all values are from.

    Attributes:
        profile: The profile's name; empty for the environment.
        values: What is set there, by the SDK's names.
    """

    profile: str
    values: dict[str, str] = field(repr=False)

    def __str__(self) -> str:
        return f"the profile {shown(self.profile)} of {config_file()}" if self.profile else "the environment"

    def named(self, keys: Sequence[str]) -> str:
        """Return the names of keys, as they are called there."""
        return " and ".join(f"`{key}`" if self.profile else VARIABLES[key][0] for key in keys)


def of_environment(profile: str | None = None) -> tuple[dict[str, Any], str]:
    """Return the fields of a block, with no secret in plain, and what is wrong, or nothing.

    Args:
        profile: A profile of the file; None for that of `DATABRICKS_CONFIG_PROFILE`, else the environment if it has
            `DATABRICKS_HOST`, else the default profile.
    """
    place, fault = _place(profile)
    if fault:
        return {}, fault
    if not place.values.get("host"):
        return {}, f"{place.named(['host'])} is missing in {place}. Set it to the address of the workspace."
    way, fault = _way_of(place)
    if fault or way is None:
        return {}, fault
    fields, fault = _fields_of(way, place)
    return ({}, fault) if fault else hidden({**fields, "host": place.values["host"]}, ("host", "sign_in", *FIELDS))


def looked_at(profile: str | None = None) -> str:
    """Return where `of_environment` reads, and what is set there: names and no values.

    Args:
        profile: As there.
    """
    place, fault = _place(profile)
    return "" if fault else f"{place}: {place.named(list(place.values)).replace(' and ', ', ')}"


def _place(profile: Any) -> tuple[_Place, str]:
    """Return the one place whose values count, or what is wrong."""
    if not isinstance(profile, (str, type(None))):
        return _Place("", {}), f"`profile` must be text, not {type(profile).__name__}."
    asked = (profile or "").strip() or _variable(PROFILE)
    if asked:
        values, _, fault = read_profile(asked)
        return _Place(asked, _set(values)), f"No credentials found: {fault}." if fault else ""
    if _variable(*VARIABLES["host"]):
        return _Place("", _set({key: _variable(*names) for key, names in VARIABLES.items()})), ""
    values, name, fault = read_profile("")
    if not fault:
        return _Place(name, _set(values)), ""
    if _variable(_RUNTIME):
        return _Place("", {}), f"No credentials found: DATABRICKS_HOST is not set. {_IN_DATABRICKS}"
    return _Place("", {}), f"No credentials found: DATABRICKS_HOST is not set, and {fault}. {_HOW}"


def _set(values: dict[str, str]) -> dict[str, str]:
    """Return what is set and known."""
    found = {key: values[key].strip() for key in VARIABLES if values.get(key, "").strip()}
    if found.get("azure_use_msi", "").lower() in _FALSE:
        del found["azure_use_msi"]
    return found


def _way_of(place: _Place) -> tuple[_Way | None, str]:
    """Return the way to sign in that is set there, or what is wrong."""
    chosen = place.values.get("auth_type")
    if chosen:
        return _chosen(chosen, place)
    complete = [way for way in _WAYS if _is_complete(way, place)]
    kinds = {way.kind: way for way in reversed(complete) if way.kind}
    if len(kinds) > 1:
        one, other = [way for way in complete if kinds.get(way.kind) is way][:2]
        return None, (
            f"Two ways to sign in are set in {place}: {place.named(one.needs)}, and {place.named(other.needs)}. Set "
            f"{place.named(['auth_type'])} to {one.auth_type} or {other.auth_type}, or leave one out."
        )
    if complete:
        return complete[0], ""
    lacking = {way: [key for key in way.needs if key not in place.values] for way in _WAYS if _is_begun(way, place)}
    if lacking:
        way = min(lacking, key=lambda each: len(lacking[each]))
        return None, _missing(way, lacking[way], place)
    if _variable(_RUNTIME):
        return None, f"No way to sign in is set in {place}. {_IN_DATABRICKS}"
    program = _program(place)
    return (program, "") if program else (None, f"No way to sign in is set in {place}. {_HOW}")


def _chosen(auth_type: str, place: _Place) -> tuple[_Way | None, str]:
    if auth_type in _OF_A_NOTEBOOK:
        return None, f"{place.named(['auth_type'])} in {place} is the sign-in of a notebook. {_IN_DATABRICKS}"
    if auth_type == "external-browser":
        return None, (
            f"{place.named(['auth_type'])} in {place} asks for a browser. Run `databricks auth login`, and set it to "
            "databricks-cli."
        )
    way = _BY_NAME.get(auth_type)
    if way is None:  # not quoted: it may be a secret in the wrong place
        known = ", ".join(_BY_NAME)
        return None, f"{place.named(['auth_type'])} in {place} is not a way to sign in. It may be {known}."
    missing = [key for key in way.needs if key not in place.values]
    return (None, _missing(way, missing, place)) if missing else (way, "")


def _missing(way: _Way, keys: Sequence[str], place: _Place) -> str:
    is_or_are = "is" if len(keys) == 1 else "are"
    return f"{place.named(keys)} {is_or_are} missing in {place}, to sign in with {way.auth_type}."


def _is_complete(way: _Way, place: _Place) -> bool:
    """Whether all is there for it. What the environment has around a profile does not count."""
    if way.auth_type == "env-oidc":
        return not place.profile and bool(_variable(place.values.get("oidc_token_env", "DATABRICKS_OIDC_TOKEN")))
    if way.auth_type == "azure-workload-identity" and not is_azure(_address(place)):
        return False
    if way.around and (place.profile or not all(map(_variable, way.around))):
        return False
    return bool(way.needs or way.around) and all(key in place.values for key in way.needs)


def _is_begun(way: _Way, place: _Place) -> bool:
    """Whether something is set that is for this way only; a tenant is for `az` too."""
    return not way.around and any(key in place.values for key in way.needs if key != "azure_tenant_id")


def _program(place: _Place) -> _Way | None:
    """Return the way whose program is installed, where nothing is set but the address."""
    if is_azure(_address(place)) and shutil.which("az"):
        return _BY_NAME["azure-cli"]
    return _BY_NAME["databricks-cli"] if shutil.which(_databricks(place)) else None


def _fields_of(way: _Way, place: _Place) -> tuple[dict[str, Any], str]:
    """Return the fields that sign in so; those of databricks-sdk for what is not ours."""
    get = place.values.get
    resource_id = {"azure_workspace_resource_id": get("azure_workspace_resource_id")}
    fields: dict[str, Any] = {
        "pat": {"token": get("token")},
        "basic": {"login": get("username"), "password": get("password")},
        "oauth-m2m": {"client_id": get("client_id"), "client_secret": get("client_secret")},
        "env-oidc": {"oidc": "env", "client_id": get("client_id")},
        "file-oidc": {
            "oidc": "file",
            "client_id": get("client_id"),
            "oidc_token_filepath": get("oidc_token_filepath"),
        },
        "github-oidc": {"oidc": "github", "client_id": get("client_id")},
        "azure-devops-oidc": {"oidc": "azure-devops", "client_id": get("client_id")},
        "azure-msi": {"azure_identity": "managed", "client_id": get("azure_client_id"), **resource_id},
        "azure-client-secret": {
            "azure_tenant_id": get("azure_tenant_id"),
            "client_id": get("azure_client_id"),
            "client_secret": get("azure_client_secret"),
            **resource_id,
        },
        "azure-workload-identity": {"azure_identity": "workload", "client_id": get("azure_client_id"), **resource_id},
        "azure-cli": {"sign_in": OwnCommand(token_command=_az(place))},
        "databricks-cli": {"sign_in": OwnCommand(token_command=_databricks_auth(place))},
    }.get(way.auth_type, {})
    if way.is_ours and not _is_only_of_the_sdk(way, place):
        return {key: value for key, value in fields.items() if value}, ""
    if place.profile == _ENVIRONMENT:
        return {}, f"The profile {shown(place.profile)} has the name that means the environment. Give it another one."
    return {"profile": place.profile or _ENVIRONMENT}, ""


def _is_only_of_the_sdk(way: _Way, place: _Place) -> bool:
    """Whether a way of ours lacks something that is set, or would read a variable beside the profile."""
    if way.auth_type == "azure-cli":
        return "azure_workspace_resource_id" in place.values
    beside = {"env-oidc": "oidc_token_env", "github-oidc": "token_audience"}.get(way.auth_type)
    return bool(beside and place.profile) and (beside in place.values or bool(_variable(*VARIABLES[beside or ""])))


def _az(place: _Place) -> str:
    tenant = place.values.get("azure_tenant_id")
    more = ["--tenant", tenant] if tenant else []
    return shlex.join(["az", "account", "get-access-token", "--resource", _AZURE_DATABRICKS, "-o", "json", *more])


def _databricks_auth(place: _Place) -> str:
    whose = ["--profile", place.profile] if place.profile else ["--host", _address(place)]
    return shlex.join([_databricks(place), "auth", "token", *whose])


def _databricks(place: _Place) -> str:
    return os.path.expanduser(place.values.get("databricks_cli_path") or "databricks")


def _address(place: _Place) -> str:
    """Return the address with its scheme, and without path and query, as the CLI wants it."""
    host = place.values.get("host", "")
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
    except ValueError:
        return host
    return f"{parts.scheme}://{parts.netloc}"


def _variable(*names: str) -> str:
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), "")
