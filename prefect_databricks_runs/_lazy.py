"""Modules that show names of other modules, which are imported only when a name is first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def names_of(module: str, homes: Mapping[str, Iterable[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and the `__dir__` of a package.

    Args:
        module: The package; it has `__all__`.
        homes: The names that each of its modules holds.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def imported(name: str) -> Any:
        """Import a public name, or one of the modules that hold them."""
        if name in homes:
            return importlib.import_module(f"{module}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{module}.{home_of[name]}"), name)
        setattr(sys.modules[module], name, value)
        return value

    def listed() -> list[str]:
        """List the public names too that were not used yet: Prefect looks for blocks among them."""
        return sorted({*vars(sys.modules[module]), *home_of})

    return imported, listed


def at_home_in(module: str) -> Callable[[F], F]:
    """Show a function as one of the package that has its name: deployments name their flow by that.

    Args:
        module: The package.
    """

    def moved(function: F) -> F:
        function.__module__ = module
        return function

    return moved
