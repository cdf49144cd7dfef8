"""The page that `runs/export` answers: a notebook's cells, as the run read them."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..task_child.cells import HEADER, MAGIC, SEPARATOR, TITLE

_STYLE = (
    "body{font-family:sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".code pre{background:#f4f4f4;font-family:monospace}"
    ".markdown pre{font-family:inherit;border-left:3px solid #ccc}"
)


@dataclass(frozen=True)
class _Shown:
    """A cell of the page. `kind` is `code` or `markdown`."""

    kind: str
    text: str
    title: str = ""


def notebook_html(source: str, name: str) -> str:
    """Return the page of a notebook: a whole HTML document that loads nothing from elsewhere.

    Markdown is shown as it is written. Outputs are not shown: the local workspace keeps none.

    Args:
        source: The notebook's source, in the source format (`.py`) or Jupyter's (`.ipynb`). Anything else is shown as
            one cell of code.
        name: The notebook's name, for the title.
    """
    title = html.escape(name)
    cells = "\n".join(_cell_html(cell) for cell in _cells(source))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{cells}\n</body>\n</html>\n"
    )


def _cell_html(cell: _Shown) -> str:
    title = f"<h2>{html.escape(cell.title)}</h2>" if cell.title else ""
    # HTML ignores a line feed right after <pre>, so put one there: an empty first line is kept.
    return f'<section class="{cell.kind}">{title}<pre>\n{html.escape(cell.text)}</pre></section>'


def _cells(source: str) -> list[_Shown]:
    lines = source.removeprefix("\ufeff").splitlines()
    if lines and lines[0].rstrip() == HEADER:
        return list(_source_cells(lines[1:]))
    try:
        return [_jupyter_cell(cell) for cell in json.loads(source)["cells"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [_Shown("code", source)]


def _source_cells(lines: list[str]) -> Iterator[_Shown]:
    begin = 0
    ends = [index for index, line in enumerate(lines) if line.rstrip() == SEPARATOR]
    for end in [*ends, len(lines)]:
        cell = _source_cell(lines[begin:end])
        if cell.text or cell.title:
            yield cell
        begin = end + 1


def _source_cell(lines: list[str]) -> _Shown:
    titles = [line for line in lines if line.startswith(TITLE)]
    rest = [line for line in lines if not line.startswith(TITLE)]
    # As in `# DBTITLE 1,The title`.
    title = titles[0].removeprefix(TITLE).partition(",")[2].strip() if titles else ""
    text = "\n".join(line.removeprefix(MAGIC).removeprefix(" ") if line.startswith(MAGIC) else line for line in rest)
    text = text.strip("\n")
    magic, *prose = text.split(maxsplit=1) or [""]
    if magic in {"%md", "%md-sandbox"}:
        return _Shown("markdown", "".join(prose), title)
    return _Shown("code", text, title)


def _jupyter_cell(cell: dict[str, Any]) -> _Shown:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    return _Shown("code" if cell["cell_type"] == "code" else "markdown", text)
