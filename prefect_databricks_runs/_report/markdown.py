"""Texts that somebody else wrote, as they may stand in the markdown of an artifact or its description.

Prefect has two UIs: one takes `marked`, the other one `remark` with GitHub's links and with HTML. In both, nothing in a
text that came through here is a link, an image, a tag or the end of a fence.
"""

from __future__ import annotations

import re

from .._text import first_line, name, one_line, visible

_SENTENCES_CHARACTERS = 2_000
_CELL_CHARACTERS = 100  # a longer one hides the columns after it
# What means something in the middle of a line. An underscore between letters and digits does not, and is left alone:
# where markdown is read as it is, names look right.
_MARKS = re.compile(r"[\\`*\[\]<>&#|~!$^{}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# What means something at the beginning of one: a list, a rule, a heading under a line, a definition.
_START = re.compile(r"^([-+=:]|\d+(?=[.)]))")
# What GitHub's markdown makes a link of. Of that, remark looks after it has read the escapes, which thus are no help;
# in code neither looks.
_LINKED = re.compile(r"://|www\.|[\w.+-]@|\b(?:mailto|xmpp):", re.IGNORECASE)
_WORD = re.compile(r"[^\s`|\\]+")
_BACKTICKS = re.compile("`+")
_OUR_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9:/?#@!$&+,;=%._~-]")


def escaped(text: str) -> str:
    """Give a line of text in which nothing is markdown; addresses stand as code.

    Args:
        text: The text, without newlines.
    """
    parts: list[str] = []
    end = 0
    for word in _WORD.finditer(text):
        if _LINKED.search(word[0]):
            parts += [_without_marks(text[end : word.start()]), f"`{word[0]}`"]
            end = word.end()
    return _START.sub(_escape_start, "".join([*parts, _without_marks(text[end:])]))


def _without_marks(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", text)


def _escape_start(found: re.Match[str]) -> str:
    start = found[0]
    return f"{start}\\" if start[0].isdigit() else f"\\{start}"


def cell(text: str) -> str:
    """Give a text that fits into a cell of a table, or a line."""
    return escaped(one_line(text))


def plain_cell(text: str) -> str:
    """Give the first line of a text for a cell of a table."""
    return escaped(first_line(text, _CELL_CHARACTERS))


def link(text: str, url: str) -> str:
    """Give a link of our own; without a web address, only the text.

    Args:
        text: What is shown, of whomever.
        url: Where it leads.
    """
    shown = escaped(name(text))
    return f"[{shown}]({_NOT_IN_URL.sub(_percent, url)})" if _OUR_URL.match(url) else shown


def sentences(text: str, host: str) -> str:
    """Give sentences of ours, in which pages of runs are links.

    Args:
        text: The sentences; they may quote others.
        host: The workspace's address.
    """
    words = one_line(text, _SENTENCES_CHARACTERS).split(" ")
    return " ".join(link(word, word) if word.startswith(f"{host}/jobs/") else escaped(word) for word in words)


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))


def fence(text: str) -> list[str]:
    """Give the lines of a block of code, which nothing in the text can end.

    Args:
        text: The text, with its lines.
    """
    text = visible(text)
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}text", text, ticks]
