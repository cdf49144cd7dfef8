"""`dbutils.notebook.run`: run another notebook in its own Python process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .paths import find_notebook, workspace_path
from .regular_files import read_regular_file, write_regular_file

MAX_DEPTH = 16
# As JSON, a result of 5 MiB has at most six times as many bytes. The rest is for errors and task values.
MAX_OUTCOME_BYTES = 64 * 1024 * 1024


class WorkflowException(Exception):  # the name that Databricks uses
    """The other notebook failed, took too long, or could not be run."""

    __module__ = "builtins"  # tracebacks have the bare name


class OtherNotebooks:
    """Start other notebooks and wait for them. They are in the process group of this process, and end with it.

    Args:
        spec: The instructions of this process.
        caller: Returns the file of the calling notebook, for relative paths.
    """

    def __init__(self, spec: Mapping[str, Any], caller: Callable[[], Path]) -> None:
        self._root = Path(spec["root"])
        self._depth = int(spec.get("depth", 0)) + 1
        # The folder of this attempt, which the workspace always removes.
        self._folder = Path(spec["outcome"]).parent
        self._caller = caller

    def run(self, path: str, timeout_seconds: float, arguments: Mapping[str, str]) -> str | None:
        """Run a notebook and return its exit value; None if it ends without one.

        Args:
            path: An absolute path in the workspace, or a path relative to the calling notebook.
            timeout_seconds: The timeout in seconds; 0 = no timeout.
            arguments: Its widgets.

        Raises:
            WorkflowException: The notebook failed, took too long, or does not exist.
            ValueError: The timeout is negative.
            TypeError: An argument or its name is not a string.
        """
        if timeout_seconds < 0:
            raise ValueError(f"timeout_seconds must not be negative, it is {timeout_seconds}")
        for name, value in arguments.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise TypeError(f"The arguments of a notebook must be strings, not {name!r}: {value!r}")
        file = find_notebook(self._root, path, self._caller())
        if file is None:
            raise WorkflowException(f"There is no notebook {path} in the workspace")
        if self._depth > MAX_DEPTH:
            raise WorkflowException(f"The notebook {path} would be the {self._depth}th inside another: too many")
        folder = Path(tempfile.mkdtemp(prefix="notebook-", dir=self._folder))
        try:
            return self._outcome(file, timeout_seconds, arguments, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _outcome(self, file: Path, seconds: float, arguments: Mapping[str, str], folder: Path) -> str | None:
        name = workspace_path(self._root, file)
        outcome = folder / "outcome.json"
        spec = {
            "type": "notebook_task",
            "file": str(file),
            "root": str(self._root),
            "parameters": dict(arguments),
            "values": {},
            "outcome": str(outcome),
            "depth": self._depth,
        }
        code = _run_process(spec, folder, seconds or None, name)
        told: dict[str, Any] = json.loads(read_regular_file(outcome, MAX_OUTCOME_BYTES)) if outcome.exists() else {}
        if code or not told.get("succeeded"):
            reason = told.get("error") or f"its Python process ended without an outcome (exit code {code})"
            raise WorkflowException(f"The notebook {name} failed: {reason}")
        result: str | None = told.get("result")
        return result


def _run_process(spec: Mapping[str, Any], folder: Path, seconds: float | None, name: str) -> int:
    """Start a process in the same way as this one, and return its exit code."""
    spec_file, working_folder = folder / "spec.json", folder / "work"
    write_regular_file(spec_file, json.dumps(spec).encode(), 0o600)
    working_folder.mkdir()
    command = [sys.executable, *sys.orig_argv[1:-1], str(spec_file)]
    # Its stdin is a pipe that closes when this process ends, and then the new process ends too.
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=working_folder) as process:  # noqa: S603, it is ourselves
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise WorkflowException(f"The notebook {name} did not end within {seconds} s") from None
        finally:
            process.kill()
