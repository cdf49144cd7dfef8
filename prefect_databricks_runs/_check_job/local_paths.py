"""The paths of a bundle's tasks to files beside it, which the deployment turns into paths of the workspace."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Final

from .references import Report
from .tree import Node

# The field of each that is a path, and the endings that a notebook's name may go without.
_FIELDS: Final = {"notebook_task": "notebook_path", "spark_python_task": "python_file"}
_NOTEBOOKS: Final = ("", ".py", ".ipynb", ".sql", ".scala", ".r", ".R")


def with_deployed_paths(job: Node, written: Node, root: Path, report: Report) -> Node:
    """Return a job with the paths that a deployment sets for files of the bundle.

    Args:
        job: The job, with its references filled in.
        written: The same as it is written.
        root: The folder of the bundle.
        report: Called with each path that leads to no file, its own path, and what is wrong.
    """
    has_git_source = job.get("git_source") is not None

    def of_task(task: Node, as_written: Node | None, place: str) -> Node:
        if not isinstance(task.value, dict):
            return task
        changed = dict(task.value)
        for kind, field in _FIELDS.items():
            inner = task.get(kind)
            path = inner.get(field) if inner else None
            if inner and path and _is_local(path, inner, has_git_source=has_git_source):
                as_given = as_written.get(kind) if as_written else None
                if as_given and (as_given.text(field) == path.value) and not _exists(path, job, root):
                    message = f"{path.value[:200]!r} does not exist; correct the path, which begins at this file."
                    report(path, f"{place}.{kind}.{field}", message)
                changed[kind] = inner.with_value({**inner.value, field: path.with_value(_deployed(path.value))})
        repeated = task.get("for_each_task")
        if repeated and (nested := repeated.get("task")):
            as_given = as_written.get("for_each_task") if as_written else None
            nested = of_task(nested, as_given.get("task") if as_given else None, f"{place}.for_each_task.task")
            changed["for_each_task"] = repeated.with_value({**repeated.value, "task": nested})
        return task.with_value(changed)

    tasks = job.list("tasks")
    if not tasks:
        return job
    given = written.list("tasks")
    found = [
        of_task(task, given[index] if index < len(given) else None, f"tasks[{index}]")
        for index, task in enumerate(tasks)
    ]
    return job.with_value({**job.value, "tasks": job.value["tasks"].with_value(found)})


def _is_local(path: Node, task: Node, *, has_git_source: bool) -> bool:
    text = path.value
    if not isinstance(text, str) or not text or text.startswith("/") or "{{" in text or ":" in text:
        return False
    source = task.get("source")
    return source.value == "WORKSPACE" if source else not has_git_source


def _exists(path: Node, job: Node, root: Path) -> bool:
    folders = {root, *(Path(each.file).parent for each in (path, job))}
    try:
        return any((folder / f"{path.value}{ending}").exists() for folder in folders for ending in _NOTEBOOKS)
    except (OSError, ValueError):  # no name of a file
        return True


def _deployed(path: str) -> str:
    return posixpath.join("/Workspace", posixpath.normpath(path).lstrip("./"))
