"""Print the list of `prefect-databricks-runs orphans`: for people, for a pipe, or as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .._text import name, one_line
from .owned_runs import OwnedRun


@dataclass(frozen=True)
class Listed:
    """A run in the list.

    Attributes:
        owned: The run and its flow runs.
        becomes: `active`, `cancelled` (Databricks has accepted the request), or `not cancelled`.
    """

    owned: OwnedRun
    becomes: str

    def fields(self) -> dict[str, Any]:
        """Return its values for a program, by name."""
        run = self.owned.run
        return {
            "run_id": run.run_id,
            "url": run.url,
            "becomes": self.becomes,
            "state": run.state.name,
            "run_name": run.run_name,
            "flow_run_id": str(self.owned.flow_run_id),
            "flow_run_name": self.owned.flow_run_name,
            "flow_run_state": self.owned.state_name,
        }


class Listing(ABC):
    """Print runs to standard output, and notes to standard error."""

    @abstractmethod
    def add(self, runs: Sequence[Listed]) -> None:
        """List the runs of one workspace."""

    def note(self, text: str) -> None:
        """Print a note for people."""
        typer.echo(text, err=True)

    def close(self) -> None:  # noqa: B027 - most print at once
        """End the list."""


class TableListing(Listing):
    """Print for people at a terminal.

    The links are below the table, where no column cuts them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def add(self, runs: Sequence[Listed]) -> None:
        """Print a table, and the links."""
        if not runs:
            return
        table = Table()
        table.add_column("run_id", no_wrap=True)
        for column in ("run_name", "state", "becomes", "flow run", "its state"):
            table.add_column(column, overflow="fold")
        for each in runs:
            run, owned = each.owned.run, each.owned
            cells = (run.run_name, run.state.name, each.becomes, owned.flow_run_name, owned.state_name)
            table.add_row(str(run.run_id), *(escape(name(each)) for each in cells))
        self._console.print(table)
        for each in runs:
            self._console.out(f"{each.owned.run.run_id}: {each.owned.run.url}", highlight=False)


class LineListing(Listing):
    """Print for a pipe or a file: one line for each run, with tabs between its fields."""

    def add(self, runs: Sequence[Listed]) -> None:
        """Print the lines."""
        for each in runs:
            typer.echo("\t".join(one_line(str(value)) for value in each.fields().values()))


class JsonListing(Listing):
    """Print for a program: one list, at the end."""

    def __init__(self) -> None:
        self._runs: list[dict[str, Any]] = []

    def add(self, runs: Sequence[Listed]) -> None:
        """Keep the runs."""
        self._runs += [each.fields() for each in runs]

    def close(self) -> None:
        """Print the list."""
        typer.echo(json.dumps(self._runs, indent=2))


def listing_for(*, as_json: bool) -> Listing:
    """Return the listing that fits the standard output."""
    if as_json:
        return JsonListing()
    console = Console()
    return TableListing(console) if console.is_terminal else LineListing()
