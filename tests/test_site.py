"""The pages as they are in the repository: their links lead somewhere, guides are short, pictures are current."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from docs.pictures.schemes import on_page_content
from docs.pictures.shown import MADE, shown
from tests.test_docs import DOCS, PAGES, ROOT, name_of, named

MORE = [*sorted((ROOT / ".github").glob("*.md"))]
MOST_LINES = 250
# A page of these is looked up in, and not read from its top to its end.
LONG = ("docs/reference/", "docs/architecture.md", "docs/changelog.md", "CHANGELOG.md")


def on_github(heading: str) -> str:
    """The anchor of a heading on the page of the repository."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def on_the_site(heading: str) -> str:
    """The anchor of a heading on the built site, as the `toc` extension of Python-Markdown makes it."""
    text = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower())


@cache
def parsed(page: Path) -> list[Any]:
    return MarkdownIt().enable("table").parse(page.read_text("utf-8"))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that are the same in both places."""
    tokens = parsed(page)
    headings = [
        "".join(each.content for each in inline.children if each.type in ("text", "code_inline"))
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open"
    ]
    return {on_github(each) for each in headings if on_github(each) == on_the_site(each)}


def links(page: Path) -> list[str]:
    """The addresses of a page, pictures included."""
    inlines = [child for token in parsed(page) for child in token.children or ()]
    return [
        str(each.attrs.get("href") or each.attrs.get("src")) for each in inlines if each.type in ("link_open", "image")
    ]


@pytest.mark.parametrize("page", [*PAGES, *MORE], ids=map(name_of, [*PAGES, *MORE]))
def test_every_link_leads_to_a_file_and_a_heading_there(page: Path) -> None:
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@named(PAGES)
def test_a_page_that_is_read_is_short(page: Path) -> None:
    if not name_of(page).startswith(LONG):
        assert len(page.read_text("utf-8").splitlines()) <= MOST_LINES


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert sorted(leaves(nav)) == sorted(pages)


def leaves(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [leaf for each in (nav.values() if isinstance(nav, dict) else nav) for leaf in leaves(each)]


def test_no_picture_is_older_than_what_it_shows() -> None:
    """docs/pictures/make.py writes down what its pictures show."""
    made = json.loads(MADE.read_text("utf-8"))
    assert made["shown"] == shown(), "run: python docs/pictures/make.py"


def test_every_picture_of_the_ui_is_light_and_dark_and_shown_on_a_page() -> None:
    made = json.loads(MADE.read_text("utf-8"))
    light = set(made["shown"])
    pictures = {f"{name}{ending}.png" for name in light for ending in ("", "-dark")}
    assert {path.name for path in MADE.parent.glob("*.png")} == set(made["pictures"]) == pictures
    on_pages = {name for page in PAGES for name in re.findall(r"pictures/([\w-]+)\.png", page.read_text("utf-8"))}
    assert {name.removesuffix("-dark") for name in on_pages} == light


def test_the_site_shows_a_picture_in_its_color_scheme() -> None:
    html = on_page_content(
        '<p><img alt="A run" src="../pictures/run.png" /> <img alt="" src="pictures/rooms.svg" /></p>'
    )
    pictures = re.findall(r'<img alt="(.*?)" .*?src="(.*?)"', html)
    assert pictures == [
        ("A run", "../pictures/run.png#only-light"),
        ("A run", "../pictures/run-dark.png#only-dark"),
        ("", "pictures/rooms.svg"),
    ]
