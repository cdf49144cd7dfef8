"""Reading notebooks: no text makes the reader fail in a way of its own, and no line of the user's is lost."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs.local.task_child.cells import HEADER, SEPARATOR, NotANotebookError, read_cells

lines = st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8")), max_size=4).map("\n".join)
plain = lines.filter(lambda cell: "# MAGIC" not in cell and SEPARATOR not in cell)
marked = st.sampled_from([HEADER, SEPARATOR, "# MAGIC", "# MAGIC %md x", "# MAGIC  %sql", "# DBTITLE 1,x", "%%x", "!"])


@given(st.lists(plain, min_size=1))
def test_every_cell_of_a_source_file_comes_back_with_its_line(sources: list[str]) -> None:
    text = f"{HEADER}\n" + f"\n{SEPARATOR}\n".join(sources)
    cells = read_cells(text, "n.py")
    assert [cell.source for cell in cells] == sources
    for cell in cells:
        height = cell.source.count("\n") + 1
        assert "\n".join(text.split("\n")[cell.line - 1 :][:height]) == cell.source


@given(st.lists(plain.filter(lambda cell: not cell.lstrip().startswith(("%", "!")))))
def test_every_cell_of_a_jupyter_file_comes_back(sources: list[str]) -> None:
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources]
    read = read_cells(json.dumps({"cells": cells}), "n.ipynb")
    assert [cell.source for cell in read] == sources
    assert len({cell.file for cell in read}) == len(sources)


@given(st.lists(marked | st.text()).map("\n".join), st.sampled_from([".py", ".ipynb"]), st.booleans())
def test_any_text_is_a_notebook_or_a_clear_error(text: str, suffix: str, with_header: bool) -> None:
    with contextlib.suppress(NotANotebookError):
        read_cells(f"{HEADER}\n{text}" if with_header else text, f"n{suffix}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "metadata", "language_info"]), inner, max_size=4
        )
    ),
)


@given(json_values)
def test_any_json_is_a_notebook_or_a_clear_error(value: object) -> None:
    with contextlib.suppress(NotANotebookError):
        read_cells(json.dumps(value), "n.ipynb")


def test_a_notebook_in_another_language_is_refused() -> None:
    text = json.dumps({"cells": [], "metadata": {"language_info": {"name": "scala"}}})
    with pytest.raises(NotANotebookError, match="a notebook in scala"):
        read_cells(text, "n.ipynb")


@pytest.mark.parametrize(
    ("source", "magic"),
    [
        ("x = 1\n!ls", "!ls"),
        ("x = (5\n% 3)", None),
        ("%timeit x", "%timeit"),
        ("%%python\nx = 1", None),
        ("%python x = 1", None),
        ("%python", None),
    ],
)
def test_magic_lines_of_jupyter_cells_are_told_from_python(source: str, magic: str | None) -> None:
    [cell] = read_cells(json.dumps({"cells": [{"cell_type": "code", "source": source}]}), "n.ipynb")
    assert cell.magic == magic


def test_a_magic_inside_a_python_cell_is_not_passed_over() -> None:
    [cell] = read_cells(f"{HEADER}\nx = 1\n# MAGIC %pip install y", "n.py")
    assert cell.magic == "%pip"
