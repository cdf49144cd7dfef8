"""The door for text of others: nothing is hidden in what is shown, nothing is huge, and words stay words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs._text import first_line, identifier, indented, name, one_line, quoted, shorten, visible

ESC = "\x1b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{ESC}[0;31mKeyError{ESC}[0m: 'x' {ESC}[38;5;241m.{ESC}[39mpop(", "KeyError: 'x' .pop("),
        (f"a{ESC}[2J{ESC}[1;1Hb", "ab"),
        (f"{ESC}]0;title\x07a{ESC}]8;;https://evil.example{ESC}\\b{ESC}]8;;{ESC}\\", "ab"),
        ("\x9b31mred", "red"),
        (f"{ESC}{ESC}[0m[31mred", "\\x1b[31mred"),  # what is left of a nested one is seen
        (f"{ESC}]0;without an end", "\\x1b]0;without an end"),
        ("<span class='ansired'>NameError</span>: name &#39;x&#39; &lt;y&gt;", "NameError: name 'x' <y>"),
        ('<span class="ansi-red-fg">a</span>', "a"),
        ("<span>kept</span> &lt;", "<span>kept</span> &lt;"),
        ("a\x00b\x08\x7f\x85", "a\\x00b\\x08\\x7f\\x85"),
        ("a\u202eb\u2066c\u200fd\u061ce", "a\\u202eb\\u2066c\\u200fd\\u061ce"),
        ("ex\u200btr\u200dact\ufeff", "ex\\u200btr\\u200dact\\ufeff"),
        ("a\ud800b\udfff", "a\\ud800b\\udfff"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\r\nb\tc\rd", "a\nb\tc\\rd"),
        ("a\u2028b", "a\\u2028b"),
        ("Grüße, 東京, שלום, 👩‍🚀 می‌خواهم ❤️", "Grüße, 東京, שלום, 👩‍🚀 می‌خواهم ❤️"),
        ("a_b-c <d> [e] C:\\temp", "a_b-c <d> [e] C:\\temp"),
    ],
)
def test_colours_go_and_what_is_not_seen_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(), max_size=200))
def test_whatever_comes_nothing_hidden_is_left_and_it_can_be_written(text: str) -> None:
    for show in (one_line, name, first_line, quoted):
        shown = show(text)
        assert "\n" not in shown
        assert not any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 or each in "\u202e\u2066\u200f" for each in shown)
        shown.encode()
    visible(text).encode()


def test_one_line_and_names_are_one_line_and_what_has_lines_sets_them_in() -> None:
    forged = "no rows\n23:59:59 | INFO | FORGED"
    assert one_line(forged) == name(forged) == "no rows 23:59:59 | INFO | FORGED"
    assert indented(forged) == "no rows\n    23:59:59 | INFO | FORGED"
    assert quoted("it's \x07\n") == '"it\'s \\x07"'


def test_what_has_the_form_of_an_id_stays_and_of_others_some_is_shown() -> None:
    assert identifier("INVALID_PARAMETER_VALUE") == "INVALID_PARAMETER_VALUE"
    assert identifier("0d1f-77.a:b") == "0d1f-77.a:b"
    assert identifier("A" * 101) == "A" * 100 + "… (1 more characters)"
    assert identifier("a\nb\x1b") == "a b\\x1b"


@pytest.mark.parametrize(
    "part", ["x", ESC, f"{ESC}]", f"{ESC}[", f"{ESC}[31m", "\x00", "\ud800", "`", "<span class='ansi"]
)
def test_a_huge_text_is_bounded_and_takes_no_time(part: str) -> None:
    huge = part * (5_000_000 // len(part))
    began = time.perf_counter()
    for show in (shorten, one_line, name, first_line, indented, identifier):
        assert len(show(huge)) < 700
    visible(huge[:1_000_000])
    assert time.perf_counter() - began < 20  # seconds, on a busy machine; a quadratic one would take hours
