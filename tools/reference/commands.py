"""The commands as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from prefect_databricks_runs.cli import app

from .text import code, table


def commands(level: str) -> Iterator[str]:
    """Return all commands with their options.

    Args:
        level: The level of their headings, such as `##`.
    """
    group: Any = typer.main.get_command(app)
    for name, command in sorted(group.commands.items()):
        arguments = [_spelled(each) for each in command.params if _is_argument(each)]
        yield f"{level} {name}"
        yield code(" ".join(["prefect-databricks-runs", name, *arguments, "[OPTIONS]"]))
        yield from (" ".join(each.split()) for each in command.help.split("\n\n"))
        # A `|` in a table cannot be written so that all renderers show it.
        rows = [
            (code(_spelled(each).replace("|", " or ")), _help_of(each), _default_of(each)) for each in command.params
        ]
        yield from table(("option", "description", "default"), rows)


def _is_argument(option: Any) -> bool:
    return bool(option.param_type_name == "argument")


def _spelled(option: Any) -> str:
    return str(option.metavar or option.name.upper()) if _is_argument(option) else str(option.opts[0])


def _help_of(option: Any) -> str:
    variable = f" Or set `{option.envvar}`." if option.envvar else ""
    return f"{option.help or ''}{variable}"


def _default_of(option: Any) -> str:
    is_shown = isinstance(option.default, (str, int, float)) and option.default is not False
    return code(str(option.default)) if is_shown else ""
