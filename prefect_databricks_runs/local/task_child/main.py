"""The child process of one attempt at one task: reads what to run, runs it, writes down how it ended."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import tokenize
from pathlib import Path
from types import ModuleType
from typing import Any

from .dbutils import DBUtils, NotebookExit
from .failure import describe
from .notebook import Notebook
from .other_notebook import OtherNotebooks
from .regular_files import write_regular_file
from .spark import NAMES, NoSpark
from .supervisor import run_under_supervision

MAX_TEXT_BYTES = 5 * 1024 * 1024
MAX_ERROR_CHARACTERS = 1024 * 1024


def main(spec_file: str) -> None:
    """Run a task.

    Args:
        spec_file: a JSON file with `type` (`notebook_task` or `spark_python_task`), `file`, `parameters` (an object
            for a notebook, a list for a Python file), `values` (those of earlier tasks, by task key and key), `root`
            (the folder that plays the workspace's files), `depth` (how many notebooks are around this one, which they
            run with `dbutils.notebook.run`; 0 when it is not given) and `outcome`, the file to write: `succeeded`,
            `result`, `result_truncated`, `values`, `error`, `error_trace`.
    """
    spec = json.loads(Path(spec_file).read_text("utf-8"))
    is_inside_another = bool(spec.get("depth"))
    if not is_inside_another:  # else the process around that one is around this one too
        run_under_supervision()
    _end_with_the_parent(is_alone=is_inside_another)
    _set_path(Path(spec["file"]).parent)
    process = os.getpid()
    outcome = _run_notebook(spec) if spec["type"] == "notebook_task" else _run_python_file(spec)
    if os.getpid() != process:  # the user's code forked, and this is the copy
        os._exit(0)
    if not outcome["succeeded"]:
        print(outcome["error_trace"], end="", file=sys.stderr)  # noqa: T201, a failing script prints its traceback
    _write(Path(spec["outcome"]), outcome)


def _end_with_the_parent(*, is_alone: bool) -> None:
    """End this process when its supervisor, or the notebook that runs it, ends, however it ends.

    With the supervisor the whole group ends, but a notebook inside another ends alone: that one may just be done.

    The parent holds the other end of stdin and never writes to it. Linux's own PR_SET_PDEATHSIG would end this process
    before it can end its group, and leave what it started behind.
    """
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def wait() -> None:
        os.read(lifeline, 1)
        if is_alone:
            os.kill(os.getpid(), signal.SIGKILL)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _set_path(folder: Path) -> None:
    """Put the folder of the user's file first on the path, as Databricks does, and take off what only we needed."""
    ours = {"", str(Path(__file__).parent.parent)}
    sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in ours)]


def _run_notebook(spec: dict[str, Any]) -> dict[str, Any]:
    parameters = dict(spec["parameters"])
    module = _main_module(display=print, displayHTML=print, **{name: NoSpark(name) for name in NAMES})
    notebook = Notebook(Path(spec["root"]), module, parameters)
    dbutils = DBUtils(parameters, spec["values"], OtherNotebooks(spec, lambda: notebook.current))
    module.__dict__["dbutils"] = dbutils
    outcome: dict[str, Any] = {}
    try:
        sys.argv = [spec["file"]]
        notebook.run(Path(spec["file"]))
    except NotebookExit as end:
        outcome = _cut(end.value)
    except BaseException as error:
        outcome = _ended_by(error)
    return {"succeeded": True, **outcome, "values": dbutils.jobs.taskValues.mine}


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
    """Return a new `__main__`, so that what the user's code defines can be pickled."""
    module = ModuleType("__main__")
    module.__dict__.update(names)
    sys.modules["__main__"] = module
    return module


def _ended_by(error: BaseException) -> dict[str, Any]:
    if isinstance(error, SystemExit) and not error.code:
        return {}
    last, trace = describe(error)
    # The first words of an error say what it is, and the end of a traceback where.
    return {"succeeded": False, "error": last[:MAX_ERROR_CHARACTERS], "error_trace": trace[-MAX_ERROR_CHARACTERS:]}


def _cut(value: str) -> dict[str, Any]:
    encoded = value.encode("utf-8", "backslashreplace")
    if len(encoded) <= MAX_TEXT_BYTES:
        return {"result": value}
    return {"result": encoded[:MAX_TEXT_BYTES].decode("utf-8", "ignore"), "result_truncated": True}


def _write(file: Path, outcome: dict[str, Any]) -> None:
    """Write the outcome so that it is there as a whole or not at all."""
    part = file.with_suffix(".part")
    write_regular_file(part, json.dumps(outcome).encode(), 0o600)
    part.replace(file)
