"""We write plain words: no pattern that we have replaced is left in a message, a docstring, a comment or a page."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import prefect_databricks_runs

PACKAGE = Path(prefect_databricks_runs.__file__).parent
ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / ".github").glob("*.md"),
]

# Each pattern, and the words to use instead.
PATTERNS = {
    r"\b(tells?|telling|told)\b(?![^.]* apart)": "log, report, notify, send to Prefect",
    r"(?<!there )\b(is|are|was|were) no (?!longer\b)": "is not a, does not exist",
    r"\bno such\b": "does not exist",
    r"\b(those that|one that|as far as|be it)\b": "the noun again; if known; whether",
    r"\b(of (its|their|our|his) own\b(?! [a-z])|by (itself|themselves))\b": "its own; on its own",
    r"\b(go|goes|went|going) on\b": "keeps running, continues",
    r"\b(is|are|be|was|were|still|going) going\b(?! through)|\bgoing again\b": "is running, is active",
    r"\b(give|gives|gave|giving)\b(?! up)|\b(is|are|was|were|be) given\b": "returns, passes",
    r"\b(on end|anew|all the same|for ever|bear|bears|borne|meanwhile)\b": "in a row; again; anyway; forever; tolerate",
    r"\b(is|are|be|was|were|not) over\b": "finished",
    r"\bend(s|ed)? (well|badly)\b|\bnot well\b": "succeeded, failed",
    r"\b(whoever|nobody|somebody|who(ever)? asks)\b": "the caller, no other process, someone else",
    r"\b(time-outs?|set-up|small letters|an? text|texts)\b": "timeout, setup, lower case, a string",
    r"\w*(colour|behaviour|favour|catalogue|(normal|summar|organ|recogn|initial|serial)is(e|ing))": "American",
}
# A page has instructions, and "Give your flow a hook" is plain in an instruction.
IN_PAGES = {**PATTERNS, r"\b(gives|gave|giving)\b(?! up)|\b(is|are|was|were|be) given\b": "returns, passes"}
del IN_PAGES[r"\b(give|gives|gave|giving)\b(?! up)|\b(is|are|was|were|be) given\b"]
OPENING = r"(What|Who|Whose|Where|Which|How|Why|When)\b"

# Where a pattern is right: the file, and a part of the sentence.
ALLOWED: set[tuple[str, str]] = set()


class Sentence(NamedTuple):
    """A string, a comment or a line of a page that someone may read, and its place."""

    file: str
    line: int
    text: str
    is_docstring: bool


def sentences() -> Iterator[Sentence]:
    """Return the docstrings and comments of the package, and its strings with more than one word."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield from sentences_of(path)


def sentences_of(path: Path) -> Iterator[Sentence]:
    source, file = path.read_text("utf-8"), str(path.relative_to(PACKAGE))
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Sentence(file, node.lineno, node.value, id(node) in docstrings)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Sentence(file, token.start[0], token.string, is_docstring=False)


def lines(page: Path) -> Iterator[Sentence]:
    """Return the lines of a page without its code, its addresses, and what is written from docstrings."""
    text = page.read_text("utf-8")
    for hidden in (r"<!-- (?:reference|commands): .*?<!-- its end -->", r"^```.*?^```$", r"<!--.*?-->", r"\]\([^)]*\)"):
        text = re.sub(hidden, lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    file = page.relative_to(ROOT).as_posix()
    for number, line in enumerate(text.splitlines(), start=1):
        yield Sentence(file, number, line, is_docstring=False)


def faults(sentence: Sentence, patterns: Mapping[str, str] = PATTERNS) -> Iterator[str]:
    place = f"{sentence.file}:{sentence.line}"
    if sentence.is_docstring and re.match(OPENING, sentence.text):
        yield f"{place}: a docstring opens with {sentence.text.split()[0]!r}; use a noun or an imperative"
    text = " ".join(re.sub(r"```.*?```|`[^`]*`", "CODE", sentence.text, flags=re.DOTALL).split())
    for pattern, instead in patterns.items():
        for found in re.finditer(pattern, text, re.IGNORECASE):
            if not any(file == sentence.file and part in text for file, part in ALLOWED):
                around = text[max(0, found.start() - 30) : found.end() + 30]
                yield f"{place}: …{around}… (instead of {found[0]!r}: {instead})"


def test_the_package_has_plain_words() -> None:
    assert [fault for sentence in sentences() for fault in faults(sentence)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_has_plain_words(page: Path) -> None:
    assert [fault for line in lines(page) for fault in faults(line, IN_PAGES)] == []


def test_every_pattern_is_found() -> None:
    before = (
        "Prefect can be told of it again.",
        "it is no address",
        "no such run",
        "those that failed",
        "a loop of its own",
        "Databricks run 7 goes on",
        "may be going again",
        "the run is given back",
        "asked anew",
        "the run is over",
        "it ended well",
        "nobody asks",
        "a time-out",
        "normalised",
    )
    missed = [each for each in before if not list(faults(Sentence("x.py", 1, each, is_docstring=False)))]
    assert missed == []
    assert list(faults(Sentence("x.py", 1, "What is shown.", is_docstring=True)))


def test_every_allowed_place_is_still_there() -> None:
    read = [*sentences(), *(line for page in PAGES for line in lines(page))]
    texts = [(each.file, " ".join(each.text.split())) for each in read]
    assert [place for place in ALLOWED if not any(place[0] == file and place[1] in text for file, text in texts)] == []
