"""Texts that somebody else wrote, as they may stand in the markdown of an artifact."""

from __future__ import annotations

import re
import string

from .._text import first_line, shorten

_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")
_CELL_CHARACTERS = 100  # a longer one hides the columns after it


def cell(text: str) -> str:
    """Return a text that fits into a cell of a table, or a line."""
    return " ".join(shorten(text).replace("|", "\\|").split())


def plain_cell(text: str) -> str:
    """Return the first line of a text for a cell of a table, in which nothing is a link, an image or a tag."""
    # CommonMark takes a backslash before any ASCII punctuation for that character, and for nothing else.
    return _PUNCTUATION.sub(r"\\\g<0>", first_line(text, _CELL_CHARACTERS))
