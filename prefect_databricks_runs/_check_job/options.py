"""The command `prefect-databricks-runs check-job` and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from .._commands import ends_with_2


def check_job(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files and folders with definitions; - reads the standard input."),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(help="A target of the bundles; can be repeated. Without it, the default target, else all."),
    ] = None,
    *,
    all_targets: Annotated[bool, typer.Option("--all-targets", help="Check all targets of the bundles.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for warnings, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a JSON object.")] = False,
) -> None:
    """Find what is wrong with definitions of jobs, before they are deployed. Needs no workspace, and sends nothing.

    Reads Databricks asset bundles, the settings of jobs, and the bodies of runs/submit requests, in YAML or JSON.
    Ends with 1 if there are faults, and with 2 if something could not be read or is not a job.
    """
    from .command import Wanted, check_files
    from .printing import print_results

    if target and all_targets:
        raise typer.BadParameter("Use either targets or --all-targets.", param_hint="--all-targets")
    with ends_with_2():
        results = check_files(Wanted(files, target or (), all_targets))
        print_results(results, as_json=as_json)
    raise typer.Exit(results.exit_code(strict=strict))
