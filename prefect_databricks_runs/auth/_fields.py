"""Read and check the fields that someone passes to sign in.

Nothing here raises: a tool that shows an exception with the variables of its frames would show the secret. A fault is
returned as a sentence; a caller without plain secrets raises it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from .._prefect.compat import SecretStr, ValidationError, fields_of, what_is_wrong
from .sign_in import A_TOKEN, FIELDS, SECRETS, WAYS, PersonalToken, SignIn

HOW = "Set `token`, or `client_id` and `client_secret` of a service principal, or another way to sign in."
_SIGN_IN = "sign_in"
_KEYS = ("host", *FIELDS)
_LONGEST_PART = 63  # characters of a host's name between two dots
_A_TOKEN = 16  # characters; real tokens are not shorter


def hidden(fields: Mapping[str, Any], known: Collection[str]) -> tuple[dict[str, Any], str]:
    """Return the fields of a block without plain secrets, and the fault; empty if there is none.

    Args:
        fields: The fields that were passed to the block.
        known: The fields of the block; fields with other names are left out.
    """
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name == _SIGN_IN and name in known:
            found[name], fault = _hidden_sign_in(value)
            if fault:
                return {}, fault
        elif name in SECRETS:
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            if not isinstance(text, (str, type(None))):
                return {}, f"`{name}` must be a string, not {type(value).__name__}."
            found[name] = None if text is None else SecretStr(text)
        elif name in _KEYS and not isinstance(value, (str, type(None))):
            return {}, f"`{name}` must be a string, not {type(value).__name__}."
        elif name in known or name.startswith("_"):
            found[name] = value
    return found, ""


def _hidden_sign_in(value: Any) -> tuple[Any, str]:
    if value is None or isinstance(value, SignIn):
        return value, ""
    if not isinstance(value, Mapping):
        return None, f"`sign_in` must be a way to sign in, such as PersonalToken(token=…), not {type(value).__name__}."
    return ({}, fault) if (fault := fault_of_names(value, FIELDS)) else hidden(value, FIELDS)


def fault_of_names(fields: Mapping[str, Any], known: Collection[str], block: str = "DatabricksCredentials") -> str:
    """Return a sentence on fields that the block does not have; empty if there are none. Prefect would ignore them.

    Args:
        fields: The fields that were passed. A later release may have saved fields that are empty here.
        known: The fields of the block. Prefect itself adds all that begin with `_`.
        block: The name of the block.
    """
    unknown = [name for name, value in fields.items() if name not in known and name[:1] != "_" and not _is_empty(value)]
    if not unknown:
        return ""
    # A name far from every field's name may be a misplaced secret.
    misspelt = [name for name in unknown if name.isidentifier() and get_close_matches(name, known, cutoff=0.7)]
    named = ", ".join(map(repr, misspelt)) if misspelt else "with this name (not shown, because it may be a secret)"
    shown = sorted(set(known) - {"block_type_slug"})
    return f"{block} has no field {named}. Its fields are {', '.join(shown[:-1])} and {shown[-1]}."


def _is_empty(value: Any) -> bool:
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return text is None or (isinstance(text, str) and not text.strip())


def with_sign_in(
    fields: Mapping[str, Any], flat: Collection[str], *, may_have_none: bool = False
) -> tuple[dict[str, Any], str]:
    """Return the fields of a block with a model as `sign_in`, and the fault; empty if there is none.

    Args:
        fields: The fields, without plain secrets. Those of a way to sign in are next to the others, as in code and in
            blocks that the first release saved, or under `sign_in`.
        flat: The fields of a way to sign in that may be next to the others: a user's subclass may have such a field
            itself.
        may_have_none: Whether the block has its own way to sign in. If so, an unused model may be empty.
    """
    host = fields.get("host") or "the workspace"
    given = {name: fields[name] for name in FIELDS if name in flat and not _is_empty(fields.get(name))}
    others = {name: value for name, value in fields.items() if name not in flat}
    sign_in = others.pop(_SIGN_IN, None)
    if sign_in and given:
        return {}, f"Two ways to sign in to {host} are set: `sign_in`, and {_listed(given)}. Remove one of them."
    if not isinstance(sign_in, SignIn):
        given = given or {name: value for name, value in (sign_in or {}).items() if not _is_empty(value)}
        if may_have_none and not given:
            return {**others, _SIGN_IN: PersonalToken(token=SecretStr(""))}, ""
        sign_in, fault = _way_of(given, host)
        if fault:
            return {}, fault
    is_asked = sign_in and not may_have_none
    return {**others, _SIGN_IN: sign_in}, sign_in.fault(host) if is_asked else ""


def _way_of(given: Mapping[str, Any], host: str) -> tuple[SignIn | None, str]:
    """Return the way to sign in that has these fields, or a sentence on missing or extra fields."""
    if not given:
        return None, f"No way to sign in is set for {host}. {HOW}"
    missing = {way: [name for name, needed in fields_of(way).items() if needed and name not in given] for way in WAYS}
    fitting = [way for way in WAYS if set(given) <= set(fields_of(way))]
    if not fitting:
        one = next((way for way in WAYS if not missing[way]), None)
        if one is None:
            return None, f"{_listed(given)} are not one way to sign in to {host}. {HOW}"
        more = [name for name in given if name not in fields_of(one)]
        of_one = [name for name in given if name in fields_of(one)]
        return None, f"Two ways to sign in to {host} are set: {_listed(of_one)}, and {_listed(more)}. Leave one empty."
    way = min(fitting, key=lambda each: len(missing[each]))
    if missing[way]:
        are = "is" if len(missing[way]) == 1 else "are"
        return None, f"{_listed(missing[way])} {are} missing for {host}, to sign in with {way.called}. {HOW}"
    try:
        return way(**given), ""
    except ValidationError as error:
        return None, f"The way to sign in to {host} is not valid: {what_is_wrong(error)}."


def _listed(names: Collection[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def is_token(host: str, token: SecretStr | None) -> bool:
    """Return whether the address is a token: the given one, or a string that looks like one."""
    name = re.split("[/?#:]", re.sub("^https?://", "", host.strip().lower()))[0]
    text = token.get_secret_value().strip().lower() if token else ""
    return (
        bool(A_TOKEN.fullmatch(name))
        or any(len(part) > _LONGEST_PART for part in name.split("."))
        or (len(text) >= _A_TOKEN and text in name)
    )


def of_connection(connection: Any) -> tuple[dict[str, Any], str]:
    """Return the fields of a connection string of Prefect 1, and the fault; empty if there is none.

    Args:
        connection: A mapping, or a JSON string.
    """
    if isinstance(connection, str):
        try:
            connection = json.loads(connection)
        except (ValueError, RecursionError):
            return {}, "The Databricks connection string is not JSON."
    if not isinstance(connection, Mapping):
        return {}, 'The Databricks connection must be a mapping such as {"host": …, "token": …}.'
    # Not quoted: if keys and values are mixed up, the token is there.
    unknown = sum(key not in _KEYS for key in connection)
    if unknown:
        keys = "1 unknown key" if unknown == 1 else f"{unknown} unknown keys"
        return {}, f"The Databricks connection has {keys}. Valid keys are {', '.join(map(repr, _KEYS))}."
    if not connection.get("host"):
        return {}, "The Databricks connection has no `host`."
    wrong = sorted(key for key, value in connection.items() if not isinstance(value, (str, type(None))))
    if wrong:
        kind = "a string" if len(wrong) == 1 else "strings"
        return {}, f"The Databricks connection's {', '.join(map(repr, wrong))} must be {kind}."
    return hidden({key: value for key, value in connection.items() if value is not None}, _KEYS)
