"""Read the cells of a notebook's file: the Databricks source format (`.py`) and Jupyter's (`.ipynb`)."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = "# Databricks notebook source"
SEPARATOR = "# COMMAND ----------"
MAGIC = "# MAGIC"
TITLE = "# DBTITLE"
_PROSE = frozenset({"%md", "%md-sandbox"})


class NotANotebookError(Exception):
    """The file is not a notebook, or not a notebook in Python."""

    __module__ = "builtins"  # so that tracebacks have the bare name


@dataclass(frozen=True)
class Cell:
    """One cell to run.

    Attributes:
        source: Its Python code.
        file: The file's name in tracebacks; each cell of an `.ipynb` has its own name.
        line: The line of that file on which the code begins, from 1.
        magic: A magic command of the cell that is not Python, such as `%sql`; None without one.
        arguments: The arguments of a magic command that begins the cell; None if it comes after other lines.
    """

    source: str
    file: str
    line: int
    magic: str | None = None
    arguments: str | None = None


def read_cells(text: str, file: str) -> list[Cell]:
    """Return the cells of a notebook to run, in order, without prose.

    Args:
        text: The notebook's source, with line feeds only at the end of lines.
        file: The path of its file. The suffix decides on the format.

    Raises:
        NotANotebookError: The file is not a notebook.
    """
    cells = _jupyter_cells(text, file) if file.endswith(".ipynb") else _source_cells(text, file)
    return [cell for cell in cells if cell.magic not in _PROSE]


def _source_cells(text: str, file: str) -> Iterator[Cell]:
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != HEADER:
        raise NotANotebookError(f"{file} is not a notebook: its first line is not {HEADER!r}")
    begin = 1
    ends = [index for index, line in enumerate(lines) if line.rstrip() == SEPARATOR]
    for end in [*ends, len(lines)]:
        yield _source_cell(lines[begin:end], file, begin + 1)
        begin = end + 1


def _source_cell(lines: list[str], file: str, line: int) -> Cell:
    first = next((text for text in lines if text.strip() and not text.startswith(TITLE)), "")
    if first.startswith(MAGIC):
        lines = [text.removeprefix(MAGIC).removeprefix(" ") if text.startswith(MAGIC) else text for text in lines]
        return _magic_cell(lines, file, line)
    magics = [text.removeprefix(MAGIC).split() for text in lines if text.startswith(MAGIC)]
    return Cell("\n".join(lines), file, line, " ".join(magics[0][:1]) or "%" if magics else None)


def _jupyter_cells(text: str, file: str) -> Iterator[Cell]:
    try:
        notebook = json.loads(text)
        sources = [_joined(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        language = notebook.get("metadata", {}).get("language_info", {}).get("name", "python")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NotANotebookError(f"{file} is not a Jupyter notebook (format 4): {error!r}") from None
    if language != "python":
        raise NotANotebookError(f"{file} is a notebook in {language}, not in python")
    for number, source in enumerate(sources, start=1):
        yield _jupyter_cell(source.split("\n"), f"{file}, code cell {number}")


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _jupyter_cell(lines: list[str], file: str) -> Cell:
    first = next((text for text in lines if text.strip()), "")
    if first.startswith(("%", "!")):
        return _magic_cell(lines, file, 1)
    marked = [text.split()[0] for text in lines if text.startswith(("%", "!"))]
    # A line of plain Python may begin with the operator `%`.
    return Cell("\n".join(lines), file, 1, marked[0] if marked and not _is_python("\n".join(lines)) else None)


def _magic_cell(lines: list[str], file: str, line: int) -> Cell:
    """Return a cell that begins with a magic command, in its first line that is not empty."""
    at = next((index for index, text in enumerate(lines) if text.strip() and not text.startswith(TITLE)), None)
    if at is None:
        return Cell("", file, line)
    magic, _, rest = lines[at].strip().partition(" ")
    if magic not in {"%python", "%%python"}:
        return Cell("", file, line + at, magic, "\n".join([rest, *lines[at + 1 :]]).strip())
    return Cell("\n".join([*lines[:at], rest, *lines[at + 1 :]]), file, line)


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
