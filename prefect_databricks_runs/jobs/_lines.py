"""The lines of the user's code, to which faults are attributed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from ..errors import InvalidJob

_PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"


class Line(NamedTuple):
    """A line of the user's code.

    Attributes:
        file: Its file; empty if it is not known.
        number: Its number; 0 if it is not known.
    """

    file: str
    number: int

    def fault(self, text: str) -> InvalidJob:
        """Return the error of a fault in this line.

        Args:
            text: What is wrong, and what to do.
        """
        return InvalidJob(text, self.file, self.number)


def users_line() -> Line:
    """Return the innermost line that is not of this package."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PACKAGE):
        if frame.f_back is None:
            return Line("", 0)
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno)


def fault(text: str) -> InvalidJob:
    """Return the error of a fault in the line that has called this package.

    Args:
        text: What is wrong, and what to do.
    """
    return users_line().fault(text)
