"""Really run tasks: from a task to a child process, and from its exit and its files to the task's ending."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ..bodies.task_type_checks import PATH_FIELDS, comes_from_git, is_stored_elsewhere
from ..files.paths import find_file, find_notebook
from ..files.temporary import remove_folder
from ..files.workspace_files import MAX_READ_BYTES
from ..task_child.regular_files import read_regular_file, write_regular_file
from ..texts import text
from . import states
from .child_process import Tail, run_process
from .composed import CannotRunError
from .environment import environment_of_tasks
from .outcome import read_outcome
from .records import Ending, Output, RunRecord, TaskRecord
from .references import References, UnresolvedReferenceError, notebook_parameters, python_parameters

_HERE = Path(__file__).parent.parent
# Import it from its folder: by its full name it would import the server and Prefect into every child process.
_START_CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from task_child.main import main; main(sys.argv[2])"


class Workshop:
    """A runner of tasks in child processes, a bounded number at once.

    Args:
        root: The folder with the workspace's files.
        temporary: The folder for the folders of tasks.
        secrets: Strings that must not be in the environment of a child; more may be added at any time.
        pass_environment: Names of environment variables that children see in addition to the variables that Python
            needs.
        concurrency: The number of children that run at once.
    """

    def __init__(
        self,
        root: Path,
        temporary: Path,
        secrets: Collection[str],
        pass_environment: Collection[str],
        concurrency: int,
    ) -> None:
        self._root = root
        self._temporary = temporary
        self._secrets = secrets
        self._pass_environment = pass_environment
        self._places = asyncio.Semaphore(concurrency)

    async def run(
        self, run: RunRecord, task: TaskRecord, references: References, started: Callable[[], None]
    ) -> Ending:
        """Run one attempt at a task and return its ending.

        Args:
            run: The run.
            task: The task. If this call is cancelled, the output so far is in `task.output`.
            references: The values that its strings can refer to.
            started: Called when the child process has started.
        """
        try:
            spec = self._spec(run, task, references)
        except CannotRunError as error:
            return error.ending
        except UnresolvedReferenceError as error:
            return CannotRunError(states.INVALID_CONFIGURATION, str(error)).ending
        async with self._places:
            folder = Path(tempfile.mkdtemp(prefix="task-", dir=self._temporary))
            try:
                return await self._run_child(task, spec, folder, started)
            finally:
                # Not in a thread: when the interpreter ends, no new thread can start.
                remove_folder(folder)

    def _spec(self, run: RunRecord, task: TaskRecord, references: References) -> dict[str, Any]:
        """Return the child's instructions."""
        _check_place(run, task)
        values = {key: other.output.values for key, other in run.current.items() if other.state.is_terminal}
        common = {"root": str(self._root), "values": values}
        if "notebook_task" in task.settings:
            file = self._notebook(references.resolve(task.settings["notebook_task"]["notebook_path"]))
            task.source = _source(file)
            parameters: Any = notebook_parameters(run, task, references)
            return {**common, "type": "notebook_task", "file": str(file), "parameters": parameters}
        file = self._python_file(references.resolve(task.settings["spark_python_task"]["python_file"]))
        parameters = python_parameters(run, task, references)
        return {**common, "type": "spark_python_task", "file": str(file), "parameters": parameters}

    def _notebook(self, path: str) -> Path:
        file = find_notebook(self._root, path)
        if file is None:
            raise CannotRunError(states.NOT_FOUND, text("no_notebook", path=path))
        return file

    def _python_file(self, path: str) -> Path:
        file = find_file(self._root, path)
        if file is None:
            raise CannotRunError(states.NOT_FOUND, text("no_python_file", path=path))
        return file

    async def _run_child(
        self, task: TaskRecord, spec: dict[str, Any], folder: Path, started: Callable[[], None]
    ) -> Ending:
        working_folder = folder / "work"
        working_folder.mkdir()
        spec_file, outcome_file = folder / "spec.json", folder / "outcome.json"
        content = json.dumps({**spec, "outcome": str(outcome_file)}).encode()
        write_regular_file(spec_file, content, 0o600)
        options = ("-u", "-X", "utf8", "-X", "faulthandler")
        arguments = (sys.executable, *options, "-c", _START_CHILD, str(_HERE), str(spec_file))
        environment = environment_of_tasks(os.environ, self._pass_environment, self._secrets)
        written = Tail()
        gives_logs = "spark_python_task" in task.settings
        try:
            code = await run_process(
                arguments, folder=working_folder, environment=environment, output=written, started=started
            )
        except asyncio.CancelledError:
            task.output = _with_logs(Output(), written) if gives_logs else Output()
            raise
        output, succeeded = read_outcome(outcome_file, code, written)
        if gives_logs:
            output = _with_logs(output, written)
        if succeeded:
            return Ending(states.SUCCESS, output=output)
        return Ending(states.FAILED, text("workload_failed"), output)


def _check_place(run: RunRecord, task: TaskRecord) -> None:
    """Check that a task's file is in the workspace.

    Raises:
        CannotRunError: The file is in a Git repository or in another storage, which the local workspace cannot read.
    """
    task_type = next(name for name in PATH_FIELDS if name in task.settings)
    fields = task.settings[task_type]
    path = fields[PATH_FIELDS[task_type]]
    if comes_from_git(fields, has_git_source="git_source" in run.settings):
        raise CannotRunError(states.NOT_RUN_HERE, text("file_in_git", path=path))
    if is_stored_elsewhere(path):
        raise CannotRunError(states.NOT_RUN_HERE, text("file_elsewhere", path=path))


def _source(file: Path) -> str:
    """Return a notebook's source.

    Raises:
        CannotRunError: The file cannot be read, or is too large to be a notebook.
    """
    try:
        return read_regular_file(file, MAX_READ_BYTES).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotRunError(states.INVALID_CONFIGURATION, text("bad_notebook", path=file, reason=reason)) from None


def _with_logs(output: Output, written: Tail) -> Output:
    logs = written.text().rstrip("\n")
    return dataclasses.replace(output, logs=f"{logs}\n" if logs else "", logs_truncated=written.truncated)
