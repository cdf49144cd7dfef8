"""What somebody gives to sign in with, read and checked.

Nothing here raises: who shows an exception with the variables of its frames would show the secret with it. A fault is
returned as a sentence, for a caller to raise who has no secret in plain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from .._prefect.compat import SecretStr
from . import BasicAuth, TokenAuth

WAYS = "Set `token`, or both `login` and `password`."
_SECRETS = ("token", "password")
_KEYS = ("host", "token", "login", "password")
_TOKEN = re.compile(r"[!-~]+")
_MASKED = re.compile(r"\*{4,}")
# Databricks' own begin so; the token of a service is three parts in base64, of which the first one always begins so.
_TOKEN_AS_HOST = re.compile(r"d[a-z]{3}[0-9a-f]{16,}(-\d+)?|eyj[\w-]{12,}\.[\w-]+\.[\w-]*")
_LONGEST_PART = 63  # characters of a host's name between two dots
_A_TOKEN = 16  # characters; none that people use is shorter


def hidden(fields: Mapping[str, Any], known: Collection[str]) -> tuple[dict[str, Any], str]:
    """Return the fields of a block with no secret in plain, and what is wrong with them, or nothing.

    Args:
        fields: As they are given to the block.
        known: The fields that it has; what stands under another name is left out.
    """
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _SECRETS:
            text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            if not isinstance(text, (str, type(None))):
                return {}, f"`{name}` must be text, not {type(value).__name__}."
            found[name] = None if text is None else SecretStr(text)
        elif name in ("host", "login") and not isinstance(value, (str, type(None))):
            return {}, f"`{name}` must be text, not {type(value).__name__}."
        elif name in known or name.startswith("_"):
            found[name] = value
    return found, ""


def fault_of_names(names: Collection[str], known: Collection[str]) -> str:
    """Return a sentence on the fields that a block does not have, or nothing; Prefect would keep them without a word.

    Args:
        names: What it is given.
        known: The fields that it has, and what Prefect itself adds, as it does with all that begins with `_`.
    """
    unknown = [name for name in names if name not in known and not name.startswith("_")]
    if not unknown:
        return ""
    # One that is not nearly a field's name may be a secret that stands in the wrong place.
    misspelt = [name for name in unknown if name.isalpha() and get_close_matches(name, known, cutoff=0.7)]
    named = f"no field {', '.join(map(repr, misspelt))}" if misspelt else "no field of a name that it is given"
    return (
        f"DatabricksCredentials has {named}. "
        "Its fields are host, token, login, password, request_timeout_seconds and requests_per_second."
    )


def is_token(host: str, token: SecretStr | None) -> bool:
    """Return whether what is given as an address is a token: that one, or what looks like one."""
    name = re.split("[/?#:]", re.sub("^https?://", "", host.strip().lower()))[0]
    text = token.get_secret_value().strip().lower() if token else ""
    return (
        bool(_TOKEN_AS_HOST.fullmatch(name))
        or any(len(part) > _LONGEST_PART for part in name.split("."))
        or (len(text) >= _A_TOKEN and text in name)
    )


def way_to_sign_in(host: str, token: SecretStr, login: str, password: SecretStr) -> TokenAuth | BasicAuth | str:
    """Return how these fields sign in, or what is wrong with them.

    Args:
        host: The workspace's address, for the sentence.
        token: A personal access token, or an empty one.
        login: The user's name, or nothing.
        password: The user's password, or an empty one.
    """
    text, word = token.get_secret_value().strip(), password.get_secret_value()
    if _MASKED.fullmatch(text or word):
        return (
            f"The secret for {host} is masked (***), as it is when Prefect sends a block as data. Give the "
            'parameter as {"$ref": {"block_document_slug": "databricks-runs-credentials/NAME"}} instead.'
        )
    if text and (login or word):
        return f"Two ways to sign in to {host} are set. {WAYS} Leave the others empty."
    if text and not _TOKEN.fullmatch(text):
        return f"The token for {host} has a space, a line break or another character that no token has. Copy it again."
    if text:
        return TokenAuth(text)
    if login and word:
        return BasicAuth(login, word)
    missing = "`password` is missing" if login else "`login` is missing" if word else "No way to sign in is set"
    return f"{missing} for {host}. {WAYS}"


def of_connection(connection: Any) -> tuple[dict[str, Any], str]:
    """Return the fields that the connection string of Prefect 1 has, and what is wrong with it, or nothing.

    Args:
        connection: A mapping, or JSON text.
    """
    if isinstance(connection, str):
        try:
            connection = json.loads(connection)
        except (ValueError, RecursionError):
            return {}, "The Databricks connection string is not JSON."
    if not isinstance(connection, Mapping):
        return {}, 'The Databricks connection must be a mapping such as {"host": …, "token": …}.'
    # Not quoted: where keys and values are mixed up, the token stands there.
    unknown = sum(key not in _KEYS for key in connection)
    if unknown:
        keys = "1 unknown key" if unknown == 1 else f"{unknown} unknown keys"
        return {}, f"The Databricks connection has {keys}. It may have {', '.join(map(repr, _KEYS))}."
    if not connection.get("host"):
        return {}, "The Databricks connection has no `host`."
    wrong = sorted(key for key, value in connection.items() if not isinstance(value, (str, type(None))))
    if wrong:
        return {}, f"The Databricks connection's {', '.join(map(repr, wrong))} must be text."
    return hidden({key: value for key, value in connection.items() if value is not None}, _KEYS)
