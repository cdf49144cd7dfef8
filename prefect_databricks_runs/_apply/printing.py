"""The output of `prefect-databricks-runs apply`, a difference: for people, for a pipe, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

import typer
from rich.console import Console
from rich.text import Text

from .._jobs.applying import Applied
from .._jobs.difference import Change
from .._jobs.showing import summary_of
from .._text import ours

_STYLES = {"+": "green", "-": "red", "~": "yellow"}
_WORDS = {"+": "added", "-": "removed", "~": "changed"}


def print_applied(applied: Applied, *, as_json: bool) -> None:
    """Print what was done, or would be: the difference on the standard output, a sentence on the error output.

    Args:
        applied: What became of the job.
        as_json: Whether JSON was asked for.
    """
    if as_json:
        typer.echo(json.dumps(_as_json(applied), indent=2))
    else:
        print_changes(applied.changes)
    typer.echo(ours(summary_of(applied)), err=True)


def print_changes(changes: Iterable[Change]) -> None:
    """Print a line for each change: in color on a terminal, else with tabs between sign, path, before and after.

    Args:
        changes: The difference.
    """
    console = Console()
    for each in changes:
        if console.is_terminal:
            console.print(_line(each), soft_wrap=True)
        else:
            typer.echo("\t".join((each.sign, ours(each.path), each.before, each.after)))


def changes_as_json(changes: Iterable[Change]) -> list[dict[str, object]]:
    """Return the difference for JSON.

    Args:
        changes: The difference.
    """
    return [
        {"change": _WORDS[each.sign], "path": each.path, "before": each.before or None, "after": each.after or None}
        for each in changes
    ]


def _line(change: Change) -> Text:
    style = _STYLES[change.sign]
    line = Text.assemble((f"{change.sign} {ours(change.path)}", f"bold {style}"), ": ")
    if change.sign == "~":
        return line.append_text(Text.assemble((change.before, "red"), " -> ", (change.after, "green")))
    return line.append(change.before or change.after, style)


def _as_json(applied: Applied) -> dict[str, object]:
    return {
        "action": applied.action,
        "dry_run": applied.is_dry,
        "job_id": applied.job_id or None,
        "job_name": applied.name,
        "url": applied.url or None,
        "changes": changes_as_json(applied.changes),
    }
