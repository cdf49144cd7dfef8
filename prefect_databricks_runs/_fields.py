"""Read each field of an answer as the type that the Jobs API documents for it.

A wait must not end because one field is odd: a value of another type is read as missing. Only a run without an id is
refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_LARGEST = 2**63 - 1  # the API's int64
_MAX_DIGITS = 19


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object; empty for anything else."""
    return value if isinstance(value, Mapping) else {}


def as_mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Return the objects in a JSON list; nothing for anything else."""
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, (list, tuple)) else iter(())


def are_mappings(value: Any) -> bool:
    """Return whether this is a list of JSON objects, or missing."""
    return value is None or (isinstance(value, (list, tuple)) and all(isinstance(each, Mapping) for each in value))


def as_text(value: Any) -> str:
    """Return a string; a number or a boolean as a string, empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, float) or (isinstance(value, int) and abs(value) <= _LARGEST) else ""


def as_text_or_none(value: Any) -> str | None:
    """Return a string as `as_text` does, and None for anything else."""
    return as_text(value) if isinstance(value, (str, int, float)) else None


def as_int(value: Any) -> int:
    """Return a whole number of at most 64 bits; 0 for anything else."""
    number = _whole(value)
    return number if number is not None and abs(number) <= _LARGEST else 0


def as_id(value: Any) -> int:
    """Return the id of a run or a job.

    Args:
        value: A positive whole number, or its digits.

    Raises:
        ValueError: The value is neither.
    """
    number = as_int(value)
    if number <= 0 or (isinstance(value, float) and not value.is_integer()):
        raise ValueError("an id that is not a positive whole number")
    return number


def as_number(value: Any) -> float | None:
    """Return a finite number, which may come as a string; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    return value if isinstance(value, int) else None
