"""Show what was done to a job, in the log and on the page of the flow run."""

from __future__ import annotations

from .._prefect.logging import Logger
from .._report.flow_run_artifact import show_in_flow_run
from .._report.markdown import cell, grid, link
from .._text import quoted
from .applying import Applied

_MOST_LINES, _MOST_ROWS = 50, 250
_DONE = {"created": "Created", "updated": "Updated", "unchanged": "Left unchanged"}


def show(applied: Applied, logger: Logger) -> None:
    """Log what was done; show it on the flow run's page too, if it was anything.

    Args:
        applied: What became of the job.
        logger: Of the task run.
    """
    logger.info("%s", summary_of(applied))
    for each in applied.changes[:_MOST_LINES]:
        logger.info("  %s", each)
    if len(applied.changes) > _MOST_LINES:
        logger.info("  %d more differences are not shown.", len(applied.changes) - _MOST_LINES)
    if applied.action != "unchanged":
        show_in_flow_run(f"databricks-job-{applied.job_id}", _title(applied), _text(applied), logger)


def summary_of(applied: Applied) -> str:
    """Return one sentence of what was done, or would be."""
    job = f"Databricks job {applied.job_id} {quoted(applied.name)}"
    one = len(applied.changes) == 1
    if applied.action == "unchanged":
        text = f"{job} is up to date."
    elif applied.is_dry and applied.action == "created":
        text = f"A job {quoted(applied.name)} would be created."
    elif applied.is_dry:
        text = f"{job} would be updated: {len(applied.changes)} {'setting differs' if one else 'settings differ'}."
    elif applied.action == "created":
        text = f"Created {job}."
    else:
        text = f"Updated {job}: {len(applied.changes)} {'setting' if one else 'settings'} differed."
    return f"{text} {applied.url}".rstrip()


def _title(applied: Applied) -> str:
    return f"Databricks job {applied.job_id} {applied.name}"


def _text(applied: Applied) -> str:
    lines = [f"## {link(_title(applied), applied.url)}", "", f"{_DONE[applied.action]} by this flow run."]
    if applied.changes:
        rows = [[each.sign, *map(cell, (each.path, each.before, each.after))] for each in applied.changes[:_MOST_ROWS]]
        lines += ["", *grid(("", "setting", "before", "after"), rows)]
        if len(applied.changes) > _MOST_ROWS:
            lines += ["", f"{len(applied.changes) - _MOST_ROWS} more differences are left out here."]
    return "\n".join(lines)
