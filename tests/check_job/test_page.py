"""docs/guides/check-jobs.md is true: its bundle is checked by its commands, which print what it says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from prefect_databricks_runs._check_job import printing
from prefect_databricks_runs._check_job.tree import plain
from prefect_databricks_runs._check_job.yaml_tree import yaml_trees
from prefect_databricks_runs.cli import app
from tests.test_docs import ROOT, fences

PAGE = ROOT / "docs" / "guides" / "check-jobs.md"
OWN = "prefect-databricks-runs "


def test_the_examples_of_the_page_print_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(printing, "Console", lambda: Console(force_terminal=True, width=120, color_system=None))
    outputs = []
    done = None
    for fence in fences(PAGE):
        if fence.language == "yaml":
            path = tmp_path / fence.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text)
        elif fence.language == "bash":
            for line in fence.text.splitlines():
                command, _, redirected = line.removeprefix(OWN).partition(" < ")
                job = json.dumps({"settings": {"tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]}})
                done = CliRunner().invoke(app, shlex.split(command), input=job)
                assert done.exit_code == (0 if redirected else 1), done.output
        elif fence.title == "output":
            assert done is not None
            lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
            assert lines == fence.text.splitlines()
            outputs.append(done)
    assert len(outputs) == 2


def test_the_examples_for_ci_and_pre_commit_run_this_command() -> None:
    read = {
        fence.title: plain(yaml_trees(fence.text, fence.title)[0][0])
        for fence in fences(PAGE)
        if fence.title.startswith(".")
    }
    steps = read[".github/workflows/check-jobs.yml"]["jobs"]["check-jobs"]["steps"]
    (hook,) = read[".pre-commit-config.yaml"]["repos"][0]["hooks"]
    assert steps[-1]["run"].startswith(f"{OWN}check-job ")
    assert hook["entry"] == f"{OWN}check-job"
