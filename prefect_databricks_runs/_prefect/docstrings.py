"""The `Args:` of functions whose parameters are the fields of a `TypedDict`, written from the docstrings of the fields.

Prefect reads the description of a form's field from the `Args:` of the flow's docstring and from nowhere else, and so
does `help()`. The reference of the docs reads the docstrings of the fields themselves.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH = 110
_ARGS, _EXAMPLE = "\n\nArgs:\n", "\n\nExample:\n"
# An entry of `Args:` for all keyword parameters, with the lines that continue it.
_REST = re.compile(r"^    \*\*(\w+):.*\n(?:     .*\n)*", re.MULTILINE)


def documented_as(original: Callable[..., Any]) -> Callable[[F], F]:
    """Copy the `Args:`, `Returns:` and `Raises:` of a function to another one, which keeps its summary and `Example:`.

    Args:
        original: The function, task or flow with the same parameters.
    """

    def documented(function: F) -> F:
        _, args, sections = _doc_of(original).partition(_ARGS)
        if args:
            summary, example, code = _doc_of(function).partition(_EXAMPLE)
            shared = sections.partition(_EXAMPLE)[0] if example else sections
            function.__doc__ = f"{summary}{args}{shared}{example}{code}"
        return function

    return documented


def with_args(doc: str, docs: Mapping[str, str]) -> str:
    """Return a docstring in which an entry for each field replaces that of `**parameters` in its `Args:`.

    Args:
        doc: The docstring, as `inspect.getdoc` returns it.
        docs: The description of each field.
    """
    entries = "".join(_entry(name, text) for name, text in docs.items())
    return _REST.sub(lambda _: entries, f"{doc}\n").rstrip("\n")


def summary_of(function: Callable[..., Any]) -> str:
    """Return the docstring of a function without its sections: Prefect shows it on the page of a deployment."""
    return _doc_of(function).partition(_ARGS)[0]


def field_docs(fields: type) -> dict[str, str]:
    """Return the docstrings below a class's own fields; none where its source is not installed.

    Args:
        fields: The class.
    """
    return _docs_of_module(fields.__module__).get(fields.__name__, {})


def _doc_of(function: Callable[..., Any]) -> str:
    return inspect.getdoc(function) or ""  # None under `python -OO`


def _entry(name: str, text: str) -> str:
    lines = textwrap.wrap(f"{name}: {text}", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
    return "\n".join(lines) + "\n"


@cache
def _docs_of_module(module: str) -> dict[str, dict[str, str]]:
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except OSError:
        return {}
    return {each.name: _docs_in(each) for each in tree.body if isinstance(each, ast.ClassDef)}


def _docs_in(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(after.value.value).split())
    return found
