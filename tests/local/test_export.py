"""The page of `runs/export`: every cell is there, nothing of it is markup, nothing comes from elsewhere."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs.local.api.export import notebook_html
from tests.local.client import Client, notebook_task


class Page(HTMLParser):
    """Reads a page's tags, its cells by kind, and its titles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.cells: list[tuple[str, str]] = []
        self.titles: list[str] = []
        self._kind = ""
        self._text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [str(value) for name, value in attrs if name in {"src", "href"}]
        self._kind = dict(attrs).get("class") or self._kind
        self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self.cells.append((self._kind, self._text.removeprefix("\n")))
        if tag in {"h1", "h2"}:
            self.titles.append(self._text)


def exported(client: Client, path: str) -> tuple[str, Page]:
    run = client.finish(notebook_task(path))
    [view] = client.get("runs/export", run_id=run["tasks"][0]["run_id"])["views"]
    assert view["type"] == "NOTEBOOK"
    return view["name"], Page(view["content"])


def test_a_run_exports_the_cells_of_its_source_notebook(client: Client) -> None:
    path = client.notebook(
        "# DBTITLE 1,The <first>\nx = 1 < 2\n\nprint('</pre>')\n# COMMAND ----------\n\n"
        "# MAGIC %md\n# MAGIC # Title & more\n# MAGIC - item\n# COMMAND ----------\n# MAGIC %python\n# MAGIC y = 2"
    )
    name, page = exported(client, path)
    assert name == path[1:]
    assert page.cells == [
        ("code", "x = 1 < 2\n\nprint('</pre>')"),
        ("markdown", "# Title & more\n- item"),
        ("code", "%python\ny = 2"),
    ]
    assert page.titles == [name, "The <first>"]


def test_a_run_exports_the_cells_of_its_jupyter_notebook(client: Client) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "text"]},
        {"cell_type": "code", "source": "x = '<b>'"},
    ]
    _, page = exported(client, client.write(json.dumps({"cells": cells, "nbformat": 4}), ".ipynb"))
    assert page.cells == [("markdown", "# Title\ntext"), ("code", "x = '<b>'")]


def test_the_notebook_is_exported_as_the_run_read_it(client: Client) -> None:
    path = client.notebook("x = 1")
    run = client.finish(notebook_task(path))
    (client.workspace.root / f"{path[1:]}.py").write_text("changed")
    [view] = client.get("runs/export", run_id=run["tasks"][0]["run_id"])["views"]
    assert Page(view["content"]).cells == [("code", "x = 1")]


@pytest.mark.parametrize("source", ["", "print(1)", '{"cells": 3}', '{"cells": [{}]}', "[" * 100_000])
def test_what_is_no_notebook_is_one_cell(source: str) -> None:
    assert Page(notebook_html(source, "n")).cells == [("code", source)]


@given(st.text(), st.text(), st.booleans())
def test_no_text_becomes_markup(source: str, name: str, is_notebook: bool) -> None:
    page = Page(notebook_html(f"# Databricks notebook source\n{source}" if is_notebook else source, name))
    assert page.tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "section", "pre"}
    assert page.addresses == []
