"""Print the results of `prefect-databricks-runs check`: for people, for a pipe, or as JSON."""

from __future__ import annotations

import json
from abc import ABC
from dataclasses import asdict

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .._text import name, one_line, ours
from .results import Results, Step

_STYLES = {"ok": "green", "failed": "red", "error": "red", "unknown": "yellow", "not tried": "dim"}
_DETAIL_CHARACTERS = 2_000


class Printing(ABC):  # noqa: B024 - each kind prints at a different time
    """Print steps to standard output, and a last sentence to standard error."""

    def add(self, step: Step) -> None:  # noqa: B027 - some print at the end
        """Print a step."""

    def close(self, results: Results) -> None:
        """Print the summary.

        Args:
            results: All results.
        """
        typer.echo(ours(_sum_of(results)), err=True)


class TablePrinting(Printing):
    """Print for people at a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def close(self, results: Results) -> None:
        """Print a table."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for each in results.steps:
            detail = escape(one_line(each.detail, _DETAIL_CHARACTERS))
            table.add_row(each.step, f"[{_STYLES[each.result]}]{each.result}", detail)
        self._console.print(table)
        super().close(results)


class LinePrinting(Printing):
    """Print for a pipe or a file: one line for each step, with tabs between name, result and detail."""

    def add(self, step: Step) -> None:
        """Print the line."""
        typer.echo("\t".join((step.step, step.result, one_line(step.detail, _DETAIL_CHARACTERS))))


class JsonPrinting(Printing):
    """Print for a program: one object, at the end."""

    def close(self, results: Results) -> None:
        """Print the object."""
        steps = [asdict(each) for each in results.steps]
        typer.echo(json.dumps({"result": results.worst, **results.facts, "steps": steps}, indent=2))
        super().close(results)


def printing_for(*, as_json: bool) -> Printing:
    """Return the printing that fits the standard output.

    Args:
        as_json: Whether JSON was asked for.
    """
    if as_json:
        return JsonPrinting()
    console = Console()
    return TablePrinting(console) if console.is_terminal else LinePrinting()


def _sum_of(results: Results) -> str:
    facts = results.facts
    if not results.bad:
        who = f" as {name(facts['user_name'])}" if facts["user_name"] else ""
        return f"You are signed in to {facts['host']}{who}. No problems were found."
    count = "1 step" if len(results.bad) == 1 else f"{len(results.bad)} steps"
    verdict = "failed" if results.worst == "failed" else "could not be done"
    return f"{count} {verdict}: {', '.join(each.step for each in results.bad)}."
