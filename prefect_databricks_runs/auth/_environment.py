"""Read the credentials for a script: from the environment variables of Databricks, or from one profile.

The two are never mixed: all values come from the environment, or all come from the profile. Nothing here raises, and no
plain secret leaves this module: a traceback may be shown with the variables of its frames.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ._azure import DATABRICKS_ON_AZURE
from ._databricks import is_azure
from ._fields import hidden
from ._places import HOW, IN_DATABRICKS, RUNTIME, VARIABLES, Place, place_of, shown, variable
from .sign_in import FIELDS, OwnCommand

_ENVIRONMENT = "environment"
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
_AZURE_DEVOPS = ("SYSTEM_ACCESSTOKEN", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI")
_AKS = ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")


@dataclass(frozen=True)
class _Way:
    """A way to sign in, under the SDK's name.

    Attributes:
        auth_type: The SDK's name.
        needs: The values that must be set.
        around: Environment variables that a platform or the user must have set.
        kind: The kind of its values. Two complete ways of different kinds contradict each other.
        is_ours: Whether this package signs in itself. If not, databricks-sdk does.
    """

    auth_type: str
    needs: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    kind: str = ""
    is_ours: bool = True


# In the order of the SDK, with the managed identity where the SDK for Go has it. The two programs come last: only
# running them shows whether they know a user.
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


def of_environment(profile: str | None = None) -> tuple[dict[str, Any], str]:
    """Return the fields of a block, without plain secrets, and the fault; empty if there is none.

    Args:
        profile: As in `place_of`.
    """
    place, fault = place_of(profile)
    if fault:
        return {}, fault
    if not place.values.get("host"):
        return {}, f"{place.named(['host'])} is missing in {place}. Set it to the address of the workspace."
    way, fault = _way_of(place)
    if fault or way is None:
        return {}, fault
    fields, fault = _fields_of(way, place)
    return ({}, fault) if fault else hidden({**fields, "host": place.values["host"]}, ("host", "sign_in", *FIELDS))


def _way_of(place: Place) -> tuple[_Way | None, str]:
    """Return the way to sign in that is set there, or the fault."""
    chosen = place.values.get("auth_type")
    if chosen:
        return _chosen(chosen, place)
    complete = [way for way in _WAYS if _is_complete(way, place)]
    kinds = {way.kind: way for way in reversed(complete) if way.kind}
    if len(kinds) > 1:
        one, other = [way for way in complete if kinds.get(way.kind) is way][:2]
        return None, (
            f"Two ways to sign in are set in {place}: {place.named(one.needs)}, and {place.named(other.needs)}. Set "
            f"{place.named(['auth_type'])} to {one.auth_type} or {other.auth_type}, or remove one of them."
        )
    if complete:
        return complete[0], ""
    lacking = {way: [key for key in way.needs if key not in place.values] for way in _WAYS if _is_begun(way, place)}
    if lacking:
        way = min(lacking, key=lambda each: len(lacking[each]))
        return None, _missing(way, lacking[way], place)
    if variable(RUNTIME):
        return None, f"No way to sign in is set in {place}. {IN_DATABRICKS}"
    program = _program(place)
    return (program, "") if program else (None, f"No way to sign in is set in {place}. {HOW}")


def _chosen(auth_type: str, place: Place) -> tuple[_Way | None, str]:
    if auth_type in _OF_A_NOTEBOOK:
        return None, f"{place.named(['auth_type'])} in {place} is the sign-in of a notebook. {IN_DATABRICKS}"
    if auth_type == "external-browser":
        return None, (
            f"{place.named(['auth_type'])} in {place} needs a browser. Run `databricks auth login`, and set it to "
            "databricks-cli."
        )
    way = _BY_NAME.get(auth_type)
    if way is None:  # not quoted: it may be a misplaced secret
        known = ", ".join(_BY_NAME)
        return None, f"{place.named(['auth_type'])} in {place} is not a way to sign in. Use one of {known}."
    missing = [key for key in way.needs if key not in place.values]
    return (None, _missing(way, missing, place)) if missing else (way, "")


def _missing(way: _Way, keys: Sequence[str], place: Place) -> str:
    is_or_are = "is" if len(keys) == 1 else "are"
    return f"{place.named(keys)} {is_or_are} missing in {place}, to sign in with {way.auth_type}."


def _is_complete(way: _Way, place: Place) -> bool:
    """Return whether everything it needs is set. The environment does not count for a profile."""
    if way.auth_type == "env-oidc":
        return not place.profile and bool(variable(place.values.get("oidc_token_env", "DATABRICKS_OIDC_TOKEN")))
    if way.auth_type == "azure-workload-identity" and not is_azure(_address(place)):
        return False
    if way.around and (place.profile or not all(map(variable, way.around))):
        return False
    return bool(way.needs or way.around) and all(key in place.values for key in way.needs)


def _is_begun(way: _Way, place: Place) -> bool:
    """Return whether a value is set that only this way uses. A tenant does not count, because `az` uses it too."""
    return not way.around and any(key in place.values for key in way.needs if key != "azure_tenant_id")


def _program(place: Place) -> _Way | None:
    """Return the way whose program is installed, if only the address is set."""
    if is_azure(_address(place)) and shutil.which("az"):
        return _BY_NAME["azure-cli"]
    return _BY_NAME["databricks-cli"] if shutil.which(_databricks(place)) else None


def _fields_of(way: _Way, place: Place) -> tuple[dict[str, Any], str]:
    """Return the fields for a way to sign in; the fields for databricks-sdk if this package cannot sign in that way."""
    get = place.values.get
    resource_id = {"azure_workspace_resource_id": get("azure_workspace_resource_id")}
    ways: dict[str, dict[str, Any]] = {
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
    }
    if way.is_ours and not _is_only_of_the_sdk(way, place):
        return {key: value for key, value in ways[way.auth_type].items() if value}, ""
    if place.profile == _ENVIRONMENT:
        return {}, f"The profile name {shown(place.profile)} is reserved for the environment. Rename the profile."
    return {"profile": place.profile or _ENVIRONMENT}, ""


def _is_only_of_the_sdk(way: _Way, place: Place) -> bool:
    """Return whether only the SDK can use a way of ours: it has a value that we lack, or would read the environment."""
    if way.auth_type == "azure-cli":
        return "azure_workspace_resource_id" in place.values
    beside = {"env-oidc": "oidc_token_env", "github-oidc": "token_audience"}.get(way.auth_type)
    return bool(beside and place.profile) and (beside in place.values or bool(variable(*VARIABLES[beside or ""])))


def _az(place: Place) -> str:
    tenant = place.values.get("azure_tenant_id")
    more = ["--tenant", tenant] if tenant else []
    return shlex.join(["az", "account", "get-access-token", "--resource", DATABRICKS_ON_AZURE, "-o", "json", *more])


def _databricks_auth(place: Place) -> str:
    whose = ["--profile", place.profile] if place.profile else ["--host", _address(place)]
    return shlex.join([_databricks(place), "auth", "token", *whose])


def _databricks(place: Place) -> str:
    return os.path.expanduser(place.values.get("databricks_cli_path") or "databricks")


def _address(place: Place) -> str:
    """Return the address with its scheme, without path and query, as the CLI expects it."""
    host = place.values.get("host", "")
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
    except ValueError:
        return host
    return f"{parts.scheme}://{parts.netloc}"
