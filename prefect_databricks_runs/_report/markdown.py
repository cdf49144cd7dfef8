"""Texts that somebody else wrote, as they may stand in the markdown of an artifact or its description.

Prefect has two UIs: one takes `marked`, the other one `remark` with GitHub's links and with HTML. In both, nothing in a
text that came through here is a link, an image, a tag or the end of a fence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._text import first_line, name, one_line, visible

_SENTENCES_CHARACTERS = 2_000
_CELL_CHARACTERS = 100  # a longer one hides the columns after it
# What means something in a line, wherever it stands. The rest is left alone: the first UI shows the text of a link as
# it is written, and a name looks right there too, and so does all of it to those who read the markdown itself.
_MARKS = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)|[`\[\]|]|<(?=[A-Za-z/!?])|&(?=#?\w+;)")
# What means something as one of a pair; an underscore between letters and digits does not.
_PAIRED = [re.compile(r"\*"), re.compile("~"), re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")]
# What means something at the beginning: a list, a quote, a heading, a rule, a fence, a definition.
_START = re.compile(r"^([-+=:#>*~]|\d+(?=[.)]))")
# What GitHub's markdown makes a link of. Of that, remark looks after it has read the escapes, which thus are no help;
# in code neither looks.
_LINKED = re.compile(r"://|www\.|[\w.+-]@|\b(?:mailto|xmpp):", re.IGNORECASE)
_WORD = re.compile(r"[^\s`|\\]+")
_BACKTICKS = re.compile("`+")
_OUR_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_NOT_IN_URL = re.compile(r"[^A-Za-z0-9:/?#@!$&+,;=%._~-]")


def escaped(text: str) -> str:
    """Return a line of text in which nothing is markdown; addresses stand as code.

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
    """Return the text of a link. No UI makes a link of an address in there."""
    return _without_marks(text, [each for each in _PAIRED if len(each.findall(text)) > 1])


def _without_marks(text: str, paired: Sequence[re.Pattern[str]]) -> str:
    at = {found.start() for each in (_MARKS, *paired) for found in each.finditer(text)}
    return "".join(f"\\{character}" if place in at else character for place, character in enumerate(text))


def _escape_start(found: re.Match[str]) -> str:
    start = found[0]
    return f"{start}\\" if start[0].isdigit() else f"\\{start}"


def cell(text: str) -> str:
    """Return a text that fits into a cell of a table, or a line."""
    return escaped(one_line(text))


def plain_cell(text: str) -> str:
    """Return the first line of a text for a cell of a table."""
    return escaped(first_line(text, _CELL_CHARACTERS))


def link(text: str, url: str) -> str:
    """Return a link of our own; without a web address, only the text.

    Args:
        text: What is shown, of whomever.
        url: Where it leads.
    """
    text = name(text)
    return f"[{_label(text)}]({_NOT_IN_URL.sub(_percent, url)})" if _OUR_URL.match(url) else escaped(text)


def sentences(text: str, host: str) -> str:
    """Return sentences of ours, in which pages of runs are links.

    Args:
        text: The sentences; they may quote others.
        host: The workspace's address.
    """
    parts = re.split(rf"({re.escape(host)}/jobs/\S+)", one_line(text, _SENTENCES_CHARACTERS))
    return "".join(link(part, part) if place % 2 else escaped(part) for place, part in enumerate(parts))


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))


def fence(text: str) -> list[str]:
    """Return the lines of a block of code, which nothing in the text can end.

    Args:
        text: The text, with its lines.
    """
    text = visible(text)
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}text", text, ticks]
