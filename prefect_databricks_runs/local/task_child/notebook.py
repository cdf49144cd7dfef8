"""Run the cells of one notebook, and of the notebooks that it includes with `%run`."""

from __future__ import annotations

import linecache
import shlex
from collections.abc import MutableMapping
from pathlib import Path
from types import ModuleType

from .cells import Cell, read_cells
from .paths import find_notebook, workspace_path


class UnsupportedMagicError(Exception):
    """The notebook uses a magic command that the local workspace does not have."""

    __module__ = "builtins"  # so that tracebacks have the bare name


class NotebookRunError(Exception):
    """A `%run` cell cannot be run."""

    __module__ = "builtins"  # as above


class Notebook:
    """A notebook, whose cells run in one namespace.

    Args:
        root: The folder with the workspace's files.
        module: The namespace.
        parameters: The values of the widgets. A `%run` adds its arguments.
    """

    def __init__(self, root: Path, module: ModuleType, parameters: MutableMapping[str, str]) -> None:
        self._root = root
        self._module = module
        self._parameters = parameters
        self._open: list[Path] = []

    @property
    def current(self) -> Path:
        """The file of the notebook whose cells are running."""
        return self._open[-1]

    def run(self, file: Path) -> None:
        """Run all cells of a notebook.

        Raises:
            Exception: Any exception of a cell.
        """
        self._open.append(file)
        try:
            for cell in read_cells(file.read_text("utf-8"), str(file)):
                self._run_cell(cell)
        finally:
            self._open.pop()

    def _run_cell(self, cell: Cell) -> None:
        if cell.magic == "%run":
            self._run_other(cell)
        elif cell.magic:
            raise UnsupportedMagicError(f"{cell.magic} is not served by the local workspace: {_place(cell)}")
        else:
            self._execute(cell)

    def _execute(self, cell: Cell) -> None:
        lines = "\n" * (cell.line - 1) + cell.source
        if not Path(cell.file).exists():  # a cell of an .ipynb: tracebacks find its lines here
            linecache.cache[cell.file] = (len(lines), None, lines.splitlines(keepends=True), cell.file)
        exec(compile(lines, cell.file, "exec", dont_inherit=True), self._module.__dict__)  # noqa: S102, this is what it is for

    def _run_other(self, cell: Cell) -> None:
        path, widgets = _run_arguments(cell)
        file = find_notebook(self._root, path, self.current)
        if file is None:
            raise NotebookRunError(f"%run {path}: the workspace has no notebook at this path: {_place(cell)}")
        if file in self._open:
            circle = " -> ".join(workspace_path(self._root, each) for each in [*self._open, file])
            raise NotebookRunError(f"%run {path}: the notebooks run each other in a circle, {circle}: {_place(cell)}")
        self._parameters.update(widgets)
        self.run(file)


def _run_arguments(cell: Cell) -> tuple[str, dict[str, str]]:
    """Return the path and the widgets of a cell such as `%run ./other $name="value"`."""
    if cell.arguments is None:
        raise NotebookRunError(f"%run must be the first line of its cell: {_place(cell)}")
    first, *others = cell.arguments.split("\n")
    if any(line.strip() and not line.lstrip().startswith("#") for line in others):
        raise NotebookRunError(f"%run must be alone in its cell: {_place(cell)}")
    try:
        words = shlex.split(first)
    except ValueError as error:
        raise NotebookRunError(f"%run {first} cannot be read ({error}): {_place(cell)}") from None
    at = next((index for index, word in enumerate(words) if word.startswith("$")), len(words))
    if at == 0:
        raise NotebookRunError(f"%run needs the path of a notebook: {_place(cell)}")
    return " ".join(words[:at]), dict(_widget(word, cell) for word in words[at:])


def _widget(word: str, cell: Cell) -> tuple[str, str]:
    name, equals, value = word.removeprefix("$").partition("=")
    if not (word.startswith("$") and name and equals):
        raise NotebookRunError(f'%run takes arguments as $name="value", not as {word}: {_place(cell)}')
    return name, value


def _place(cell: Cell) -> str:
    return f"{cell.file}, cell at line {cell.line}"
