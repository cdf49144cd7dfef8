"""The patterns with which tests select requests, such as `POST /api/2.*/jobs/runs/submit`."""

from __future__ import annotations

import re


class Pattern:
    """A method and a path, in which `*` stands for any number of any characters, `/` included.

    The whole method and the whole path must match. The case of the method does not matter; the case of the path does.
    The path has no query, and `%20` and the like are decoded.

    Args:
        text: The method and the path, separated by a space, such as `* *runs/get*`.

    Raises:
        ValueError: The pattern is not of that form, or can match no request.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise ValueError(f"A pattern is a string such as 'POST */runs/submit', not {text!r}")
        method, _, path = text.strip().partition(" ")
        path = path.strip()
        if not path:
            raise ValueError(f"The pattern {text!r} must be a method and a path, such as 'POST */runs/submit' or '* *'")
        if not re.fullmatch(r"[A-Za-z*]+", method):
            raise ValueError(f"The pattern {text!r} must begin with a method, such as GET, or with *")
        if not path.startswith(("/", "*")):
            raise ValueError(f"The path of the pattern {text!r} must begin with / or *")
        if "?" in path:
            raise ValueError(f"The pattern {text!r} has a query: a pattern matches the path without the query")
        self.text = f"{method.upper()} {path}"
        self._method, self._path = _expression(method.upper()), _expression(path)

    def matches(self, method: str, path: str) -> bool:
        """Return whether the pattern matches a request."""
        return bool(self._method.fullmatch(method) and self._path.fullmatch(path))


def _expression(glob: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", glob)), re.DOTALL)
