"""The output of `prefect-databricks-runs check-job`: for people, for a pipe, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .._text import name, one_line
from .findings import Finding, Results, Severity

_STYLES = {"error": "red", "fault": "red", "warning": "yellow"}
_MESSAGE_CHARACTERS = 2_000
_PATH_CHARACTERS = 400
_SEVERITIES: tuple[Severity, ...] = ("error", "fault", "warning")


def print_results(results: Results, *, as_json: bool) -> None:
    """Print the findings on the standard output, as it suits where that leads, and their sum on the error output.

    Args:
        results: All that was found.
        as_json: Whether JSON was asked for.
    """
    console = Console()
    if as_json:
        _print_json(results)
    elif console.is_terminal:
        _print_table(results, console)
    else:
        for each in results.findings:
            typer.echo("\t".join((_place(each), name(each.job), _path(each), each.severity, _message(each))))
    typer.echo(_sum_of(results), err=True)


def _print_json(results: Results) -> None:
    worst = next((each for each in _SEVERITIES if results.count(each)), "ok")
    checked, findings = ([asdict(each) for each in those] for those in (results.checked, results.findings))
    typer.echo(json.dumps({"result": worst, "checked": checked, "findings": findings}, indent=2))


def _print_table(results: Results, console: Console) -> None:
    """Print a heading for each file and job, and its findings below it."""
    for (file, job), findings in groupby(results.findings, key=lambda each: (each.file, each.job)):
        console.print(
            f"[bold]{escape(one_line(file, _PATH_CHARACTERS))}[/] {escape(name(job))}", soft_wrap=True, highlight=False
        )
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for each in findings:
            place = f"{_path(each)}: " if each.path else ""
            line = str(each.line or "")
            table.add_row(line, f"[{_STYLES[each.severity]}]{each.severity}", escape(place + _message(each)))
        console.print(table, highlight=False)


def _place(finding: Finding) -> str:
    file = one_line(finding.file, _PATH_CHARACTERS)
    return f"{file}:{finding.line}" if finding.line else file


def _path(finding: Finding) -> str:
    return one_line(finding.path, _PATH_CHARACTERS)


def _message(finding: Finding) -> str:
    suffix = f" (target {', '.join(map(name, finding.targets))})" if finding.targets else ""
    return one_line(finding.message, _MESSAGE_CHARACTERS) + suffix


def _sum_of(results: Results) -> str:
    definitions = {(each.file, each.line, each.job) for each in results.checked}
    files = {each.file for each in results.checked}
    checked = f"{_count(len(definitions), 'definition')} in {_count(len(files), 'file')} checked"
    counts = [_count(results.count(each), each) for each in _SEVERITIES if results.count(each)]
    return f"{checked}: {', '.join(counts) if counts else 'nothing was found to be wrong'}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
