"""Values of a job's settings as they may be shown: short, on one line, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import dumps
from typing import Any, Final

from .._text import one_line

MASK: Final = "***"
_SHOWN_CHARACTERS = 200
_SEARCHED_CHARACTERS = 2_000
# Where users put secrets, under any names.
_MAPS_OF_SECRETS = frozenset(("spark_conf", "spark_env_vars", "variables"))
_SECRET_NAME = re.compile(
    r"passw|pwd|secret|token|credential|basic_auth|(?:api|access|account|private|shared|client|encryption)[-_. ]?key",
    re.IGNORECASE,
)
_NAMED_IN_TEXT = re.compile(
    rf"((?:{_SECRET_NAME.pattern})[\w.-]{{0,40}}[\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?)[^\s;&\"']+", re.IGNORECASE
)
# What holds a value under the name that stands beside it, as in `{"name": "api_token", "default": "…"}`.
_NAMES, _VALUES = ("name", "key"), frozenset(("default", "value"))
# Keys that users choose for things that are not values: a task may be called `refresh_token`.
_OWN_KEY = re.compile(r"^(tasks|job_clusters|environments)\[[^\]]*\]")
_IN_ADDRESS = re.compile(r"(://)[^/@\s]{1,500}(@)")
_TOKENS = re.compile(
    r"\bdapi[0-9a-f]{16,}|\bdose[0-9a-f]{16,}|\beyJ[\w-]{10,}\.[\w.-]+|\bgh[pousr]_\w{16,}|\bAKIA\w{12,}"
    r"|(?i:(?<=bearer )|(?<=basic ))[\w.~+/-]{8,}=*|(?<=[?&]sig=)[^&\s]+"  # of a header, of an address of Azure
    r"|(?<=hooks\.slack\.com/)\S+|(?<=webhook\.office\.com/)\S+"
)


def shown(value: Any, around: Iterable[str] = ()) -> str:
    """Return a value as compact JSON, shortened.

    Args:
        value: Plain JSON.
        around: The keys that lead to it.
    """
    hidden = any(map(_hides, around))
    return one_line(dumps(_masked(value, hidden=hidden), ensure_ascii=False), _SHOWN_CHARACTERS)


def keys_in(path: str) -> list[str]:
    """Return the keys of a path that may say that its value is a secret.

    Args:
        path: Such as `tasks[clean].notebook_task.base_parameters.token`.
    """
    return _OWN_KEY.sub(r"\1", path).replace("[", ".").split(".")


def _hides(key: str) -> bool:
    return key in _MAPS_OF_SECRETS or bool(_SECRET_NAME.search(key))


def _masked(value: Any, *, hidden: bool) -> Any:
    if isinstance(value, dict):
        named = _VALUES if any(_hides(str(value.get(each))) for each in _NAMES) else frozenset()
        return {key: _masked(item, hidden=hidden or key in named or _hides(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, hidden=hidden or _follows_name(value, index)) for index, item in enumerate(value)]
    if hidden and value is not None:
        return MASK
    return _without_secrets(value) if isinstance(value, str) else value


def _follows_name(values: list[Any], index: int) -> bool:
    """Whether an argument is the value of the option before it, as in `--token abc`."""
    before = values[index - 1] if index else None
    return (
        isinstance(before, str) and before.startswith("-") and "=" not in before and bool(_SECRET_NAME.search(before))
    )


def _without_secrets(text: str) -> str:
    text = text[:_SEARCHED_CHARACTERS]  # of more than is shown
    text = _IN_ADDRESS.sub(rf"\1{MASK}\2", text)
    return _TOKENS.sub(MASK, _NAMED_IN_TEXT.sub(rf"\1{MASK}", text))
