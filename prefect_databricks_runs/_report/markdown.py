"""Make foreign strings safe in the markdown of an artifact or its description.

Prefect has two UIs: one uses `marked`, the other `remark` with GitHub's links and with HTML. In both, a string from
here contains no link, no image, no tag and no end of a code block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .._text import first_line, name, one_line, visible

_SENTENCES_CHARACTERS = 2_000
_CELL_CHARACTERS = 100  # a longer cell hides the columns after it
# Characters with a meaning anywhere in a line. The others are left alone: the first UI shows the text of a link as it
# is written, so names look right there, and the markdown itself stays readable.
_MARKS = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)|[`\[\]|]|<(?=[A-Za-z/!?])|&(?=#?\w+;)")
# Characters with a meaning in pairs; an underscore between letters and digits has none.
_PAIRED = [re.compile(r"\*"), re.compile("~"), re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")]
# Characters with a meaning at the beginning: a list, a quote, a heading, a rule, a code block, a definition.
_START = re.compile(r"^([-+=:#>*~]|\d+(?=[.)]))")
# GitHub's markdown turns these into links. `remark` looks for them after it has read the escapes, so escapes do not
# help; in code, neither UI looks for them.
_LINKED = re.compile(r"://|www\.|[\w.+-]@|\b(?:mailto|xmpp):", re.IGNORECASE)
_WORD = re.compile(r"[^\s`|\\]+")
_BACKTICKS = re.compile("`+")
_OUR_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9:/?#@!$&+,;=%._~-]")


def escaped(text: str) -> str:
    """Return a line of text without markdown; addresses become code.

    Args:
        text: The text, without newlines.
    """
    parts: list[str] = []
    end = 0
    for word in _WORD.finditer(text):
        if _LINKED.search(word[0]):
            parts += [text[end : word.start()], word[0]]
            end = word.end()
    parts.append(text[end:])
    plain = "".join(parts[::2])
    paired = [each for each in _PAIRED if len(each.findall(plain)) > 1]
    parts[::2] = [_without_marks(each, paired) for each in parts[::2]]
    parts[1::2] = [f"`{each}`" for each in parts[1::2]]
    return _START.sub(_escape_start, "".join(parts))


def _label(text: str) -> str:
    """Return the text of a link. There, no UI turns an address into a link."""
    return _without_marks(text, [each for each in _PAIRED if len(each.findall(text)) > 1])


def _without_marks(text: str, paired: Sequence[re.Pattern[str]]) -> str:
    at = {found.start() for each in (_MARKS, *paired) for found in each.finditer(text)}
    return "".join(f"\\{character}" if place in at else character for place, character in enumerate(text))


def _escape_start(found: re.Match[str]) -> str:
    start = found[0]
    return f"{start}\\" if start[0].isdigit() else f"\\{start}"


def cell(text: str) -> str:
    """Return a string for one table cell or one line."""
    return escaped(one_line(text))


def plain_cell(text: str) -> str:
    """Return the first line of a string for a table cell."""
    return escaped(first_line(text, _CELL_CHARACTERS))


def link(text: str, url: str) -> str:
    """Return a link, or only its text if the address is not a web address.

    Args:
        text: The text to show; may be foreign.
        url: The address.
    """
    text = name(text)
    return f"[{_label(text)}]({_NOT_IN_URL.sub(_percent, url)})" if _OUR_URL.match(url) else escaped(text)


def sentences(text: str, host: str) -> str:
    """Return our own sentences, with pages of runs as links.

    Args:
        text: The sentences; they may quote foreign strings.
        host: The workspace's address.
    """
    parts = re.split(rf"({re.escape(host)}/jobs/\S+)", one_line(text, _SENTENCES_CHARACTERS))
    return "".join(link(part, part) if place % 2 else escaped(part) for place, part in enumerate(parts))


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))


def grid(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table.

    Args:
        columns: What is in its head.
        rows: Its cells, each in markdown.
    """
    lines = [f"| {' | '.join(cells)} |" for cells in (columns, *rows)]
    return [lines[0], "|" + "---|" * len(columns), *lines[1:]]


def fence(text: str) -> list[str]:
    """Return the lines of a code block that nothing in the text can end.

    Args:
        text: The text, with its lines.
    """
    text = visible(text)
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}text", text, ticks]
