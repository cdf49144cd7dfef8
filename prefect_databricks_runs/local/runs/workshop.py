"""Where tasks are really run: from a task to a child process, and from what it leaves behind to how the task ended."""

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
# By its folder: importing it by its full name would import the server and Prefect into every child.
_START_CHILD = "import sys; sys.path.insert(0, sys.argv[1]); from task_child.main import main; main(sys.argv[2])"


class Workshop:
    """A runner of tasks in child processes, a bounded number at once.

    Args:
        root: the folder that plays the workspace's files.
        temporary: the folder for the folders of its tasks.
        secrets: texts that no child may find in its environment; more may be added at any time.
        pass_environment: names of environment variables that children see besides those that Python needs.
        concurrency: how many children run at once.
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
        """Run one attempt at a task and return how it ended.

        Args:
            run: the run.
            task: the task. When this call is cancelled, what it wrote so far stays in `task.output`.
            references: what its strings refer to.
            started: called when the child process is there.
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
                # Here and not in a thread: when the interpreter ends there is none to be had.
                remove_folder(folder)

    def _spec(self, run: RunRecord, task: TaskRecord, references: References) -> dict[str, Any]:
        """Return the child's instructions."""
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


def _source(file: Path) -> str:
    """Return a notebook's text.

    Raises:
        CannotRunError: it cannot be read, or is too large to be a notebook.
    """
    try:
        return read_regular_file(file, MAX_READ_BYTES).decode("utf-8", "replace")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotRunError(states.INVALID_CONFIGURATION, text("bad_notebook", path=file, reason=reason)) from None


def _with_logs(output: Output, written: Tail) -> Output:
    logs = written.text().rstrip("\n")
    return dataclasses.replace(output, logs=f"{logs}\n" if logs else "", logs_truncated=written.truncated)
