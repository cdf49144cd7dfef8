"""From an exception of the user's code to the two texts that `runs/get-output` answers."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

_OUR_FOLDER = str(Path(__file__).parent)


def describe(error: BaseException) -> tuple[str, str]:
    """Return the last line of the traceback, and the whole of it from the user's first line to the user's last."""
    described = traceback.TracebackException(type(error), error, _from_user_code(error.__traceback__))
    while described.stack and described.stack[-1].filename.startswith(_OUR_FOLDER):
        described.stack.pop()  # how `dbutils` came to raise it
    lines = list(described.format_exception_only())
    # A SyntaxError has its place first, indented, and notes come last.
    last = next((line for line in lines if not line.startswith(" ")), lines[-1])
    return last.strip(), "".join(described.format())


def _from_user_code(trace: TracebackType | None) -> TracebackType | None:
    while trace and trace.tb_frame.f_code.co_filename.startswith(_OUR_FOLDER):
        trace = trace.tb_next
    return trace
