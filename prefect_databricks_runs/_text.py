"""The door for text that somebody else wrote: whatever is shown anywhere comes through here.

All functions here begin with `visible`. The last ones in the chain do it once more (`errors.DatabricksError`,
`_prefect.logging.SteadyLogger`, the things of `_report`), so that a text that was forgotten before is harmless too.
They cannot know where a text of others begins and ends: use `one_line`, `name` or `quoted` to put one into a sentence
of ours, and `indented` to show its lines, so that none of them looks like a line of our own.
"""

from __future__ import annotations

import html
import re
from typing import Any

_SHOWN_CHARACTERS = 600
_NAME_CHARACTERS = 200  # Databricks allows 100 for a task's key
_ID_CHARACTERS = 100
_MANY_CHARACTERS = 20_000  # of what is our own for the most part, such as the faults of a request

# Colours, movements of the cursor, titles and links of a terminal, each as a whole. None has a star within a star, so
# that a megabyte of half ones takes no longer than one of letters.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
# The same as Databricks has it in old answers; what is between the tags is HTML then.
_ANSI_TAG = re.compile(r"<(?:span|div) class=(['\"])ansi[\w -]*\1>")
_END_TAG = re.compile(r"</(?:span|div)>")
# Control characters but newline and tab; what turns the direction of a text; what is not seen, and makes two names
# look alike; halves of characters, which no database takes. A joiner between letters that are not ASCII, and a mark
# that chooses the form of the one before it, are part of a script or an emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_ID = re.compile(rf"[A-Za-z0-9_.:-]{{1,{_ID_CHARACTERS}}}")


def visible(text: str) -> str:
    r"""Remove colours, and show what is not seen as an escape, such as `\x1b` or `\u202e`; lines and tabs stay.

    Args:
        text: What somebody else wrote.
    """
    if _ANSI_TAG.search(text):
        text = html.unescape(_END_TAG.sub("", _ANSI_TAG.sub("", text)))
    return _UNSEEN.sub(_escape, _ANSI.sub("", text).replace("\r\n", "\n"))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] == "\r":
        return "\\r"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def shorten(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Cut a text to `limit` characters, saying how many were left out; it may have several lines.

    Args:
        text: What somebody else wrote.
        limit: How many characters may be shown.
    """
    text = text.strip()
    return _cut(visible(text[: _window(limit)]), max(0, len(text) - _window(limit)), limit)


def one_line(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return a text as one line, shortened.

    Args:
        text: What somebody else wrote.
        limit: How many characters may be shown.
    """
    text = text.strip()
    words = " ".join(visible(text[: _window(limit)]).split())
    return _cut(words, max(0, len(text) - _window(limit)), limit)


def _window(limit: int) -> int:
    """How much of a text is looked at, which may have 5 MB: colours may take more of it than words."""
    return 4 * limit + 1_000


def _cut(text: str, unseen: int, limit: int) -> str:
    more = len(text) - limit + unseen
    return text if more <= 0 else f"{text[:limit]}… ({more} more characters)"


def first_line(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return the first line of a text that is not blank, shortened.

    Args:
        text: What somebody else wrote.
        limit: How many characters may be shown.
    """
    return one_line(text.lstrip().partition("\n")[0], limit)


def name(text: object) -> str:
    """Return what something is called, such as a task, as it may stand in a sentence or be a name in Prefect.

    Args:
        text: The name.
    """
    return one_line(str(text), _NAME_CHARACTERS)


def quoted(text: str) -> str:
    """Return what something is called in quotes.

    Args:
        text: The name.
    """
    return repr(name(text)).replace("\\\\", "\\")  # the escapes stay as they are


def identifier(text: str) -> str:
    """Return a code or an id as it came if it is one, and otherwise what can be shown of it.

    Args:
        text: Such as `INVALID_PARAMETER_VALUE`.
    """
    return text if _ID.fullmatch(text) else one_line(text, _ID_CHARACTERS)


def indented(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return a text whose lines after the first one are set in, so that none looks like a line of our own.

    Args:
        text: What somebody else wrote.
        limit: How many characters may be shown.
    """
    return shorten(text, limit).replace("\n", "\n    ")


def tail(text: str, limit: int) -> str:
    """Return the end of a text that may have several lines.

    Args:
        text: What somebody else wrote, such as a traceback.
        limit: How many characters may be shown.
    """
    return visible(text[-_window(limit) :])[-limit:]


def ours(text: str) -> str:
    """Return a text of ours with texts of others in it, which may have been forgotten: nothing is hidden, none is huge.

    Args:
        text: What is about to be shown.
    """
    return shorten(text, _MANY_CHARACTERS) if len(text) > _MANY_CHARACTERS else visible(text)


def safe_repr(value: Any, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return the `repr` of anything, shortened; of what has none, its type.

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
