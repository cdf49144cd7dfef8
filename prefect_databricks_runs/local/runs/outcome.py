"""Read the outcome of a task that really ran, from its exit code and the file that its process wrote."""

from __future__ import annotations

import dataclasses
import json
import signal
from pathlib import Path
from typing import Any

from ..task_child.other_notebook import MAX_OUTCOME_BYTES
from ..task_child.regular_files import read_regular_file
from ..texts import text
from .child_process import Tail
from .records import Output

_TYPES: dict[str, tuple[type, ...]] = {
    "succeeded": (bool,),
    "result": (str, type(None)),
    "result_truncated": (bool,),
    "values": (dict,),
    "error": (str, type(None)),
    "error_trace": (str, type(None)),
}


def read_outcome(file: Path, code: int, written: Tail) -> tuple[Output, bool]:
    """Return a task's output, and whether it succeeded: its file must say so, and its exit code must be 0.

    The user's code can put anything in the place of the file. Whatever is there, only the task fails.

    Args:
        file: The file.
        code: The exit code of the process.
        written: The output of the process to stdout and stderr.
    """
    try:
        told = _read(file)
    except FileNotFoundError:
        told = {"succeeded": False}
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        told = {"succeeded": False, "error": text("bad_outcome", reason=reason)}
    succeeded = told.pop("succeeded") and code == 0
    output = Output(**told)
    if not succeeded and output.error is None:
        output = dataclasses.replace(
            output, error=text("process_died", how=_how(code)), error_trace=written.text() or None
        )
    return output, succeeded


def _read(file: Path) -> dict[str, Any]:
    told = json.loads(read_regular_file(file, MAX_OUTCOME_BYTES))
    if not isinstance(told, dict) or "succeeded" not in told:
        raise ValueError("not an outcome")
    if any(not isinstance(value, _TYPES.get(name, ())) for name, value in told.items()):
        raise ValueError("not an outcome")
    return told


def _how(code: int) -> str:
    return f"signal {-code}: {signal.strsignal(-code)}" if code < 0 else f"exit code {code}"
