"""The markdown of the artifact of many runs: a count for each state, a table, and the causes of failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from .._text import name
from ..errors import DatabricksError
from ..run_states import Outcome
from ..runs import Run
from .artifact import MAX_ROWS, time_text
from .markdown import cell, escaped, link, sentences

_MAX_ERRORS = 10
_BAD, _GOING, _GOOD = range(3)


def summary_text(
    runs: Mapping[int, Run | None], unread: Mapping[int, DatabricksError], host: str, note: str = ""
) -> str:
    """Return the markdown of a summary.

    Args:
        runs: The runs by `run_id`, in the order of the call; None for a run that was not read yet.
        unread: The errors of runs that could not be read, by `run_id`.
        host: The workspace's address.
        note: What happened to the runs that are not watched anymore; may be empty.
    """
    known = [run for run in runs.values() if run]
    names = Counter(run.state.name for run in known)
    waiting = len(runs) - len(known) - len([run_id for run_id in unread if not runs.get(run_id)])
    counts = [f"{count} {name}" for name, count in names.most_common()]
    counts += [f"{waiting} not read yet"] if waiting else []
    counts += [f"{len(unread)} could not be read"] if unread else []
    lines = [f"## {len(runs)} Databricks runs of {link(host, host)}", "", f"**{', '.join(counts)}**"]
    lines += ["", sentences(note, host)] if note else []
    if known:
        lines += ["", *_table(known)]
    return "\n".join([*lines, *_why(known, unread)])


def _table(runs: Collection[Run]) -> list[str]:
    # Runs that need attention first; among equal ones, in the order of the call.
    shown = sorted(runs, key=_urgency)[:MAX_ROWS]
    left_out = len(runs) - len(shown)
    lines = ["| run | state | queue | total |", "|---|---|---|---|", *map(_row, shown)]
    return [*lines, "", f"{left_out} more runs are not shown here."] if left_out else lines


def _row(run: Run) -> str:
    cells = (_link_to(run), run.state.name, time_text(run.queue_duration), time_text(_total(run)))
    return f"| {' | '.join(cells)} |"


def _link_to(run: Run) -> str:
    return link(f"{run.run_id} {name(run.run_name)}".strip(), run.url)


def _total(run: Run) -> int:
    return run.run_duration or (run.end_time - run.start_time if run.end_time else 0)


def _urgency(run: Run) -> int:
    if run.state.outcome is Outcome.SUCCESS:
        return _GOOD
    return _BAD if run.state.is_terminal else _GOING


def _why(runs: Collection[Run], unread: Mapping[int, DatabricksError]) -> list[str]:
    bad = [run for run in runs if _urgency(run) == _BAD]
    lines: list[str] = []
    for run in bad[:_MAX_ERRORS]:
        reasons = [
            f"- {escaped(name(key))}: {cell(task.reason) or task.state.name}" for key, task in run.failures.items()
        ]
        explanation = cell(run.explanation)
        lines += ["", f"### {_link_to(run)}: {run.state.name}", ""]
        lines += [explanation, ""] if explanation else []
        lines += reasons or ([] if explanation else ["Databricks returned no reason."])
    for run_id, error in list(unread.items())[:_MAX_ERRORS]:
        lines += ["", f"### Could not read {run_id}", "", cell(str(error))]
    more = max(0, len(bad) - _MAX_ERRORS) + max(0, len(unread) - _MAX_ERRORS)
    return [*lines, "", f"{more} more runs failed."] if more else lines
