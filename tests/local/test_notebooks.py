"""Notebooks as they run: widgets, results, task values, errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.client import Client, is_alive, notebook_task, state_of
from tests.support.processes import wait_until


def result(client: Client, code: str, **fields: Any) -> str:
    """Returns what a notebook with this code exits with."""
    run = client.finish(notebook_task(client.notebook(code), **fields))
    output = client.output(run)
    assert state_of(run) == ("TERMINATED", "SUCCESS"), output
    return output["notebook_output"]["result"]


def failure(client: Client, code: str, **fields: Any) -> dict[str, Any]:
    """Returns the output of a notebook with this code that fails."""
    run = client.finish(notebook_task(client.notebook(code), **fields))
    assert state_of(run) == ("TERMINATED", "FAILED")
    return client.output(run)


def test_exit_ends_the_notebook_with_its_value(client: Client) -> None:
    assert result(client, "dbutils.notebook.exit('the value')\n# COMMAND ----------\n1 / 0") == "the value"


def test_a_value_of_more_than_5_mb_is_cut(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("dbutils.notebook.exit('x' * (6 * 1024 * 1024))")))
    output = client.output(run)["notebook_output"]
    assert (len(output["result"]), output["truncated"]) == (5 * 1024 * 1024, True)


def test_without_exit_there_is_no_result_and_no_log(client: Client) -> None:
    output = client.output(client.finish(notebook_task(client.notebook("print('said')"))))
    assert output["notebook_output"] == {"truncated": False}
    assert "logs" not in output
    assert "error" not in output


def test_cells_share_their_names_and_prose_is_skipped(client: Client) -> None:
    code = (
        "x = 1\n# COMMAND ----------\n# MAGIC %md\n# MAGIC # A title\n# COMMAND ----------\n"
        "# DBTITLE 1,Named\n# MAGIC %md-sandbox <b>\n# COMMAND ----------\n# MAGIC %python\n# MAGIC x += 1\n"
        "# COMMAND ----------\ndbutils.notebook.exit(x)"
    )
    assert result(client, code) == "2"


@pytest.mark.parametrize("magic", ["%sql", "%pip install x", "%sh ls"])
def test_another_magic_is_a_clear_error_when_it_is_reached(client: Client, magic: str) -> None:
    output = failure(client, f"before = 1\n# COMMAND ----------\n# MAGIC {magic}\n# MAGIC more")
    name = magic.split(maxsplit=1)[0]
    assert output["error"].startswith(f"UnsupportedMagicError: {name} is not served by the local workspace")
    assert "before" not in output["error_trace"]


def test_an_error_shows_the_users_own_lines(client: Client) -> None:
    output = failure(client, "def f(n):\n    return 1 / n  # here\n# COMMAND ----------\n\nf(0)")
    assert output["error"] == "ZeroDivisionError: division by zero"
    trace = output["error_trace"]
    assert trace.startswith("Traceback (most recent call last):\n  File")
    assert "line 6, in <module>\n    f(0)" in trace
    assert "line 3, in f\n    return 1 / n  # here" in trace
    assert "task_child" not in trace


def test_a_syntax_error_shows_the_line(client: Client) -> None:
    output = failure(client, "x = 1\n# COMMAND ----------\nx = = 2")
    assert output["error"] == "SyntaxError: invalid syntax"
    assert "line 4" in output["error_trace"]
    assert "x = = 2" in output["error_trace"]


def test_a_jupyter_notebook_runs_and_shows_its_cell(client: Client) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": ["def f():\n", "    raise KeyError('x')\n"]},
        {"cell_type": "code", "source": "%md\nprose"},
        {"cell_type": "code", "source": "y = dbutils.widgets.get('y')\nf()"},
    ]
    path = client.write(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}), ".ipynb")
    for written in (path, path.removesuffix(".ipynb")):
        output = client.output(client.finish(notebook_task(written, base_parameters={"y": "1"})))
        assert output["error"] == "KeyError: 'x'"
        assert f'{path[1:]}, code cell 3", line 2, in <module>\n    f()' in output["error_trace"]
        assert "code cell 1\", line 2, in f\n    raise KeyError('x')" in output["error_trace"]


def test_a_plain_python_file_is_not_a_notebook(client: Client) -> None:
    run = client.finish(notebook_task(client.write("print(1)", ".py")))
    assert "is not a notebook" in client.output(run)["error"]
    assert state_of(run) == ("TERMINATED", "FAILED")


@pytest.mark.parametrize("path", ["/nowhere", "/", "/x/y/z", "/" + "n" * 300])
def test_a_notebook_that_does_not_exist_is_named(client: Client, path: str) -> None:
    run = client.wait(client.submit(notebook_task(path)))
    task = run["tasks"][0]
    assert state_of(task) == ("INTERNAL_ERROR", "FAILED")
    assert task["status"]["termination_details"]["code"] == "RESOURCE_NOT_FOUND"
    assert client.output(run)["error"].startswith(f'Unable to access the notebook "{path}"')
    assert state_of(run) == ("TERMINATED", "FAILED")


def test_a_link_out_of_the_workspace_leads_nowhere(client: Client, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("# Databricks notebook source\n")
    (client.workspace.root / "link").symlink_to(tmp_path)
    run = client.finish(notebook_task("/link/outside"))
    assert state_of(run["tasks"][0]) == ("INTERNAL_ERROR", "FAILED")


def test_the_path_may_begin_with_workspace(client: Client) -> None:
    path = client.notebook("dbutils.notebook.exit('found')")
    run = client.finish(notebook_task(f"/Workspace{path}"))
    assert client.output(run)["notebook_output"]["result"] == "found"


def test_modules_beside_the_notebook_can_be_imported(client: Client) -> None:
    (client.workspace.root / "helper_of_test.py").write_text("answer = 42")
    assert result(client, "import helper_of_test\ndbutils.notebook.exit(helper_of_test.answer)") == "42"


class TestWidgets:
    def test_a_given_value_wins_over_the_default(self, client: Client) -> None:
        code = "dbutils.widgets.text('a', 'default')\ndbutils.notebook.exit(dbutils.widgets.get('a'))"
        assert result(client, code) == "default"
        assert result(client, code, base_parameters={"a": "given"}) == "given"

    def test_a_widget_that_is_not_there_is_the_error_of_databricks(self, client: Client) -> None:
        output = failure(client, "dbutils.widgets.get('a')")
        assert output["error"] == "InputWidgetNotDefined: No input widget named a is defined"

    def test_all_kinds_of_widgets(self, client: Client) -> None:
        code = (
            "w = dbutils.widgets\n"
            "w.text('t', '1', 'Label')\nw.dropdown('d', '2', ['2', '3'])\nw.combobox('c', '4', ['5'])\n"
            "w.multiselect('m', '6', ['6', '7'])\nw.text('gone', 'x')\nw.remove('gone')\n"
            "seen = w.getAll()\nw.removeAll()\ndbutils.notebook.exit([sorted(seen.items()), w.getAll()])"
        )
        assert result(client, code) == str([[("c", "4"), ("d", "2"), ("m", "6"), ("t", "1")], {}])

    def test_a_default_must_be_a_choice(self, client: Client) -> None:
        assert "not one of its choices" in failure(client, "dbutils.widgets.dropdown('d', '1', ['2'])")["error"]

    def test_get_argument_takes_a_default(self, client: Client) -> None:
        code = "dbutils.notebook.exit(dbutils.widgets.getArgument('a', 'default'))"
        assert result(client, code) == "default"
        assert result(client, code, base_parameters={"a": ""}) == ""
        output = failure(client, "dbutils.widgets.getArgument('a')")
        assert output["error"] == "InputWidgetNotDefined: No input widget named a is defined"

    def test_what_dbutils_lacks_says_so(self, client: Client) -> None:
        expected = "AttributeError: dbutils.fs is not served by the local workspace"
        assert failure(client, "dbutils.fs.ls('/')")["error"] == expected


class TestTaskValues:
    def test_values_reach_later_tasks_and_their_parameters(self, client: Client) -> None:
        first = client.notebook("dbutils.jobs.taskValues.set(key='k', value={'n': [1, 2]})")
        second = client.notebook(
            "v = dbutils.jobs.taskValues.get(taskKey='a', key='k', debugValue=0)\n"
            "dbutils.notebook.exit(str(v['n']) + dbutils.widgets.get('p'))"
        )
        reference = {"p": "{{tasks.a.values.k}}"}
        run = client.finish(notebook_task(first, "a"), notebook_task(second, "b", "a", base_parameters=reference))
        assert client.output(run, "b")["notebook_output"]["result"] == '[1, 2]{"n": [1, 2]}'

    def test_a_value_that_was_not_set_is_its_default_or_an_error(self, client: Client) -> None:
        get = "dbutils.jobs.taskValues.get(taskKey='a', key='k'"
        assert result(client, f"dbutils.notebook.exit({get}, default=0))") == "0"
        assert result(client, f"dbutils.notebook.exit({get}, default=None))") == "None"
        assert failure(client, f"{get})")["error"].startswith("ValueError: No task value with the key 'k'")

    @pytest.mark.parametrize("value", ["object()", "'x' * 50_000"])
    def test_a_value_that_cannot_be_kept_is_an_error(self, client: Client, value: str) -> None:
        assert "Error: " in failure(client, f"dbutils.jobs.taskValues.set(key='k', value={value})")["error"]


class TestSpark:
    @pytest.mark.parametrize("asked", ["spark.sql('select 1')", "sc.parallelize", "sqlContext.read"])
    def test_spark_says_that_there_is_none(self, client: Client, asked: str) -> None:
        name = asked.partition("(")[0]
        expected = f"NoSparkError: {name} needs Spark, which the local workspace does not have"
        assert failure(client, asked)["error"] == expected

    def test_a_notebook_may_look_whether_there_is_spark(self, client: Client) -> None:
        code = "dbutils.notebook.exit([hasattr(spark, 'sql'), repr(sc)])"
        assert result(client, code) == "[False, '<sc: the local workspace has no Spark>']"


class TestSurroundings:
    def test_each_attempt_has_an_empty_folder_of_its_own_that_goes(self, client: Client) -> None:
        folder = result(client, "import os\nassert not os.listdir()\ndbutils.notebook.exit(os.getcwd())")
        assert folder != str(client.workspace.root)
        assert not Path(folder).exists()

    def test_no_secret_is_in_the_environment(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PREFECT_API_KEY", "x")
        monkeypatch.setenv("DATABRICKS_TOKEN", "x")
        monkeypatch.setenv("LC_SOMETHING", f"Bearer {client.workspace.token}")
        monkeypatch.setenv("LC_HARMLESS", "x")
        names = result(client, "import os\ndbutils.notebook.exit(' '.join(os.environ))").split()
        assert "LC_HARMLESS" in names
        assert "LC_SOMETHING" not in names
        assert not [name for name in names if name.startswith(("PREFECT_", "DATABRICKS_"))]

    def test_stdin_is_empty_and_modules_are_the_users(self, client: Client) -> None:
        code = (
            "import sys, pickle\nclass C: pass\npickle.dumps(C())\n"
            "ours = [n for n in sys.modules if n.startswith(('prefect', 'starlette', 'uvicorn'))]\n"
            "dbutils.notebook.exit([sys.stdin.read(), ours, __name__, sys.executable])"
        )
        assert result(client, code) == str(["", [], "__main__", sys.executable])

    @pytest.mark.parametrize("code", ["import sys; sys.exit()", "raise SystemExit(0)"])
    def test_leaving_with_zero_is_success(self, client: Client, code: str) -> None:
        assert state_of(client.finish(notebook_task(client.notebook(code)))) == ("TERMINATED", "SUCCESS")

    def test_leaving_with_one_is_failure(self, client: Client) -> None:
        assert failure(client, "import sys; sys.exit(1)")["error"] == "SystemExit: 1"

    @pytest.mark.parametrize(
        ("code", "how"),
        [
            ("os._exit(3)", "exit code 3"),
            ("os._exit(0)", "exit code 0"),
            ("os.kill(os.getpid(), 9)", "signal 9: Killed"),
        ],
    )
    def test_a_process_that_dies_is_never_a_success(self, client: Client, code: str, how: str) -> None:
        output = failure(client, f"import os; print('last words'); {code}")
        assert output["error"] == f"The Python process ended without an outcome ({how})"
        assert output["error_trace"] == "last words\n"

    def test_a_fork_of_the_users_code_does_not_answer_for_it(self, client: Client) -> None:
        code = "import os, time\nif os.fork():\n    os.wait()\n    dbutils.notebook.exit('parent')"
        assert result(client, code) == "parent"

    def test_what_the_notebook_leaves_running_is_ended(self, client: Client) -> None:
        code = "import subprocess\ndbutils.notebook.exit(subprocess.Popen(['sleep', '60']).pid)"
        pid = int(result(client, code))
        wait_until(lambda: not is_alive(pid))
