"""Text that somebody else wrote, made fit to be shown."""

from __future__ import annotations

from typing import Any

_SHOWN_CHARACTERS = 600


def shorten(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Cut a text to `limit` characters, saying how many were left out.

    Args:
        text: What somebody else wrote.
        limit: How many characters may be shown.
    """
    text = text.strip()
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def first_line(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Give the first line of a text that is not blank, shortened and without control characters.

    Args:
        text: What somebody else wrote.
        limit: How many characters may be shown.
    """
    line = text.lstrip().partition("\n")[0]  # of a text of 5 MB nothing more is looked at
    return shorten("".join(each if each.isprintable() else " " for each in line[:limit]) + line[limit:], limit)


def safe_repr(value: Any, limit: int = _SHOWN_CHARACTERS) -> str:
    """Give the `repr` of anything, shortened; of what has none, its type.

    Args:
        value: What somebody has given us.
        limit: How many characters may be shown.
    """
    try:
        return shorten(repr(value), limit)
    except Exception:
        return f"<{type(value).__name__} without a repr>"


def has_repr(value: Any) -> bool:
    """Whether there is a `repr` of it: that of a class of someone else may raise, and very deep ones have none."""
    try:
        repr(value)
    except Exception:
        return False
    return True
