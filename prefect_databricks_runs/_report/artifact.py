"""The markdown of a run's artifact: its state, its tasks, the causes of failures, and what to do next."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

from .._text import name, tail, visible
from ..run_states import Outcome
from ..runs import MAX_FAILED_ITERATIONS, POINTER, Run, RunTask
from .markdown import cell, escaped, fence, grid, link, plain_cell, sentences

MAX_ROWS = 250
_TRACE_LINES, _TRACE_CHARACTERS = 40, 4_000
_MAX_ERRORS = 10
_RESULT_COLUMN = 2  # before the times, because the UI cuts the columns on the right
_FINE = (Outcome.SUCCESS, Outcome.EXCLUDED, Outcome.DISABLED)


def artifact_text(run: Run, *, since: float | None = None, note: str = "") -> str:
    """Return the markdown of a run's artifact.

    Args:
        run: The run.
        since: When its state was first seen, in seconds since 1970; None if that is not known.
        note: The relation of the flow run to this run; may be empty.
    """
    title = f"Databricks run {run.run_id} {name(run.run_name)}".strip()
    lines = [f"## {link(title, run.url)}", "", _state_line(run, since)]
    if note:
        lines += ["", sentences(note, run.host)]
    if run.tasks:
        lines += ["", *_table(run)]
    lines += _attempts(run)
    lines += _errors(run)
    lines += _next_steps(run)
    return "\n".join(lines)


def _state_line(run: Run, since: float | None) -> str:
    line = f"**{run.state.name}**"
    if since is not None and not run.state.is_terminal:
        line += f" since {_utc(since)}"
    if run.run_duration:
        line += f" after {time_text(run.run_duration)}"
    explanation = cell(run.explanation)
    return f"{line}: {explanation}" if explanation else line


def _table(run: Run) -> list[str]:
    tasks = list(run.tasks.values())
    shown, left_out = tasks, ""
    if len(tasks) > MAX_ROWS:
        shown = [task for task in tasks if task.state.outcome not in _FINE and task.start_time][:MAX_ROWS]
        left_out = f"{len(tasks) - len(shown)} of {len(tasks)} tasks are not shown here. See the run's own page."
    columns = ["task", "state", "attempts", "queue", "setup", "execution", "total"]
    rows = list(map(_row, shown))
    if any(task.result for task in shown):
        columns.insert(_RESULT_COLUMN, "result")
        for row, task in zip(rows, shown, strict=True):
            row.insert(_RESULT_COLUMN, plain_cell(task.result))
    return [*grid(columns, rows), *(["", left_out] if left_out else [])]


def _row(task: RunTask) -> list[str]:
    run_job = link(f"run {task.run_job_run_id}", task.run_job_url) if task.run_job_url else ""
    state = f"{escaped(name(task.state_in_words))} {run_job}".strip()
    times = (task.queue_duration, task.setup_duration, task.execution_duration, task.took)
    return [
        link(task.task_key, task.url),
        state,
        str(task.attempt_number + 1) if task.start_time else "",
        *map(time_text, times),
    ]


def _attempts(run: Run) -> list[str]:
    """Return a line for each attempt at a task with several attempts, and for each failed iteration."""
    tries = Counter(attempt.task_key for attempt in run.attempts)
    rows = [_attempt_row(name(each.task_key), each) for each in run.attempts if tries[each.task_key] > 1]
    for attempt in run.attempts:
        what = f"{name(attempt.task_key)}, an iteration"
        rows += [_attempt_row(what, each) for each in attempt.failed_iterations]
    if not rows:
        return []
    notes = []
    if any(len(attempt.failed_iterations) >= MAX_FAILED_ITERATIONS for attempt in run.attempts):
        notes += [
            "",
            f"At most {MAX_FAILED_ITERATIONS} failed attempts at iterations of a for-each task are shown.",
        ]
    if len(rows) > MAX_ROWS:
        notes += ["", f"{len(rows) - MAX_ROWS} more attempts are not shown here. See the run's own page."]
    lines = grid(["task", "attempt", "state", "why", "took", "ended"], rows[:MAX_ROWS])
    return ["", "### Attempts", "", *lines, *notes]


def _attempt_row(what: str, attempt: RunTask) -> list[str]:
    ended = _utc(attempt.end_time / 1000) if attempt.end_time else ""
    why = plain_cell(attempt.reason) if attempt.is_failed else ""
    number = str(attempt.attempt_number + 1)
    state = escaped(name(attempt.state_in_words))
    return [link(what, attempt.url), number, state, why, time_text(attempt.took), ended]


def _utc(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):  # an impossible time must not end a wait
        return ""


def _errors(run: Run) -> list[str]:
    lines: list[str] = []
    failures = run.failures
    for key, task in list(failures.items())[:_MAX_ERRORS]:
        output = task.output
        error = task.reason
        lines += [
            "",
            f"### {escaped(name(key))}: {task.state.name}",
            "",
            cell(error) or "Databricks returned no reason.",
        ]
        details = task.state.termination_message
        says_more = details not in error and not (output and output.error and POINTER in details)
        if details and says_more:
            lines += ["", cell(details)]
        if output and output.error_trace:
            lines += ["", *_fenced(output.error_trace, task.url)]
    more = len(failures) - _MAX_ERRORS
    if more > 0:
        lines += ["", f"{more} more tasks failed. See the run's own page."]
    return lines


def _fenced(trace: str, url: str) -> list[str]:
    trace = trace.rstrip("\n")
    lines = tail(trace, _TRACE_CHARACTERS).split("\n")
    is_cut = len(lines) > _TRACE_LINES or len(visible(trace[: 2 * _TRACE_CHARACTERS])) > _TRACE_CHARACTERS
    cut = [f"This is the end of the traceback. See {link('its page', url)} for all of it.", ""] if is_cut else []
    return [*cut, *fence("\n".join(lines[-_TRACE_LINES:]))]


def _next_steps(run: Run) -> list[str]:
    if not run.state.is_terminal or not run.failed_tasks:
        return []
    return [
        "",
        "### What to do next",
        "",
        f"Look at {link('the run', run.url)}. When the cause is fixed, run the failed tasks again, on the run's page"
        " with *Repair run*, or with the Databricks CLI:",
        "",
        "```bash",
        f"databricks jobs repair-run {run.run_id} --rerun-all-failed-tasks",
        "```",
        "",
        f"`wait_for_run(databricks_credentials, {run.run_id})` then waits for the run again.",
    ]


def time_text(milliseconds: int) -> str:
    """Return a duration for people; empty for 0."""
    if not milliseconds:
        return ""
    seconds = milliseconds / 1000
    if seconds < 60:  # noqa: PLR2004, a minute
        return f"{seconds:.1f} s"
    try:
        return str(timedelta(seconds=round(seconds)))
    except OverflowError:  # an impossible duration must not end a wait
        return ""
