"""The child process of one attempt at one task: it reads its instructions, runs the task, writes the outcome."""

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
        spec_file: A JSON file with `type` (`notebook_task` or `spark_python_task`), `file`, `parameters` (an object
            for a notebook, a list for a Python file), `values` (the values of earlier tasks, by task key and key),
            `root` (the folder with the workspace's files), `depth` (the number of notebooks around this one, which
            called each other with `dbutils.notebook.run`; 0 by default) and `outcome`, the file to write: `succeeded`,
            `result`, `result_truncated`, `values`, `error`, `error_trace`.
    """
    spec = json.loads(Path(spec_file).read_text("utf-8"))
    is_inside_another = bool(spec.get("depth"))
    if not is_inside_another:  # a notebook inside another is under the supervision of the other
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
    """End this process when its supervisor, or the notebook that called it, ends, however that happens.

    When the supervisor ends, the whole process group ends. A notebook inside another ends alone: the other may have
    just finished.

    The parent holds the other end of stdin and never writes to it. PR_SET_PDEATHSIG of Linux would end this process
    before it can end its group, and leave the other processes behind.
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
    """Put the folder of the user's file first on the path, as Databricks does, and remove our own entries."""
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
    # The first words of an error name it, and the end of a traceback shows its place.
    return {"succeeded": False, "error": last[:MAX_ERROR_CHARACTERS], "error_trace": trace[-MAX_ERROR_CHARACTERS:]}


def _cut(value: str) -> dict[str, Any]:
    encoded = value.encode("utf-8", "backslashreplace")
    if len(encoded) <= MAX_TEXT_BYTES:
        return {"result": value}
    return {"result": encoded[:MAX_TEXT_BYTES].decode("utf-8", "ignore"), "result_truncated": True}


def _write(file: Path, outcome: dict[str, Any]) -> None:
    """Write the outcome completely, or not at all."""
    part = file.with_suffix(".part")
    write_regular_file(part, json.dumps(outcome).encode(), 0o600)
    part.replace(file)
