"""Texts of others in markdown: words stay as they are, and nothing in them is markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from prefect_databricks_runs._report.markdown import cell, escaped, fence, link, plain_cell, sentences

URL = "https://adb-1.2.azuredatabricks.net/jobs/1/runs/2?o=7"
RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://127.0.0.1:1/beacon)",
        "<img src=http://127.0.0.1:1/beacon>",
        "[x](javascript:alert(1))",
        "[x]: http://evil.example",
        "# heading",
        "- item",
        "+ item",
        "1. item",
        "1) item",
        "> quote",
        "---",
        "===",
        "```js",
        "~~~",
        "**bold** __bold__ *i* _i_ ~~s~~ `code` $x$ [^1] &copy; \\",
        "<!-- x --> </table> <script>",
        "a | b",
        ":--",
    ],
)
def test_nothing_in_it_is_markdown(text: str) -> None:
    html = RENDER(f"before\n\n{cell(text)}\n\nafter")
    assert html.count("<") - html.count("<code>") - html.count("</code>") == 2 * 3  # three paragraphs, and code
    for each in ("<img", "<a ", "<h1", "<li", "<hr", "<em", "<strong", "<blockquote"):
        assert each not in html
    words = html.replace("<code>", "").replace("</code>", "")
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        words = words.replace(entity, character)
    assert f"<p>{text}</p>" in words
    row = RENDER(f"|a|b|\n|---|---|\n| {cell(text)} | last |")
    assert row.count("<td>") == 2
    assert "<td>last</td>" in row


@pytest.mark.parametrize("text", ["see https://evil.example/x", "www.evil.example", "me@evil.example", "mailto:a@b.c"])
def test_an_address_is_code_which_no_ui_makes_a_link_of(text: str) -> None:
    *_, address = text.split()
    assert f"<code>{address}</code>" in RENDER(cell(text))


def test_names_and_errors_read_well_as_they_are() -> None:
    for text in (
        "load_orders-2",
        "_setup",
        "2 * 3 ~ 6",
        "<3",
        "\\u202e",
        "a & b",
        "KeyError: 'x' (in line 12), no. 3 = 4; 100%",
        "/Workspace/Shared/match.py",
    ):
        assert escaped(text) == text
    assert escaped("__init__ a*b c*") == r"\_\_init\_\_ a\*b c\*"


def test_a_link_leads_only_to_an_address_of_the_web_and_its_text_cannot_leave_it() -> None:
    assert link("load_orders", URL) == f"[load_orders]({URL})"
    assert link("see https://a.example & www.b.example", URL) == f"[see https://a.example & www.b.example]({URL})"
    assert link("x](javascript:1", URL) == rf"[x\](javascript:1]({URL})"
    assert link("x", "javascript:alert(1)") == link("x", "") == link("x", "/jobs/1") == "x"
    assert link("x", f"{URL}) [y](http://evil") == f"[x]({URL}%29%20%5By%5D%28http://evil)"


@pytest.mark.parametrize("text", ["plain", "```", "````\n![x](http://evil)\n`````", "`" * 50, "~~~\nx"])
def test_a_fence_is_longer_than_any_in_the_text(text: str) -> None:
    html = RENDER("\n".join(["before", "", *fence(text), "", "after"]))
    assert html.count("<pre>") == html.count("</pre>") == 1
    assert html.endswith("</code></pre>\n<p>after</p>\n")
    assert text.split("\n", maxsplit=1)[0] in html
    assert "<img" not in html


def test_a_cell_is_one_line_and_short() -> None:
    assert plain_cell("first\nsecond") == "first"
    assert cell("a\n\nb") == "a b"
    assert len(plain_cell("x" * 500)) < 150


def test_sentences_of_ours_have_links_to_runs_and_to_nothing_else() -> None:
    host = "https://adb-1.2.azuredatabricks.net"
    text = sentences(f"Run 2 has failed. {URL} Databricks said: see https://evil.example/x <b>", host)
    assert text == f"Run 2 has failed. [{URL}]({URL}) Databricks said: see `https://evil.example/x` \\<b>"
