"""The command as a user, a pipe and a program see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from prefect_databricks_runs._check_job import command, printing
from prefect_databricks_runs.cli import app

GOOD = {"name": "good", "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]}
ODD = {"name": "odd", "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a", "sorce": "GIT"}}]}
BAD = {"name": "bad", "tasks": [{"task_key": "a", "job_cluster_key": "b", "notebook_task": {"notebook_path": "/a"}}]}


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["check-job", *map(str, arguments)], input=text)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for body in (GOOD, ODD, BAD):
        (tmp_path / f"{body['name']}.json").write_text(json.dumps(body))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["good.json"], 0),
        (["odd.json"], 0),
        (["odd.json", "--strict"], 1),
        (["good.json", "--strict"], 0),
        (["bad.json"], 1),
        (["good.json", "bad.json"], 1),
        (["none.json"], 2),
        (["bad.json", "none.json"], 2),
        (["."], 1),
        ([], 2),
        (["good.json", "--target", "a", "--all-targets"], 2),
    ],
)
def test_it_ends_with_1_for_faults_and_with_2_for_what_could_not_be_checked(
    files: Path, arguments: list[str], status: int
) -> None:
    assert run(*arguments).exit_code == status


def test_a_pipe_gets_a_line_each_with_tabs_and_the_sum_goes_to_the_error_output(files: Path) -> None:
    done = run(".")
    assert done.stdout.splitlines() == [
        "bad.json\tbad\ttasks[0].job_cluster_key\tfault\tJob cluster 'b' is not defined; define it in `job_clusters`.",
        "odd.json\todd\ttasks[0].notebook_task.sorce\twarning\tunknown key `sorce`; did you mean `source`?",
    ]
    assert done.stderr == "3 definitions in 3 files checked: 1 fault, 1 warning.\n"
    assert run("good.json").stderr == "1 definition in 1 file checked: nothing was found to be wrong.\n"


def test_a_program_gets_one_object(files: Path) -> None:
    answer: dict[str, Any] = json.loads(run(".", "--json").stdout)
    assert answer["result"] == "fault"
    assert [each["job"] for each in answer["checked"]] == ["bad", "good", "odd"]
    assert answer["findings"][0] == {
        "file": "bad.json",
        "line": None,
        "job": "bad",
        "path": "tasks[0].job_cluster_key",
        "severity": "fault",
        "message": "Job cluster 'b' is not defined; define it in `job_clusters`.",
        "targets": [],
    }
    assert json.loads(run("good.json", "--json").stdout)["result"] == "ok"
    assert json.loads(run("none.json", "--json").stdout)["result"] == "error"


def test_a_terminal_gets_a_table_with_a_heading_for_each_job(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "Console", lambda: Console(force_terminal=True, width=100, color_system=None))
    (files / "job.yml").write_text(
        "name: '[red]x'\ntasks:\n  - task_key: a b\n    notebook_task: {notebook_path: /a}\n"
    )
    shown = run("job.yml").stdout
    assert "job.yml [red]x" in shown
    assert "3  fault  tasks[0].task_key: 'a b' is not a task key" in shown


def test_what_a_file_says_is_shown_on_one_line_and_with_no_control_characters(files: Path) -> None:
    (files / "job.json").write_text(
        json.dumps({"tasks": [{**BAD["tasks"][0], "\x1b[31mx\n_task": {}, "x\ty\n": 1}], "name": "a\tb\nc"})
    )
    done = run("job.json")
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 4
    assert all(line.count("\t") == 4 for line in done.stdout.splitlines())


def test_the_standard_input_is_read(files: Path) -> None:
    done = run("-", text=json.dumps(BAD))
    assert done.exit_code == 1
    assert done.stdout.startswith("stdin\tbad\t")


def test_a_bug_does_not_look_like_a_fault(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "files_in", lambda _: 1 / 0)
    done = run("good.json")
    assert done.exit_code == 2
    assert "ZeroDivisionError" in done.stderr


def test_it_needs_neither_prefect_nor_a_workspace_nor_yaml_for_json(files: Path) -> None:
    code = (
        "import sys\nfrom prefect_databricks_runs._check_job.command import Wanted, check_files\n"
        "results = check_files(Wanted(['good.json']))\n"
        "print(len(results.checked), sorted({'prefect', 'httpx', 'yaml'} & set(sys.modules)))"
    )
    package = str(Path(command.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": package}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1 []\n"
