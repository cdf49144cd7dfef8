"""The child process of one attempt at one task: reads what to run, runs it, writes down how it ended."""

from __future__ import annotations

import json
import linecache
import os
import signal
import sys
import threading
import tokenize
from pathlib import Path
from types import ModuleType
from typing import Any

from .cells import Cell, read_cells
from .dbutils import DBUtils, NotebookExit
from .failure import describe

MAX_TEXT_BYTES = 5 * 1024 * 1024


class UnsupportedMagicError(Exception):
    """The notebook uses a magic command that the local workspace does not have."""

    __module__ = "builtins"  # so that tracebacks have the bare name


def main(spec_file: str) -> None:
    """Runs a task.

    Args:
        spec_file: a JSON file with `type` (`notebook_task` or `spark_python_task`), `file`, `parameters` (an object
            for a notebook, a list for a Python file), `values` (those of earlier tasks, by task key and key) and
            `outcome`, the file to write: `succeeded`, `result`, `result_truncated`, `values`, `error`, `error_trace`.
    """
    spec = json.loads(Path(spec_file).read_text("utf-8"))
    _end_with_the_server()
    _set_path(Path(spec["file"]).parent)
    process = os.getpid()
    outcome = _run_notebook(spec) if spec["type"] == "notebook_task" else _run_python_file(spec)
    if os.getpid() != process:  # the user's code forked, and this is the copy
        os._exit(0)
    if not outcome["succeeded"]:
        print(outcome["error_trace"], end="", file=sys.stderr)  # noqa: T201, a failing script prints its traceback
    _write(Path(spec["outcome"]), outcome)


def _end_with_the_server() -> None:
    """Ends this process and those it starts when the server ends, however it ends.

    The server holds the other end of stdin and never writes to it. Linux's own PR_SET_PDEATHSIG would end this process
    before it can end its group, and leave what it started behind.
    """
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _set_path(folder: Path) -> None:
    """Puts the folder of the user's file first on the path, as Databricks does, and takes off what only we needed."""
    ours = {"", str(Path(__file__).parent.parent)}
    sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in ours)]


def _run_notebook(spec: dict[str, Any]) -> dict[str, Any]:
    dbutils = DBUtils(spec["parameters"], spec["values"])
    module = _main_module(dbutils=dbutils, display=print, displayHTML=print)
    outcome: dict[str, Any] = {}
    try:
        sys.argv = [spec["file"]]
        for cell in read_cells(Path(spec["file"]).read_text("utf-8"), spec["file"]):
            _run_cell(cell, module)
    except NotebookExit as end:
        outcome = _cut(end.value)
    except BaseException as error:
        outcome = _ended_by(error)
    return {"succeeded": True, **outcome, "values": dbutils.jobs.taskValues.mine}


def _run_cell(cell: Cell, module: ModuleType) -> None:
    if cell.magic:
        raise UnsupportedMagicError(
            f"{cell.magic} is not served by the local workspace: {cell.file}, cell at line {cell.line}"
        )
    lines = "\n" * (cell.line - 1) + cell.source
    if not Path(cell.file).exists():  # a cell of an .ipynb: tracebacks find its lines here
        linecache.cache[cell.file] = (len(lines), None, lines.splitlines(keepends=True), cell.file)
    exec(compile(lines, cell.file, "exec", dont_inherit=True), module.__dict__)  # noqa: S102, this is what it is for


def _run_python_file(spec: dict[str, Any]) -> dict[str, Any]:
    module = _main_module(__file__=spec["file"])
    try:
        sys.argv = [spec["file"], *spec["parameters"]]
        with tokenize.open(spec["file"]) as file:
            source = file.read()
        exec(compile(source, spec["file"], "exec", dont_inherit=True), module.__dict__)  # noqa: S102, as above
    except BaseException as error:
        return {"succeeded": True, **_ended_by(error)}
    return {"succeeded": True}


def _main_module(**names: Any) -> ModuleType:
    """Returns a new `__main__`, so that what the user's code defines can be pickled."""
    module = ModuleType("__main__")
    module.__dict__.update(names)
    sys.modules["__main__"] = module
    return module


def _ended_by(error: BaseException) -> dict[str, Any]:
    if isinstance(error, SystemExit) and not error.code:
        return {}
    last, trace = describe(error)
    return {"succeeded": False, "error": last, "error_trace": trace}


def _cut(value: str) -> dict[str, Any]:
    encoded = value.encode("utf-8", "backslashreplace")
    if len(encoded) <= MAX_TEXT_BYTES:
        return {"result": value}
    return {"result": encoded[:MAX_TEXT_BYTES].decode("utf-8", "ignore"), "result_truncated": True}


def _write(file: Path, outcome: dict[str, Any]) -> None:
    """Writes the outcome so that it is there as a whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(outcome), "utf-8")
    part.replace(file)
