"""Make foreign strings safe to show. Every foreign string passes through here before it is shown.

All functions here begin with `visible`. The last steps before the output call it again (`errors.DatabricksError`,
`_prefect.logging.SteadyLogger`, `_report`), so a string that was forgotten before is harmless too. They cannot know
where a foreign string begins and ends: use `one_line`, `name` or `quoted` to put one into a sentence, and `indented` to
show its lines, so that none looks like a line of this package.
"""

from __future__ import annotations

import html
import re
from typing import Any

_SHOWN_CHARACTERS = 600
_NAME_CHARACTERS = 200  # Databricks allows 100 for a task's key
_ID_CHARACTERS = 100
_MANY_CHARACTERS = 20_000  # for mostly our own text, such as the faults of a request

# Colors, cursor movements, titles and links of a terminal, each as a whole. No star is nested, so a megabyte of partial
# sequences takes no longer than a megabyte of letters.
_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
# The same as Databricks writes it in old answers; between the tags there is HTML.
_ANSI_TAG = re.compile(r"<(?:span|div) class=(['\"])ansi[\w -]*\1>")
_END_TAG = re.compile(r"</(?:span|div)>")
# Control characters except newline and tab; characters that change the direction of text; invisible ones, which make
# two names look alike; lone surrogates, which databases refuse. A joiner between letters that are not ASCII, and a mark
# that selects the form of the one before it, are part of a script or an emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    r"|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_ID = re.compile(rf"[A-Za-z0-9_.:-]{{1,{_ID_CHARACTERS}}}")


def visible(text: str) -> str:
    r"""Remove colors, and show invisible characters as escapes, such as `\x1b` or `\u202e`; newlines and tabs stay.

    Args:
        text: A foreign string.
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
    """Cut a string, which may have several lines, and append how many characters were left out.

    Args:
        text: A foreign string.
        limit: The number of characters to show.
    """
    text = text.strip()
    return _cut(visible(text[: _window(limit)]), max(0, len(text) - _window(limit)), limit)


def one_line(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return a string as one line, shortened.

    Args:
        text: A foreign string.
        limit: The number of characters to show.
    """
    text = text.strip()
    words = " ".join(visible(text[: _window(limit)]).split())
    return _cut(words, max(0, len(text) - _window(limit)), limit)


def _window(limit: int) -> int:
    """Return how much of a string of up to 5 MB to look at: colors may take more of it than words."""
    return 4 * limit + 1_000


def _cut(text: str, unseen: int, limit: int) -> str:
    more = len(text) - limit + unseen
    return text if more <= 0 else f"{text[:limit]}… ({more} more characters)"


def first_line(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return the first line that is not blank, shortened.

    Args:
        text: A foreign string.
        limit: The number of characters to show.
    """
    return one_line(text.lstrip().partition("\n")[0], limit)


def name(text: object) -> str:
    """Return the name of something, such as a task, safe for a sentence or for a name in Prefect.

    Args:
        text: The name.
    """
    return one_line(str(text), _NAME_CHARACTERS)


def quoted(text: str) -> str:
    """Return the name of something in quotes.

    Args:
        text: The name.
    """
    return repr(name(text)).replace("\\\\", "\\")  # keep the escapes


def identifier(text: str) -> str:
    """Return a valid code or id unchanged, and otherwise the part that can be shown.

    Args:
        text: A code or id, such as `INVALID_PARAMETER_VALUE`.
    """
    return text if _ID.fullmatch(text) else one_line(text, _ID_CHARACTERS)


def indented(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return a string with all lines after the first one indented, so that none looks like a line of this package.

    Args:
        text: A foreign string.
        limit: The number of characters to show.
    """
    return shorten(text, limit).replace("\n", "\n    ")


def tail(text: str, limit: int) -> str:
    """Return the end of a string, which may have several lines.

    Args:
        text: A foreign string, such as a traceback.
        limit: The number of characters to show.
    """
    return visible(text[-_window(limit) :])[-limit:]


def ours(text: str) -> str:
    """Return our own message, with any foreign parts made visible and of limited size.

    Args:
        text: The message to show.
    """
    return shorten(text, _MANY_CHARACTERS) if len(text) > _MANY_CHARACTERS else visible(text)


def safe_repr(value: Any, limit: int = _SHOWN_CHARACTERS) -> str:
    """Return the `repr` of anything, shortened; its type if `repr` fails.

    Args:
        value: Any value.
        limit: The number of characters to show.
    """
    try:
        return shorten(repr(value), limit)
    except Exception:
        return f"<{type(value).__name__} without a repr>"


def has_repr(value: Any) -> bool:
    """Return whether `repr` works: it may raise in foreign classes, and fails for very deep values."""
    try:
        repr(value)
    except Exception:
        return False
    return True
