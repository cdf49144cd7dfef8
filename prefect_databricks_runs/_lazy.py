"""Packages that import the module of a name only when the name is first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def names_of(module: str, homes: Mapping[str, Iterable[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a package.

    Args:
        module: The package; it has `__all__`.
        homes: The names of each of its modules.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def imported(name: str) -> Any:
        """Import a public name, or a module that holds some."""
        if name in homes:
            return importlib.import_module(f"{module}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{module}.{home_of[name]}"), name)
        setattr(sys.modules[module], name, value)
        return value

    def listed() -> list[str]:
        """List all public names, including unused ones: Prefect looks for blocks among them."""
        return sorted({*vars(sys.modules[module]), *sys.modules[module].__all__})

    return imported, listed


def at_home_in(module: str) -> Callable[[F], F]:
    """Show a function as part of the package that exports it: deployments use that name for their flow.

    Args:
        module: The package.
    """

    def moved(function: F) -> F:
        function.__module__ = module
        return function

    return moved
