"""Turn an exception of the user's code into the two error strings of `runs/get-output`."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

_OUR_FOLDER = str(Path(__file__).parent)


def describe(error: BaseException) -> tuple[str, str]:
    """Return the last line of the traceback, and the traceback without the frames of the local workspace."""
    described = traceback.TracebackException(type(error), error, _from_user_code(error.__traceback__))
    while described.stack and described.stack[-1].filename.startswith(_OUR_FOLDER):
        described.stack.pop()  # the frames inside of `dbutils`
    lines = list(described.format_exception_only())
    # A SyntaxError begins with its place, which is indented; notes come last.
    last = next((line for line in lines if not line.startswith(" ")), lines[-1])
    return last.strip(), "".join(described.format())


def _from_user_code(trace: TracebackType | None) -> TracebackType | None:
    while trace and trace.tb_frame.f_code.co_filename.startswith(_OUR_FOLDER):
        trace = trace.tb_next
    return trace
