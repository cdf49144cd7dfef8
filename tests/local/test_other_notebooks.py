"""Notebooks that take in others with `%run`, or run them with `dbutils.notebook.run`."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.local.client import Client, is_alive, notebook_task, state_of
from tests.support.processes import wait_until

NEXT_CELL = "\n# COMMAND ----------\n"

_folders = itertools.count()


class Folder:
    """A folder of notebooks in the workspace."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.path = f"/others-{next(_folders)}"
        self.here = client.workspace.root / self.path[1:]

    def write(self, name: str, *cells: str) -> None:
        file = self.here / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".ipynb":
            text = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})
        else:
            text = "# Databricks notebook source\n" + NEXT_CELL.join(cells)
        file.write_text(text, "utf-8")

    def run(self, name: str = "main", **parameters: str) -> tuple[dict[str, Any], dict[str, Any]]:
        run = self.client.finish(notebook_task(f"{self.path}/{name}", base_parameters=parameters))
        return run, self.client.output(run)

    def result(self, name: str = "main", **parameters: str) -> str:
        run, output = self.run(name, **parameters)
        assert state_of(run) == ("TERMINATED", "SUCCESS"), output
        return output["notebook_output"]["result"]

    def failure(self, name: str = "main") -> dict[str, Any]:
        run, output = self.run(name)
        assert state_of(run) == ("TERMINATED", "FAILED")
        return output


@pytest.fixture
def folder(client: Client) -> Folder:
    return Folder(client)


class TestRunMagic:
    @pytest.mark.parametrize("path", ["./helper", "helper", "./sub/../helper", '"./helper"', "{here}/helper"])
    @pytest.mark.parametrize("suffix", [".py", ".ipynb"])
    def test_its_cells_run_in_the_same_namespace(self, folder: Folder, path: str, suffix: str) -> None:
        folder.write("sub/x.py", "")
        folder.write("helper.py", "x += 1", "def double():\n    return x * 2")
        magic = f"%run {path.format(here=folder.path)}"
        folder.write(
            f"main{suffix}",
            "x = 20",
            magic if suffix == ".ipynb" else f"# MAGIC {magic}",
            "dbutils.notebook.exit(double())",
        )
        assert folder.result() == "42"

    def test_paths_are_relative_to_the_notebook_they_stand_in(self, folder: Folder) -> None:
        folder.write("main.py", "# DBTITLE 1,First\n# MAGIC %run ./a b/first", "dbutils.notebook.exit(seen)")
        folder.write("a b/first.ipynb", "seen = ['first']", "%run ../second", "seen.append('first again')")
        folder.write("second.py", "seen.append('second')")
        assert folder.result() == "['first', 'second', 'first again']"

    def test_arguments_set_widgets_over_defaults_and_parameters(self, folder: Folder) -> None:
        folder.write("main.py", '# MAGIC %run ./helper $a="the value" $b=2', "dbutils.notebook.exit(seen)")
        folder.write("helper.py", "dbutils.widgets.text('a', 'default')", "seen = dbutils.widgets.getAll()")
        assert folder.result(b="1", c="3") == str({"a": "the value", "b": "2", "c": "3"})

    def test_exit_ends_the_whole_run(self, folder: Folder) -> None:
        folder.write("main.py", "# MAGIC %run ./helper", "1 / 0")
        folder.write("helper.py", "dbutils.notebook.exit('from the helper')")
        assert folder.result() == "from the helper"

    def test_an_error_names_the_file_and_line_of_the_helper(self, folder: Folder) -> None:
        folder.write("main.py", "# MAGIC %run ./helper", "\nfail(0)")
        folder.write("helper.py", "x = 1", "def fail(n):\n    return 1 / n")
        output = folder.failure()
        assert output["error"] == "ZeroDivisionError: division by zero"
        assert f'{folder.here}/main.py", line 5, in <module>\n    fail(0)' in output["error_trace"]
        assert f'{folder.here}/helper.py", line 5, in fail\n    return 1 / n' in output["error_trace"]
        assert "task_child" not in output["error_trace"]

    def test_the_same_notebook_may_be_taken_in_twice(self, folder: Folder) -> None:
        folder.write("main.py", "x = 0", "# MAGIC %run ./helper", "# MAGIC %run ./helper", "dbutils.notebook.exit(x)")
        folder.write("helper.py", "x += 1")
        assert folder.result() == "2"

    def test_a_circle_is_one_clear_error(self, folder: Folder) -> None:
        folder.write("main.py", "# MAGIC %run ./b")
        folder.write("b.py", "# MAGIC %run ./main")
        here = folder.path
        expected = (
            f"NotebookRunError: %run ./main: the notebooks run each other in a circle, "
            f"{here}/main.py -> {here}/b.py -> {here}/main.py: {folder.here}/b.py, cell at line 2"
        )
        assert folder.failure()["error"] == expected

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            ("# MAGIC %run ./nowhere", "%run ./nowhere: the workspace has no notebook at this path"),
            ("# MAGIC %run ../../../../etc/passwd", "the workspace has no notebook at this path"),
            ("# MAGIC %run", "%run needs the path of a notebook"),
            ('# MAGIC %run ./x "', "cannot be read (No closing quotation)"),
            ("# MAGIC %run ./x $a", '%run takes arguments as $name="value", not as $a'),
            ("# MAGIC %run ./x $a=1 b", '%run takes arguments as $name="value", not as b'),
            ("# MAGIC %run ./x\n# MAGIC y = 1", "%run must be alone in its cell"),
            ("y = 1\n# MAGIC %run ./x", "%run must be the first line of its cell"),
        ],
    )
    def test_what_cannot_be_run_says_why_and_where(self, folder: Folder, cell: str, said: str) -> None:
        folder.write("main.py", "x = 1", cell)
        error = folder.failure()["error"]
        assert error.startswith("NotebookRunError: %run")
        assert said in error
        assert error.endswith(f"{folder.here}/main.py, cell at line 4")


class TestNotebookRun:
    def test_it_returns_what_the_other_exits_with_and_shares_nothing(self, folder: Folder) -> None:
        folder.write(
            "main.py",
            "import os\nx = 1",
            "told = dbutils.notebook.run('./sub/other', 60, {'a': 'given'})",
            "dbutils.notebook.exit([told, x, dbutils.widgets.getAll()])",
        )
        folder.write(
            "sub/other.py",
            "assert 'x' not in globals()\nx = 2\ndbutils.notebook.exit(dbutils.widgets.get('a') + ' and back')",
        )
        assert folder.result(b="1") == str(["given and back", 1, {"b": "1"}])

    @pytest.mark.parametrize("path", ["other", "{here}/other", "/Workspace{here}/other", "../{name}/other"])
    def test_it_takes_the_same_paths_as_the_rest(self, folder: Folder, path: str) -> None:
        path = path.format(here=folder.path, name=folder.path[1:])
        folder.write("main.py", f"dbutils.notebook.exit(dbutils.notebook.run({path!r}, timeout_seconds=0))")
        folder.write("other.ipynb", "x = 1")
        assert folder.result() == "None"

    def test_it_nests_and_runs_side_by_side(self, folder: Folder) -> None:
        folder.write(
            "main.py",
            "from concurrent.futures import ThreadPoolExecutor\n"
            "def run(n):\n    return dbutils.notebook.run('middle', 60, {'n': str(n)})\n"
            "with ThreadPoolExecutor() as pool:\n    dbutils.notebook.exit(list(pool.map(run, range(3))))",
        )
        folder.write("middle.py", "dbutils.notebook.exit(dbutils.notebook.run('inner', 60, dbutils.widgets.getAll()))")
        folder.write("inner.py", "dbutils.notebook.exit(int(dbutils.widgets.get('n')) * 10)")
        assert folder.result() == "['0', '10', '20']"

    def test_its_failure_is_an_error_that_says_why(self, folder: Folder) -> None:
        folder.write("main.py", "dbutils.notebook.run('other', 60)")
        folder.write("other.py", "raise KeyError('x')")
        output = folder.failure()
        assert output["error"] == f"WorkflowException: The notebook {folder.path}/other.py failed: KeyError: 'x'"
        assert "line 2, in <module>\n    dbutils.notebook.run('other', 60)" in output["error_trace"]
        assert "task_child" not in output["error_trace"]

    def test_its_death_is_an_error(self, folder: Folder) -> None:
        folder.write("main.py", "dbutils.notebook.run('other', 60)")
        folder.write("other.py", "import os\nos._exit(0)")
        assert "its Python process ended without an outcome (exit code 0)" in folder.failure()["error"]

    def test_a_failure_can_be_caught(self, folder: Folder) -> None:
        folder.write(
            "main.py",
            "try:\n    dbutils.notebook.run('other', 60)\nexcept Exception as error:\n"
            "    dbutils.notebook.exit(type(error).__name__)",
        )
        folder.write("other.py", "1 / 0")
        assert folder.result() == "WorkflowException"

    def test_its_time_out_is_an_error_and_ends_it(self, folder: Folder, tmp_path: Path) -> None:
        pid_file = tmp_path / "pid"
        folder.write("main.py", "dbutils.notebook.run('other', 1)")
        folder.write(
            "other.py", f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
        )
        expected = f"WorkflowException: The notebook {folder.path}/other.py did not end within 1 s"
        assert folder.failure()["error"] == expected
        if pid_file.exists():  # a slow machine may not get as far within a second
            wait_until(lambda: not is_alive(int(pid_file.read_text())))

    @pytest.mark.parametrize("way", ["cancel", "death"])
    def test_it_ends_with_its_caller(self, folder: Folder, tmp_path: Path, way: str) -> None:
        pids = tmp_path / "pids"
        write_pid = f"import os, time\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\n"
        folder.write("main.py", f"{write_pid}dbutils.notebook.run('other', 0)")
        folder.write("other.py", f"{write_pid}time.sleep(60)")
        run_id = folder.client.submit(notebook_task(f"{folder.path}/main"))
        main, other = wait_until(lambda: two_pids(pids))
        if way == "cancel":
            folder.client.post("runs/cancel", run_id=run_id)
        else:
            os.kill(main, 9)
        folder.client.wait(run_id)
        wait_until(lambda: not is_alive(main) and not is_alive(other))

    def test_a_caller_that_is_done_first_succeeds(self, folder: Folder, tmp_path: Path) -> None:
        started = tmp_path / "started"
        folder.write(
            "main.py",
            "import threading, time, os\n"
            "threading.Thread(target=dbutils.notebook.run, args=('other', 0), daemon=True).start()\n"
            f"while not os.path.exists({str(started)!r}):\n    time.sleep(0.01)\n"
            "dbutils.notebook.exit('done')",
        )
        folder.write("other.py", f"import time\nopen({str(started)!r}, 'w').close()\ntime.sleep(60)")
        assert folder.result() == "done"

    @pytest.mark.parametrize(
        ("call", "said"),
        [
            ("run('nowhere', 0)", "WorkflowException: There is no notebook nowhere in the workspace"),
            ("run('../../../etc/passwd', 0)", "WorkflowException: There is no notebook ../../../etc/passwd in"),
            ("run('main', -1)", "ValueError: timeout_seconds must not be negative, it is -1"),
            ("run('main', 0, {'a': 1})", "TypeError: The arguments of a notebook must be strings, not 'a': 1"),
        ],
    )
    def test_what_cannot_be_run_says_why(self, folder: Folder, call: str, said: str) -> None:
        folder.write("main.py", f"dbutils.notebook.{call}")
        assert folder.failure()["error"].startswith(said)

    def test_notebooks_that_run_themselves_come_to_an_end(self, folder: Folder) -> None:
        folder.write("main.py", "dbutils.notebook.run('main', 0)")
        assert folder.failure()["error"].endswith("The notebook main would be the 17th inside another: too many")


def two_pids(file: Path) -> list[int]:
    pids = [int(pid) for pid in file.read_text().split()] if file.exists() else []
    return pids if len(pids) == 2 else []
